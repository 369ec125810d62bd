"""The IAM permissions that a drill needs, by what needs them.

What describes cannot be limited to a resource; what changes can be limited with the condition
`aws:ResourceTag/nat-failover:stack` ("Actions, resources, and condition keys", Service
Authorization Reference). `sts:GetCallerIdentity` needs no permission.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.drills.faults import FAULTS

if TYPE_CHECKING:
    from collections.abc import Mapping

EVERY_DRILL = "every drill"

PERMISSIONS: Mapping[str, tuple[str, ...]] = {
    EVERY_DRILL: (
        "sts:GetCallerIdentity",
        "cloudformation:DescribeStacks",
        "cloudformation:ListStackResources",
        "lambda:GetFunctionConfiguration",
        "ec2:DescribeInstances",
        "ec2:DescribeRouteTables",
        "autoscaling:DescribeAutoScalingGroups",
        "logs:FilterLogEvents",
    ),
    **{fault.name: fault.account.permissions for fault in FAULTS if fault.account},
}
"""Without `logs:FilterLogEvents` a drill goes on, and knows nothing of the function's own times."""


def permission(operation: str) -> tuple[str, str]:
    """Return the permission for an operation, and what needs it: a fault, or every drill."""
    for needs, actions in PERMISSIONS.items():
        for action in actions:
            if action.partition(":")[2] == operation:
                return action, needs
    return operation, EVERY_DRILL
