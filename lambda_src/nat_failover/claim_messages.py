"""A claim as a NAT publishes it, and as the memory keeps it: read strictly, within bounds.

A claim is what some holder of a permission to publish said, and nothing proves who. So what is read
here is a reason to observe, and what it says counts only as far as the planner lets it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nat_failover.claims import EGRESS
from nat_failover.contract import CLAIM_FORMAT, CLAIM_MARK

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_PEERS = 100
"""Peers of one claim that are read: a stack has no more NATs than that."""

LONGEST_SAID = 16_384
"""Characters of a claim in the memory: more than one of `MOST_PEERS` peers has."""

AILMENTS = frozenset({EGRESS, "forwarding"})
"""What a NAT can find wrong with itself: it reaches nothing, or it does not forward."""

INSTANCE = re.compile(r"i-[0-9a-f]{1,17}")
"""The id of an instance, as the models of the EC2 and the EC2 Auto Scaling API have it."""

_MOST = 2**53
"""Beyond this a number of JSON is not exact everywhere (RFC 8259, section 6)."""

_LONGEST_AGE_S = 2**31


class ClaimError(ValueError):
    """A claim has not the shape of one; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ClaimMessage:
    """What one NAT said of itself and its peers.

    `sequence` grows from claim to claim of one boot. `silent` are the peers that it does not hear,
    with the seconds since it noticed that; `ill` are those that say so themselves, with what they
    say. `ring` is the version that it knows, `flows` what it still carries while it leaves.
    """

    instance: str
    sequence: int
    ailment: str | None = None
    silent: tuple[tuple[str, float], ...] = ()
    ill: tuple[tuple[str, str], ...] = ()
    ring: int | None = None
    flows: int | None = None

    def to_json(self) -> str:
        """Return the text from which `from_json` makes an equal value."""
        said = {
            CLAIM_MARK: CLAIM_FORMAT,
            "instance": self.instance,
            "sequence": self.sequence,
            "ailment": self.ailment,
            "silent": dict(self.silent),
            "ill": dict(self.ill),
            "ring": self.ring,
            "flows": self.flows,
        }
        return json.dumps(said, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> ClaimMessage:
        """Read what `to_json` wrote.

        Raises:
            ClaimError: when it is something else.

        """
        if len(text) > LONGEST_SAID:
            message = "it is too long"
            raise ClaimError(message)
        try:
            return read_claim(json.loads(text))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ClaimError(*error.args) from error


def read_claim(message: Mapping[str, Any]) -> ClaimMessage:
    """Read a claim; fields that it has beside those of its format say nothing.

    Raises:
        ClaimError: when a value is none that a NAT says.
        KeyError: when a field is missing.

    """
    if _count(message[CLAIM_MARK]) != CLAIM_FORMAT:
        problem = "a claim of another format"
        raise ClaimError(problem)
    instance = _instance(message["instance"])
    said = ClaimMessage(
        instance=instance,
        sequence=_count(message["sequence"]),
        ailment=None if message["ailment"] is None else _ailment(message["ailment"]),
        silent=tuple(sorted((_instance(k), _age(v)) for k, v in _peers(message["silent"]))),
        ill=tuple(sorted((_instance(k), _ailment(v)) for k, v in _peers(message["ill"]))),
        ring=None if message["ring"] is None else _count(message["ring"]),
        flows=None if message["flows"] is None else _count(message["flows"]),
    )
    if instance in {peer for peer, _ in (*said.silent, *said.ill)}:
        problem = "a claim of a NAT about itself as a peer"
        raise ClaimError(problem)
    return said


def _peers(value: Any) -> list[tuple[Any, Any]]:  # noqa: ANN401 - of JSON
    if not isinstance(value, dict) or len(value) > MOST_PEERS:
        problem = f"a claim whose peers are not an object of at most {MOST_PEERS}"
        raise ClaimError(problem)
    return list(value.items())


def _instance(value: Any) -> str:  # noqa: ANN401 - of JSON
    if not isinstance(value, str) or not INSTANCE.fullmatch(value):
        problem = "a claim with what is no instance id"
        raise ClaimError(problem)
    return value


def _ailment(value: Any) -> str:  # noqa: ANN401 - of JSON
    if not isinstance(value, str) or value not in AILMENTS:
        problem = f"a claim with an ailment that is none of {', '.join(sorted(AILMENTS))}"
        raise ClaimError(problem)
    return value


def _count(value: Any) -> int:  # noqa: ANN401 - of JSON
    if not isinstance(value, int) or not _is_number(value, _MOST):
        problem = "a claim with what is no count"
        raise ClaimError(problem)
    return value


def _age(value: Any) -> float:  # noqa: ANN401 - of JSON
    if not _is_number(value, _LONGEST_AGE_S):
        problem = "a claim with what is no age"
        raise ClaimError(problem)
    return float(value)


def _is_number(value: Any, most: int) -> bool:  # noqa: ANN401 - of JSON
    """Say whether a value is a number up to a limit: neither a boolean nor NaN is one."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most
