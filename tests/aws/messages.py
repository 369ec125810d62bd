"""What AWS sends, in the shapes that its documentation and public samples show.

Sources: EC2 Auto Scaling user guide, "SNS notifications" and "lifecycle hooks"; EventBridge event
reference; CloudWatch user guide, "alarm actions"; CloudFormation user guide, "custom resource
request objects"; Lambda developer guide, "using Lambda with SNS".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.factories import ANY_STACK_ID

if TYPE_CHECKING:
    from tests.aws.region import Region

Message = dict[str, Any]
SWEEP: Message = {"source": "nat-failover.sweep"}


def sns(*messages: Message | str) -> Message:
    """Return the event that SNS hands to Lambda; each message is a record of it."""
    return {
        "Records": [
            {
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "EventSubscriptionArn": "arn:aws:sns:any-region:123456789012:any-topic:any-id",
                "Sns": {
                    "Type": "Notification",
                    "MessageId": "any-id",
                    "TopicArn": "arn:aws:sns:any-region:123456789012:any-topic",
                    "Message": message if isinstance(message, str) else json.dumps(message),
                },
            }
            for message in messages
        ]
    }


def notification(region: Region, kind: str, instance: str | None = None) -> Message:
    """Return a notification of the group, such as `EC2_INSTANCE_TERMINATE`."""
    about = {} if instance is None else {"EC2InstanceId": instance, "Details": {}}
    return {
        "Service": "AWS Auto Scaling",
        "Time": "2026-01-01T00:00:00.000Z",
        "RequestId": "any-request",
        "Event": f"autoscaling:{kind}",
        "AccountId": "123456789012",
        "AutoScalingGroupName": region.group,
        "AutoScalingGroupARN": f"arn:aws:autoscaling:{region.name}:123456789012:any-group",
        **about,
    }


def launched(region: Region, instance: str) -> Message:
    """Return the event that tells of a launch."""
    return sns(notification(region, "EC2_INSTANCE_LAUNCH", instance))


def terminated(region: Region, instance: str) -> Message:
    """Return the event that tells of a termination."""
    return sns(notification(region, "EC2_INSTANCE_TERMINATE", instance))


def state_change(instance: str, state: str) -> Message:
    """Return the event with which EventBridge tells of an instance's new state."""
    return {
        "version": "0",
        "source": "aws.ec2",
        "detail-type": "EC2 Instance State-change Notification",
        "detail": {"instance-id": instance, "state": state},
    }


def terminating(region: Region, instance: str, hook: str = "any-hook") -> Message:
    """Return the event of a lifecycle hook that holds a termination."""
    return sns(
        {
            "Origin": "AutoScalingGroup",
            "Destination": "EC2",
            "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
            "LifecycleHookName": hook,
            "LifecycleActionToken": "00000000-0000-4000-8000-000000000000",
            "AutoScalingGroupName": region.group,
            "EC2InstanceId": instance,
        }
    )


def claim(instance: str, sequence: int = 1, **said: Any) -> Message:  # noqa: ANN401 - of JSON
    """Return what a NAT publishes of itself and its peers."""
    return {
        "Claim": 1,
        "instance": instance,
        "sequence": sequence,
        "ailment": None,
        "silent": {},
        "ill": {},
        "ring": None,
        "flows": None,
        **said,
    }


def alarm() -> Message:
    """Return the event of an alarm."""
    return sns({"AlarmName": "any-alarm", "NewStateValue": "ALARM", "Trigger": {}})


def release(url: str, *known: str) -> Message:
    """Return CloudFormation's request to release all associations but those that it knows."""
    return {
        **deployment("Delete", url),
        "LogicalResourceId": "PrivateAssociations",
        "ResourceType": "Custom::PrivateAssociations",
        "ResourceProperties": {"Associations": list(known)},
    }


def network(url: str, **given: list[str]) -> Message:
    """Return CloudFormation's request to compare a network with what the stack is given of it."""
    return {
        **deployment("Create", url),
        "LogicalResourceId": "NetworkCheck",
        "ResourceType": "Custom::Network",
        "ResourceProperties": given,
    }


def deployment(request: str, url: str) -> Message:
    """Return CloudFormation's request to the resource that waits for the default routes."""
    return {
        "RequestType": request,
        "ResponseURL": url,
        "StackId": ANY_STACK_ID,
        "RequestId": "any-request",
        "LogicalResourceId": "DefaultRoutes",
        "ResourceType": "Custom::DefaultRoutes",
        "ResourceProperties": {},
    }
