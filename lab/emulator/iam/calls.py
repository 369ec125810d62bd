"""From a call of AWS's API to what IAM is asked about it.

The resources are every one that the parameters name, by an id of EC2, an ARN or a name; of these,
the simulator takes those that the action takes. Sources: Service Authorization Reference; IAM user
guide, "AWS global condition context keys".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lab.emulator.iam.items import LEADING_KEYS, leading_keys, tables
from lab.emulator.iam.keys import key_questions
from lab.emulator.iam.resources import autoscaling_groups, ec2_resources
from lab.emulator.iam.service import Candidate, Question

if TYPE_CHECKING:
    from lab.emulator.iam.callers import Caller

_PREFIXES = {"monitoring": "cloudwatch", "email": "ses"}
"""Services whose actions have another prefix than their signatures."""

_ACTIONS = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "sns:PublishBatch": "sns:Publish",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}
"""Operations that need the permission of another name."""

_NAMED = {
    "events": ("arn:aws:events:{place}:rule/{Name}", "arn:aws:events:{place}:rule/{Rule}"),
    "lambda": ("arn:aws:lambda:{place}:function:{FunctionName}",),
    "logs": (
        "arn:aws:logs:{place}:log-group:{logGroupName}",
        "arn:aws:logs:{place}:log-group:{logGroupName}:log-stream:{logStreamName}",
    ),
    "s3": ("arn:aws:s3:::{Bucket}", "arn:aws:s3:::{Bucket}/{Key}"),
    "sns": ("arn:aws:sns:{place}:{Name}",),
    "sqs": ("arn:aws:sqs:{place}:{QueueName}",),
    "ssm": ("arn:aws:ssm:{place}:parameter/{Name}",),
}
"""The ARNs of resources that parameters name; the place is a region and an account."""

_READS = ("Describe", "Get", "List", "Lookup", "Filter")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall:
    """A call of AWS's API: `service` is the name that it is signed for.

    The parameters are nested as in boto3, or flat as in a form ("Filter.1.Name").
    """

    service: str
    operation: str
    parameters: Mapping[str, Any]
    account: str
    region: str
    protocol: str
    """How it came, and how its answer must go: ec2, query, json, rest-json or rest-xml."""

    @property
    def name(self) -> str:
        """Return service and operation, such as ec2:ReplaceRoute."""
        return f"{self.service}:{self.operation}"

    @property
    def reads(self) -> bool:
        """Return whether it changes nothing."""
        return self.operation.startswith(_READS)

    def __str__(self) -> str:
        """Return the call with all that it says."""
        return f"{self.name} {json.dumps(self.parameters, sort_keys=True, default=str)}"

    @property
    def action(self) -> str:
        """Return the name of the permission that it needs."""
        prefix = _PREFIXES.get(self.service, self.service)
        return _ACTIONS.get(f"{prefix}:{self.operation}", f"{prefix}:{self.operation}")


def questions(call: ApiCall, caller: Caller) -> Iterator[Question]:
    """Yield what IAM is asked about a call of a role's session: about the call, and about keys.

    Raises:
        ValueError: it is not known which items the call names.

    """
    context: dict[str, str | tuple[str, ...]] = {
        "aws:PrincipalArn": caller.role,
        "aws:PrincipalAccount": call.account,
        "aws:RequestedRegion": call.region,
        "aws:SecureTransport": "true",  # the lab's loopback stands for AWS's TLS endpoints
    }
    told = {**context, "ec2:Region": call.region, **_attributes(call)}
    yield Question(
        action=call.action,
        context=tuple(sorted(told.items())),
        candidates=tuple(sorted(set(_candidates(call)), key=lambda row: row.resource)),
    )
    yield from key_questions(call, tuple(context.items()))


def _attributes(call: ApiCall) -> Mapping[str, str | tuple[str, ...]]:
    """Return the keys of what a call says: the items it names, or the attributes it sets.

    Of EC2's attributes those of complex objects that have only a Value (EC2 user guide,
    "ec2:Attribute condition key").
    """
    if call.service == "dynamodb":
        return {LEADING_KEYS: keys} if (keys := leading_keys(call)) else {}
    if call.service != "ec2" or not call.operation.startswith("Modify"):
        return {}
    return {
        f"ec2:Attribute/{name}": value if isinstance(value, str) else json.dumps(value)
        for name, given in call.parameters.items()
        if isinstance(given, Mapping)
        for value in given.values()
        if set(given) == {"Value"}
    }


def _candidates(call: ApiCall) -> Iterator[Candidate]:
    texts = tuple(_texts(call.parameters))
    for text in texts:
        if text.startswith("arn:") and "*" not in text:  # a pattern is no resource
            yield Candidate(text)
    yield from map(Candidate, _named(call))
    if call.service == "ec2":
        yield from ec2_resources(call.account, call.region, texts)
    if call.service == "dynamodb":
        yield from map(Candidate, tables(call))
    if call.service == "ssm":
        for name in call.parameters.get("Names", ()):
            yield from map(Candidate, _named(replace(call, parameters={"Name": name})))
    if call.service == "autoscaling":
        yield from autoscaling_groups(call.account, call.region, texts)


def _named(call: ApiCall) -> Iterator[str]:
    names = {
        name: value
        for name, value in call.parameters.items()
        if isinstance(value, str) and not value.startswith("arn:")
    }
    names["place"] = f"{call.region}:{call.account}"
    if "QueueUrl" in names:
        names["QueueName"] = names["QueueUrl"].rsplit("/", 1)[-1]
    if call.service == "ssm" and "Name" in names:
        names["Name"] = names["Name"].removeprefix("/")  # an ARN has one slash before it, not two
    for arn in _NAMED.get(call.service, ()):
        with suppress(KeyError):
            yield arn.format_map(names)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
