"""The role against the calls: what the function does is allowed, and on others' things refused.

The calls are those that the function really makes while a stack lives, and the policy is the one
that was reviewed with the template. AWS's own rules decide.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from nat_failover.contract import Strategy
from tests.aws import messages
from tests.aws.conftest import shows_waiting
from tests.aws.region import Region
from tests.iam import Request, evaluate, role_policies

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.aws.cloudformation import CloudFormation
    from tests.aws.conftest import Deploy, Function
    from tests.aws.wire import Call

ACCOUNT = "123456789012"
READS = {"DescribeInstances", "DescribeAutoScalingGroups", "DescribeRouteTables"}
WRITES = {
    "CreateRoute",
    "ReplaceRoute",
    "ModifyNetworkInterfaceAttribute",
    "CompleteLifecycleAction",
    "RecordLifecycleActionHeartbeat",
    "ResumeProcesses",
    "SetInstanceProtection",
    "TerminateInstanceInAutoScalingGroup",
}
BESIDE = {"GetItem", "PutItem", "Publish"}
SWAPS = {"ReplaceRouteTableAssociation", "DisassociateRouteTable"}


def _live(region: Region, function: Function, cloudformation: CloudFormation) -> None:
    """Play a stack's life: deployed, failed over, failed back, tampered with, drained, deleted."""
    for table in region.tables:
        region.launch(table, checked=True)
    function(messages.deployment("Create", cloudformation.url))
    region.kill(region.nats["a"])
    function(messages.terminated(region, region.nats["a"]))
    function(messages.launched(region, region.replace(region.nats["a"])))
    region.point("a", NetworkInterfaceId=region.interface(region.nats["b"]))
    function(messages.SWEEP)
    region.autoscaling.set_instance_health(InstanceId=region.nats["b"], HealthStatus="Unhealthy")
    shows_waiting(function, region.nats["b"])
    function(messages.terminating(region, region.nats["b"]))
    shows_waiting(function, region.nats["a"])
    function(messages.SWEEP)
    function.wire.edit("DescribeAutoScalingGroups", lambda _: None)
    region.hold_members()
    function(messages.deployment("Delete", cloudformation.url))
    region.empty_group()
    function(messages.release(cloudformation.url, "rtbassoc-00000000000000000"))


@dataclass
class Described:
    """What the ids that EC2 ever showed stood for, although they are gone by now.

    An association is of a subnet and a table, an interface in a subnet.
    """

    associations: dict[str, tuple[str, str]] = field(default_factory=dict)
    interfaces: dict[str, str] = field(default_factory=dict)

    def note_tables(self, answer: dict[str, Any]) -> None:
        """Read an answer of DescribeRouteTables."""
        for table in answer["RouteTables"]:
            for row in table["Associations"]:
                if subnet := row.get("SubnetId"):
                    used = (subnet, table["RouteTableId"])
                    self.associations[row["RouteTableAssociationId"]] = used

    def note_instances(self, answer: dict[str, Any]) -> None:
        """Read an answer of DescribeInstances."""
        for reservation in answer["Reservations"]:
            for instance in reservation["Instances"]:
                for row in instance["NetworkInterfaces"]:
                    self.interfaces[row["NetworkInterfaceId"]] = row["SubnetId"]


