"""How long CloudFormation takes for one resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.emulator.time import delays

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.emulator.time.delays import Delay

_CREATION: Mapping[str, Delay] = {
    "AWS::DynamoDB::Table": delays.TABLE_CREATION,
    "AWS::EC2::InternetGateway": delays.SLOW_CREATION,
    "AWS::EC2::VPCEndpoint": delays.SLOW_CREATION,
    "AWS::IAM::InstanceProfile": delays.INSTANCE_PROFILE_CREATION,
    "AWS::IAM::Role": delays.SLOW_CREATION,
}
_WAITS = (
    "AWS::AutoScaling::AutoScalingGroup",
    "AWS::CloudFormation::CustomResource",
    "AWS::EC2::NatGateway",
    "Custom::",
)
"""These take what their instances, gateways and functions take."""


def duration(kind: str, verb: str) -> Delay | None:
    """Return how long a CREATE, UPDATE or DELETE takes, beyond what the lab plays in detail."""
    if kind.startswith(_WAITS):
        return None
    if verb == "CREATE" and kind in _CREATION:
        return _CREATION[kind]
    return delays.RESOURCE_STEP
