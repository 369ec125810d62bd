"""Changes of what carries messages, events and logs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.events.models import events_backends

if TYPE_CHECKING:
    from lab.emulator.services.cloudformation.in_place.update import Handler, Update

_QUEUE = {
    "DelaySeconds": "0",
    "KmsMasterKeyId": "",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "VisibilityTimeout": "30",
}
"""What a queue has where nothing is said (SQS API reference, SetQueueAttributes)."""


_OWN_KEY = "SqsManagedSseEnabled"


def _topic(update: Update) -> None:
    for name in ("DisplayName", "KmsMasterKeyId"):
        update.client("sns").set_topic_attributes(
            TopicArn=update.id, AttributeName=name, AttributeValue=update.new.get(name, "")
        )


def _queue(update: Update) -> None:
    sqs = update.client("sqs")
    wanted = {name: str(update.new.get(name, usual)) for name, usual in _QUEUE.items()}
    # One of two ways of encryption: SQS's own key unless another one is named.
    own = update.new.get(_OWN_KEY, not update.new.get("KmsMasterKeyId"))
    wanted[_OWN_KEY] = str(own).lower()
    # With every change that does not name it, moto forgets the policy.
    kept = sqs.get_queue_attributes(QueueUrl=update.id, AttributeNames=["Policy"])
    sqs.set_queue_attributes(
        QueueUrl=update.id, Attributes={**kept.get("Attributes", {}), **wanted}
    )


def _retention(update: Update) -> None:
    logs = update.client("logs")
    if days := update.new.get("RetentionInDays"):
        logs.put_retention_policy(logGroupName=update.id, retentionInDays=int(days))
    else:
        logs.delete_retention_policy(logGroupName=update.id)


def _rule(update: Update) -> Any:  # noqa: ANN401 - moto's rule
    """Put the rule again; moto makes another object of it."""
    events, new = update.client("events"), update.new
    pattern = {"EventPattern": json.dumps(new["EventPattern"])} if "EventPattern" in new else {}
    names = ("ScheduleExpression", "State", "Description", "RoleArn")
    given = {name: new[name] for name in names if name in new}
    events.put_rule(Name=update.there.resource.name, **pattern, **given)
    return (
        events_backends[update.aws.account][update.aws.region]
        .event_buses["default"]
        .rules[update.there.resource.name]
    )


def _targets(update: Update) -> None:
    events, name = update.client("events"), update.there.resource.name
    wanted = update.new.get("Targets", [])
    kept = {row["Id"] for row in wanted}
    if gone := [row["Id"] for row in update.old.get("Targets", []) if row["Id"] not in kept]:
        events.remove_targets(Rule=name, Ids=gone)
    if wanted:
        events.put_targets(Rule=name, Targets=wanted)


TABLE: dict[str, dict[str, Handler]] = {
    "AWS::SNS::Topic": {"DisplayName": _topic, "KmsMasterKeyId": _topic},
    "AWS::SQS::Queue": dict.fromkeys((*_QUEUE, _OWN_KEY), _queue),
    "AWS::Logs::LogGroup": {"RetentionInDays": _retention},
    "AWS::Events::Rule": {
        "Targets": _targets,
        "Description": _rule,
        "EventPattern": _rule,
        "RoleArn": _rule,
        "ScheduleExpression": _rule,
        "State": _rule,
    },
}
