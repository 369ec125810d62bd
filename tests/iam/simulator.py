"""Whether identity policies allow requests, as `@cloud-copilot/iam-simulate` evaluates them.

It knows AWS's service authorization reference: an action that does not exist, a resource of a type
that the action does not take and a context key that the action does not have are errors.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

EVALUATE = Path(__file__).with_name("evaluate.mjs")
NODE = Path(sys.executable).with_name("node")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call: a call that touches several resources is a request for each of them."""

    action: str
    resource: str
    tags: Mapping[str, str] = field(default_factory=dict)
    context: Mapping[str, str] = field(default_factory=dict)
    resource_policy: Mapping[str, Any] | None = None
    """The resource's own policy; without that of a key, nobody may use the key."""


def evaluate(
    policies: Sequence[Mapping[str, Any]],
    requests: Sequence[Request],
    *,
    principal: str = "arn:aws:sts::123456789012:assumed-role/any-role/any-session",
) -> list[bool]:
    """Return for each request whether the policies allow it to the principal.

    Raises:
        ValueError: when a request makes no sense, with what is wrong with it.

    """
    question = {
        "principal": principal,
        "policies": list(policies),
        "requests": [_as_json(request) for request in requests],
    }
    answer = subprocess.run(  # noqa: S603 - our own script
        [NODE, EVALUATE], input=json.dumps(question), capture_output=True, text=True, check=False
    )
    if answer.returncode != 0:
        raise ValueError(answer.stderr.strip())
    return cast("list[bool]", json.loads(answer.stdout))


def _as_json(request: Request) -> dict[str, Any]:
    tags = {f"aws:ResourceTag/{key}": value for key, value in request.tags.items()}
    return {
        "action": request.action,
        "resource": request.resource,
        "context": {**request.context, **tags},
        "resourcePolicy": request.resource_policy,
    }