@dataclass(frozen=True)
class Translator:
    """Calls, as the requests that IAM decides on: one for each resource that a call touches.

    Sources: the service authorization references of EC2, EC2 Auto Scaling and SNS.
    """

    region: Region
    described: Described

    def requests(self, call: Call) -> Iterator[Request]:
        """Yield what IAM is asked about a call."""
        given, service = call.parameters, "ec2"
        context: dict[str, str] = {}
        match call.operation:
            case "DescribeInstances" | "DescribeRouteTables":
                resources = ["*"]
            case "DescribeAutoScalingGroups":
                service, resources = "autoscaling", ["*"]
            case "CreateRoute" | "ReplaceRoute":
                resources = [self._arn("route-table", given["RouteTableId"])]
            case "ReplaceRouteTableAssociation" | "DisassociateRouteTable":
                subnet, table = self.described.associations[given["AssociationId"]]
                tables = {table, given.get("RouteTableId", table)}
                resources = [self._arn("route-table", id_) for id_ in sorted(tables)]
                resources.append(self._arn("subnet", subnet))
            case "ModifyNetworkInterfaceAttribute":
                resources = [self._arn("network-interface", given["NetworkInterfaceId"])]
                context = self._context_of_check(given)
            case "GetItem" | "PutItem":
                service, resources = "dynamodb", [_memory(given["TableName"], self.region)]
            case (
                "CompleteLifecycleAction"
                | "RecordLifecycleActionHeartbeat"
                | "ResumeProcesses"
                | "SetInstanceProtection"
                | "TerminateInstanceInAutoScalingGroup"
            ):
                service = "autoscaling"
                group = self._group(given.get("AutoScalingGroupName", self.region.group))
                resources = [group["AutoScalingGroupARN"]]
            case "Publish":
                service, resources = "sns", [given["TopicArn"]]
            case unknown:
                pytest.fail(f"which resources does {unknown} touch?")
        for resource in resources:
            yield Request(action=f"{service}:{call.operation}", resource=resource, context=context)

    def _arn(self, kind: str, id_: str) -> str:
        return f"arn:aws:ec2:{self.region.name}:{ACCOUNT}:{kind}/{id_}"

    def _context_of_check(self, given: Mapping[str, Any]) -> dict[str, str]:
        subnet = self.described.interfaces[given["NetworkInterfaceId"]]
        return {
            "ec2:Attribute/SourceDestCheck": str(given["SourceDestCheck"]["Value"]).lower(),
            "ec2:Subnet": self._arn("subnet", subnet),
        }

    def _group(self, name: str) -> Any:  # noqa: ANN401 - boto3's shape
        found = self.region.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])
        return found["AutoScalingGroups"][0]


def _policies(variant: str, region: Region) -> list[dict[str, Any]]:
    homes = [(home.table, home.private[0], home.public) for home in region.homes.values()]
    return role_policies(
        variant,
        region=region.name,
        homes=homes,
        topic=region.topic,
        memory=_memory(region.memory, region),
    )


def _memory(table: str, region: Region) -> str:
    return f"arn:aws:dynamodb:{region.name}:{ACCOUNT}:table/{table}"


@pytest.mark.parametrize(
    ("variant", "strategy", "operations"),
    [
        (
            "default",
            Strategy.REPLACE_ROUTE,
            READS | WRITES | BESIDE | {"DisassociateRouteTable"},
        ),
        ("swap-route-table", Strategy.SWAP_ROUTE_TABLE, READS | WRITES | SWAPS | BESIDE),
    ],
)
def test_role_allows_every_call_of_a_stacks_life_and_none_when_it_is_on_another_stack(
    variant: str,
    strategy: Strategy,
    operations: set[str],
    deploy: Deploy,
    cloudformation: CloudFormation,
) -> None:
    """The same calls on another stack's tables, subnets, instances, group and topic are refused."""

    def requests(region: Region) -> list[Request]:
        function = deploy(replace(region.settings, strategy=strategy))
        described = Described()
        function.wire.edit("DescribeRouteTables", described.note_tables)
        function.wire.edit("DescribeInstances", described.note_instances)
        _live(region, function, cloudformation)
        translate = Translator(region, described)
        assert {call.operation for call in function.wire.calls} == operations
        return [r for call in function.wire.calls for r in translate.requests(call)]

    ours, theirs = Region(stack="NatFailover"), Region(stack="Other")
    own, foreign = requests(ours), requests(theirs)

    answers = evaluate(_policies(variant, ours), own + foreign)

    allowed = [request for request, yes in zip(own + foreign, answers, strict=True) if yes]
    assert allowed == own + [request for request in foreign if request.resource == "*"]
