"""What a role's policies say at the moment, and what they would say without a permission."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Policy = dict[str, Any]


def documents_of(role_arn: str) -> tuple[str, ...]:
    """Return the policies of a role as text: its own, and the managed ones attached to it.

    A role that is gone has none, so its sessions may do nothing any more.
    """
    _, partition, _, _, account, _ = role_arn.split(":", 5)
    try:
        role = iam_backends[account][partition].get_role_by_arn(role_arn)
    except NotFoundException:
        return ()
    attached = [
        version.document
        for policy in list(role.managed_policies.values())
        for version in policy.versions
        if version.is_default
    ]
    return tuple(map(_text, (*list(role.policies.values()), *attached)))


def without(policies: Sequence[Policy], action: str) -> tuple[Policy, ...]:
    """Return the policies as they are without the permission for an action.

    Where a statement allows it by a pattern, the pattern stays, and the action is denied.
    """
    left = [{**policy, "Statement": list(_less(policy, action))} for policy in policies]
    if any(_covers(row, action) for policy in left for row in policy["Statement"]):
        deny = {"Effect": "Deny", "Action": action, "Resource": "*"}
        left.append({"Version": "2012-10-17", "Statement": [deny]})
    return tuple(policy for policy in left if policy["Statement"])


def _less(policy: Policy, action: str) -> Iterator[dict[str, Any]]:
    for statement in _as_list(policy["Statement"]):
        if statement["Effect"] != "Allow" or "Action" not in statement:
            yield statement
            continue
        actions = [name for name in _as_list(statement["Action"]) if not _same(name, action)]
        if actions:
            yield {**statement, "Action": actions}


def _covers(statement: dict[str, Any], action: str) -> bool:
    if statement["Effect"] != "Allow":
        return False
    named = "Action" in statement
    patterns = _as_list(statement["Action"] if named else statement["NotAction"])
    return named == any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


def _same(name: str, action: str) -> bool:
    return name.lower() == action.lower()


def _as_list(value: Any) -> list[Any]:  # noqa: ANN401 - policies hold one thing or a list of them
    return value if isinstance(value, list) else [value]


def _text(document: str | Policy) -> str:
    """Return a document as text; those of stacks moto keeps as they are in the template."""
    return document if isinstance(document, str) else json.dumps(document)
