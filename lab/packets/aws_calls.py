"""What a NAT's watch asks of AWS is carried out in the region, with the instance's role."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from werkzeug.test import create_environ, run_wsgi_app

from cdk_nat_failover.instances.watch.said import Claim
from lab.drills.boots import delays
from lab.drills.boots.peers import between
from lab.drills.boots.watch import REFUSED, in_words, note
from lab.emulator.iam.callers import Caller
from lab.emulator.iam.refusals import refusal
from lab.emulator.iam.requests import parse
from lab.emulator.journal import Who
from lab.emulator.services.iam.profiles import role_of
from lab.packets import emulated
from lab.packets.endpoints import Answer

if TYPE_CHECKING:
    from lab.emulator.region import Region
    from lab.packets.endpoints import Asked

_GONE = Answer(b"InvalidClientTokenId", 403)


class AwsCalls:
    """Answers requests of instances as the region does, and notes new claims in its journal."""

    def __init__(self, region: Region) -> None:
        self._region, self._aws = region, region.aws
        self._said: dict[str, str] = {}

    def __call__(self, asked: Asked) -> Answer:
        """Return the region's answer, after the time that a call takes."""
        self._aws.clock.wait(delays.WATCH_CALL)
        instance = emulated.instances().get(asked.nat)
        role = role_of(instance) if instance else None
        if role is None:
            return _GONE
        call = parse(self._environ(asked), asked.body, self._aws.account)
        caller = Caller(role, asked.nat)
        if refused := self._aws.permissions.refused(caller, call):
            what = f"{asked.nat} may not call {call.name}"
            self._aws.journal.note(Who.EC2, REFUSED, what, instance=asked.nat, error="AccessDenied")
            reply = refusal(call, caller, refused)
            return Answer(reply.body, int(reply.status[:3]))
        if asked.service == "sns":
            self._note(asked)
            if between(self._aws).silenced:
                return Answer(b"")
        return self._ask(asked)

    def _ask(self, asked: Asked) -> Answer:
        body, status, _ = run_wsgi_app(self._region.calls, self._environ(asked), buffered=True)
        return Answer(b"".join(body), int(status[:3]))

    def _environ(self, asked: Asked) -> dict[str, Any]:
        return create_environ(
            base_url=self._region.endpoint, method="POST", headers=asked.headers, data=asked.body
        )

    def _note(self, asked: Asked) -> None:
        """Note a claim that says something else than the one before it."""
        claim = claim_in(asked.body)
        if (said := in_words(claim)) != self._said.get(asked.nat):
            self._said[asked.nat] = said
            note(self._aws, claim)


def claim_in(form: bytes) -> Claim:
    """Return the claim that a request publishes."""
    message = json.loads(parse_qs(form.decode())["Message"][0])
    names = ("instance", "ailment", "silent", "ill", "ring", "flows")
    return Claim(**{name: message[name] for name in names})
