"""Whatever arrives: the function returns, logs little, and writes what the state asks for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.aws import messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.aws.conftest import Function
    from tests.aws.region import Region

_WORDS = st.sampled_from(
    [
        "autoscaling:EC2_INSTANCE_TERMINATE",
        "autoscaling:EC2_INSTANCE_TERMINATING",
        "aws.ec2",
        "EC2 Instance State-change Notification",
        "EC2 Instance-terminate Lifecycle Action",
        "Delete",
        "Custom::PrivateAssociations",
        "http://169.254.169.254/",
        "i-00000000000000000",
        "any-stack-nats",
        "running",
        "\ud800",
        "x" * 9999,
    ]
)
_FIELDS = st.sampled_from(
    [
        "Event",
        "LifecycleTransition",
        "LifecycleHookName",
        "LifecycleActionToken",
        "AutoScalingGroupName",
        "EC2InstanceId",
        "AlarmName",
        "source",
        "detail-type",
        "detail",
        "instance-id",
        "state",
        "RequestType",
        "ResourceType",
        "ResourceProperties",
        "ResponseURL",
        "StackId",
        "RequestId",
        "LogicalResourceId",
        "Records",
        "Sns",
        "Message",
    ]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _WORDS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_FIELDS, inner, max_size=8),
    max_leaves=12,
)


@seed(9)
@settings(
    max_examples=2 * settings().max_examples,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(event=_VALUES, through_the_topic=st.booleans())
def test_function_returns_and_writes_nothing_when_anything_arrives_and_all_is_well(
    region: Region,
    function: Function,
    logged: Callable[[], list[dict[str, Any]]],
    event: Any,  # noqa: ANN401 - JSON
    *,
    through_the_topic: bool,
) -> None:
    """No message makes it write what the state does not ask for."""
    lines_before = len(logged())

    returned = function(messages.sns(event, event) if through_the_topic else event)

    assert returned["failure"] is None
    assert function.wire.writes == []
    assert sum(len(json.dumps(line)) for line in logged()[lines_before:]) < 20_000
    assert region.notifications() == []
