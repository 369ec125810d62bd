"""The two calls of a NAT's watch, made with the role of its instance profile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from moto.dynamodb.models import dynamodb_backends
from moto.sns.exceptions import SNSNotFoundError
from moto.sns.models import sns_backends

from cdk_nat_failover.instances.watch.wire import ring_from_text
from lab.emulator.iam.callers import Caller
from lab.emulator.iam.calls import ApiCall
from lab.emulator.services.iam.profiles import role_of
from nat_failover.contract import MEMORY_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moto.ec2.models.instances import Instance

    from cdk_nat_failover.instances.watch.said import Ring
    from lab.emulator.behaviour import Emulation

_PEERS = "peers"
"""The item of the table that a watch reads."""


@dataclass(frozen=True, slots=True)
class WatchCalls:
    """What an instance calls: the topic and the table that its user data names."""

    aws: Emulation
    instance: Instance
    topic: str
    table: str

    def publish(self, message: str) -> str:
        """Publish a claim; return AWS's error code, or an empty text."""
        if error := self._refused("sns", "Publish", {"TopicArn": self.topic}, "query"):
            return error
        try:
            topics = sns_backends[self.aws.account][self.aws.region]
            topics.publish(message, arn=self.topic)
        except SNSNotFoundError:
            return "NotFound"
        return ""

    def read(self) -> tuple[Ring | None, str]:
        """Return the ring, or None where there is none, and AWS's error code, or an empty text."""
        key = {MEMORY_KEY: {"S": _PEERS}}
        asked = {"TableName": self.table, "Key": key}
        if error := self._refused("dynamodb", "GetItem", asked, "json"):
            return None, error
        return stored_ring(self.aws, self.table), ""

    def _refused(
        self, service: str, operation: str, parameters: Mapping[str, object], protocol: str
    ) -> str:
        return refused(
            self.aws,
            self.instance,
            service=service,
            operation=operation,
            parameters=parameters,
            protocol=protocol,
        )


def refused(  # noqa: PLR0913 - what a call is, each thing by name
    aws: Emulation,
    instance: Instance,
    *,
    service: str,
    operation: str,
    parameters: Mapping[str, object],
    protocol: str,
) -> str:
    """Return AWS's error code where an instance's role may not make a call, or an empty text."""
    role = role_of(instance)
    if role is None:
        return "NoCredentials"  # the metadata service has none
    call = ApiCall(
        service=service,
        operation=operation,
        parameters=parameters,
        account=aws.account,
        region=aws.region,
        protocol=protocol,
    )
    return "AccessDenied" if aws.permissions.refused(Caller(role, str(instance.id)), call) else ""


def stored_ring(aws: Emulation, table: str) -> Ring | None:
    """Return the ring that a table has, if it has one."""
    tables = dynamodb_backends[aws.account][aws.region]
    if table not in tables.tables:
        return None
    item = tables.get_item(table, {MEMORY_KEY: {"S": _PEERS}})
    if item is None or not {"ring", "version"} <= item.attrs.keys():
        return None
    return ring_from_text(str(item.attrs["ring"].value), int(item.attrs["version"].value))
