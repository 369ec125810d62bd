"""Each kind of rule says how a value breaks it, and nothing of one that does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from aws_constraints.cidrs import words
from aws_constraints.rows import Row
from aws_constraints.rules import AtMost, Document, Network, Number, OneOf, Percentages, Text
from aws_constraints.table import breaches

if TYPE_CHECKING:
    from aws_constraints.rules import Rule

LETTERS = Text(pattern="[a-z]+", allowed="letters", shortest=2, longest=3)
STEPS = Number(low=10, high=20, step=5)
BLOCK = Network(shortest=16, longest=28)
ORDER = AtMost(("least", "most"))
SHARES = Percentages("least", "most")

RULES: list[tuple[Rule, Any, str]] = [
    (LETTERS, "abc", ""),
    (LETTERS, "a", "has 1 characters, not 2 to 3"),
    (LETTERS, "abcd", "has 4 characters, not 2 to 3"),
    (LETTERS, "ab\n", "is not made of letters"),
    (STEPS, 15, ""),
    (STEPS, "15", ""),
    (STEPS, 1.5, "is not a whole number"),
    (STEPS, 9, "is not from 10 to 20"),
    (STEPS, 12, "is not a multiple of 5"),
    (OneOf(("a", "b")), "b", ""),
    (OneOf(("a", "b")), "c", "is none of a, b"),
    (BLOCK, "10.0.0.0/16", ""),
    (BLOCK, "10.0.0.1/16", "is not an IPv4 CIDR block without bits after its prefix"),
    (BLOCK, "10.0.0.0/8", "is not between /16 and /28"),
    (BLOCK, "10.0.0.0", "is not between /16 and /28"),
    (Document(longest=4), "äb", ""),
    (Document(longest=4), {"a": 1}, "has 7 bytes, more than 4"),
    (ORDER, {"least": 1, "most": "1"}, ""),
    (ORDER, {"most": 1}, ""),
    (ORDER, {"least": 2, "most": 1}, "has least 2, more than most 1"),
    (SHARES, {}, ""),
    (SHARES, {"least": -1, "most": -1}, ""),
    (SHARES, {"least": 0, "most": 100}, ""),
    (SHARES, {"most": 100}, "has most only"),
    (SHARES, {"least": 101, "most": 150}, "has least 101, which is not from 0 to 100"),
    (SHARES, {"least": 50, "most": 151}, "has least and most 101 apart, not 100"),
]


@pytest.mark.parametrize(("rule", "value", "breach"), RULES)
def test_rule_says_how_a_value_breaks_it(rule: Rule, value: object, breach: str) -> None:
    """As the end of a sentence."""
    assert breach == rule.breach(value)


def test_row_speaks_in_awss_words_where_they_are_known() -> None:
    """And in the rule's where they are not."""
    row = Row(places=(), rule=LETTERS, source="any", words="{value} is bad")
    assert row.says("any/Place", "X") == "X is bad"
    plain = Row(places=(), rule=LETTERS, source="any")
    assert plain.says("any/Place", "X") == "any/Place has 1 characters, not 2 to 3"


def test_breach_names_path_value_and_source() -> None:
    """For whoever reads a failed test, and in AWS's words for whoever calls the emulator."""
    (found,) = breaches("AWS::EC2::VPC", {"CidrBlock": "10.0.0.0/8"})
    assert str(found).startswith(
        "AWS::EC2::VPC/CidrBlock is '10.0.0.0/8', which is not between /16"
    )
    assert found.says.startswith("The CIDR '10.0.0.0/8' is invalid")


def test_restricted_block_is_named_as_ec2_does() -> None:
    """Whoever looks the message up finds it."""
    assert words("172.17.0.0/16").startswith("The CIDR '172.17.0.0/16' is restricted. Use a CIDR")
