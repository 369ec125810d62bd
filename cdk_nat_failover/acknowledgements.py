"""Findings of the template checkers (cdk-nag, CloudFormation Validate) that are as they should be.

Each is acknowledged beside its cause, with its reason, and for the one finding that is meant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

if TYPE_CHECKING:
    from constructs import IConstruct


def acknowledge(construct: IConstruct, *, rule: str, reason: str) -> None:
    """Accept what a rule finds in the construct."""
    cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=rule, reason=reason))


def acknowledge_wildcard(construct: IConstruct, *, resource: str, reason: str) -> None:
    """Accept that a policy of the construct names a resource with a `*` in it."""
    resolved = cdk.Stack.of(construct).resolve(resource)
    parts = [resolved] if isinstance(resolved, str) else resolved["Fn::Join"][1]
    # cdk-nag shows a reference as <name>.
    shown = "".join(part if isinstance(part, str) else f"<{part['Ref']}>" for part in parts)
    acknowledge(construct, rule=f"AwsSolutions-IAM5[Resource::{shown}]", reason=reason)
