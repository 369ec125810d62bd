"""What a run takes from the memory: read beside AWS, and never waited for longer than a moment.

What was not read in time counts as not readable: then no claim counts and nothing fails back. The
waits of a run are bounded together, and no read begins while the one before it is under way.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from nat_failover.incidents import Incident
from nat_failover.memory import Remembered, read
from nat_failover.stored_claims import (
    Stored,
    StoredClaims,
    forget_claims,
    read_claims,
    store_claims,
)
from nat_failover.stored_ring import read_ring
from nat_failover.stored_takeovers import StoredTakeovers, read_takeovers

if TYPE_CHECKING:
    from concurrent.futures import Future

    from nat_failover.claim_messages import ClaimMessage
    from nat_failover.clients import Clients
    from nat_failover.model import Observation, Ring

RECALL_LIMIT_S = 0.25
"""How much longer than for its other reads a run waits for the memory: repairs need it not."""

_T = TypeVar("_T")


class Recall:
    """The memory as one run sees it: incidents are read once, the rest at each observation.

    Claims that made the function run are stored beside the first observation, and what is there
    then is what that observation finds. `takeovers` says whether those are read.
    """

    def __init__(
        self,
        clients: Clients,
        *,
        watch: bool,
        claims: frozenset[ClaimMessage] = frozenset(),
        takeovers: bool = False,
    ) -> None:
        self._clients, self._watch, self._asks_takeovers = clients, watch, takeovers
        self._patience_s = RECALL_LIMIT_S
        self._incidents = clients.threads.submit(read, clients.memory)
        self._ring: Future[Ring | None] | None = None
        self._takeovers: Future[StoredTakeovers | None] | None = None
        self._claims: Future[Stored] | None = None
        self._storing: Future[Stored] | None = None
        if watch and claims:
            self._storing = clients.threads.submit(
                store_claims, clients.memory, claims, time.time()
            )
            self._claims = self._storing
        self._found = StoredClaims()

    def begin(self) -> None:
        """Begin the reads of an observation, beside its others."""
        submit, memory = self._clients.threads.submit, self._clients.memory
        if self._claims is None:
            self._claims = submit(lambda: Stored(found=read_claims(memory)))
        if self._ring is None and self._watch:
            self._ring = submit(read_ring, memory)
        if self._takeovers is None and self._asks_takeovers:
            self._takeovers = submit(read_takeovers, memory)

    def add_to(self, seen: Observation) -> Observation:
        """Return an observation with what the memory knows, as far as that was read in time."""
        incidents = self._in_time(self._incidents)
        stored, self._claims = self._taken(self._claims)
        ring, self._ring = self._taken(self._ring)
        taken, self._takeovers = self._taken(self._takeovers)
        if self._asks_takeovers:
            known = taken.takeovers if taken and seen.takeovers is not None else None
            standbys = taken.standbys if taken else None
            ending = taken is not None and taken.ending
            seen = replace(seen, takeovers=known, standbys=standbys, ending=ending)
        claims = stored.found if stored else None
        self._found = claims or StoredClaims()
        return replace(
            seen,
            memory_readable=incidents is not None and claims is not None,
            history=incidents.history if incidents else frozenset(),
            claims=claims.claims if claims and self._watch else frozenset(),
            replaced=claims.replaced if claims else None,
            quiet_since=dict(incidents.state.since).get(Incident.UNWATCHED) if incidents else None,
            ring=ring,
        )

    def incidents(self) -> Remembered | None:
        """Return what is remembered of incidents, however long the read takes."""
        return self._incidents.result()

    def tidy(self, members: frozenset[str]) -> list[str]:
        """Forget claims of instances that are no members; return what failed of all storing."""
        stored = self._storing.result() if self._storing else None
        kept = {claim.instance for claim in self._found.claims} & members
        gone = self._found.names - kept
        failed = forget_claims(self._clients.memory, gone) if gone else None
        return [error for error in (stored and stored.error, failed) if error]

    def _taken(self, future: Future[_T] | None) -> tuple[_T | None, Future[_T] | None]:
        """Return what a read found if it is done, and the read if it is still under way."""
        found = self._in_time(future) if future else None
        return found, None if future is None or future.done() else future

    def _in_time(self, future: Future[_T]) -> _T | None:
        """Wait for a read as long as patience lasts."""
        began = time.monotonic()
        try:
            return future.result(self._patience_s)
        except TimeoutError:
            return None
        finally:
            self._patience_s = max(0.0, self._patience_s - (time.monotonic() - began))
