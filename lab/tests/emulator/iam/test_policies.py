"""Policies without a permission."""

from __future__ import annotations

from typing import Any

from lab.emulator.iam.policies import without


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    """Return a policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(*actions: str) -> dict[str, Any]:
    """Return a statement that allows some actions."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": "any"}


DENY = policy({"Effect": "Deny", "Action": "ec2:ReplaceRoute", "Resource": "*"})


def test_policies_lose_an_action_and_keep_the_rest() -> None:
    """Actions are compared as IAM does, without regard to case."""
    given = (policy(allow("ec2:replaceroute", "ec2:CreateRoute"), allow("sns:Publish")),)
    left = (policy(allow("ec2:CreateRoute"), allow("sns:Publish")),)
    assert without(given, "ec2:ReplaceRoute") == left


def test_policies_lose_a_statement_and_a_policy_when_nothing_is_left_of_them() -> None:
    """A statement without an action, and a policy without a statement, are none."""
    statement = {"Effect": "Allow", "Action": "ec2:ReplaceRoute", "Resource": "any"}
    given = ({"Version": "2012-10-17", "Statement": statement}, policy(allow("sns:Publish")))
    assert without(given, "ec2:ReplaceRoute") == (policy(allow("sns:Publish")),)


def test_policies_deny_an_action_when_a_pattern_still_allows_it() -> None:
    """`ec2:*` cannot be written without one of its actions."""
    everything = policy(allow("ec2:*"))
    assert without((everything,), "ec2:ReplaceRoute") == (everything, DENY)
    but_others = policy({"Effect": "Allow", "NotAction": "sns:*", "Resource": "*"})
    assert without((but_others,), "ec2:ReplaceRoute") == (but_others, DENY)


def test_policies_are_as_they_were_when_they_do_not_allow_the_action() -> None:
    """What is denied, or allowed by another pattern, is left alone."""
    given = (
        DENY,
        policy(allow("ec2:Describe*"), {"Effect": "Allow", "NotAction": "ec2:*", "Resource": "*"}),
    )
    assert without(given, "ec2:ReplaceRoute") == given
