"""What requests to Auto Scaling say, and how they are refused."""
# ruff: noqa: SLF001 - moto gives no other access to a request's parameters

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from moto.autoscaling.exceptions import AutoscalingClientError

if TYPE_CHECKING:
    from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup
    from moto.autoscaling.responses import AutoScalingResponse


def group_of(response: AutoScalingResponse) -> FakeAutoScalingGroup:
    """Return the group that a request names; refuse the request if there is no such group."""
    return group_named(response.autoscaling_backend, response._get_param("AutoScalingGroupName"))


def group_named(backend: AutoScalingBackend, name: str) -> FakeAutoScalingGroup:
    """Return the group of a name; refuse the request if there is no such group."""
    groups = backend.autoscaling_groups
    if name not in groups:
        refuse(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
    return groups[name]


def refuse(message: str, code: str = "ValidationError") -> NoReturn:
    """Refuse a request, in AWS's words where they are known."""
    raise AutoscalingClientError(code, message)
