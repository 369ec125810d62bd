"""What is read of a claim, and what is none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nat_failover.claim_messages import LONGEST_SAID, ClaimError, ClaimMessage

CLAIM = ClaimMessage(
    instance="i-a",
    sequence=7,
    ailment="egress",
    silent=(("i-b", 3.5),),
    ill=(("i-c", "forwarding"),),
    ring=2,
    flows=12,
)


def test_claim_is_read_as_it_was_written() -> None:
    """The memory keeps the text."""
    assert CLAIM == ClaimMessage.from_json(CLAIM.to_json())


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"any": "x" * LONGEST_SAID}, "it is too long"),
        ({"silent": {"i-a": 1}}, "a claim of a NAT about itself as a peer"),
        ({"ill": {"i-a": "egress"}}, "a claim of a NAT about itself as a peer"),
    ],
)
def test_claim_that_no_nat_makes_is_an_error(said: dict[str, Any], problem: str) -> None:
    """Whoever may publish can say anything."""
    text = json.dumps({**json.loads(CLAIM.to_json()), **said})
    with pytest.raises(ClaimError, match=problem):
        ClaimMessage.from_json(text)
