"""What faults do to subnets, tables, routes and members, through the emulated region's API.

The elder faults' actions are in `lab.drills.injectors.context`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lab.drills.boots import forwarding
from lab.drills.topology import DEFAULT
from lab.emulator.services.ec2 import volume_keys

if TYPE_CHECKING:
    from lab.drills.injectors.context import FaultContext

_STANDBY = "standby"


def tamper(context: FaultContext, option: str | None) -> None:
    """Delete the default route of a zone's table, or let that of the first one lead elsewhere."""
    table = context.home(option).table
    route = {"RouteTableId": table, "DestinationCidrBlock": DEFAULT}
    match option:
        case "elsewhere":
            instance = _foreign_instance(context)
            context.say(f"point the default route of {table} to {instance}, no NAT of this stack")
            interface = _describe(context, instance)["NetworkInterfaces"][0]["NetworkInterfaceId"]
            context.ec2.replace_route(**route, NetworkInterfaceId=interface)
        case "gateway":
            gateway = _internet_gateway(context)
            context.say(f"point the default route of {table} to the internet gateway {gateway}")
            context.ec2.replace_route(**route, GatewayId=gateway)
        case _:
            context.say(f"delete the default route of {table}")
            context.ec2.delete_route(**route)


def disassociate(context: FaultContext, zone: str | None) -> None:
    """Take a zone's private subnets out of their table, so that the VPC's main one is theirs."""
    home = context.home(zone)
    context.say(f"disassociate {' and '.join(home.subnets)} from {home.table}")
    for association in _associations(context, home.table):
        context.ec2.disassociate_route_table(AssociationId=association)


def delete_table(context: FaultContext, zone: str | None) -> None:
    """Delete a zone's private table; EC2 asks for its subnets to be taken out of it first."""
    table = context.home(zone).table
    disassociate(context, zone)
    context.say(f"delete the route table {table}")
    context.ec2.delete_route_table(RouteTableId=table)


def protect(context: FaultContext, _: str | None) -> None:
    """Protect every NAT from scale-in."""
    group, members = _group(context)
    context.say(f"protect {' and '.join(members)} from scale-in")
    context.region.client("autoscaling").set_instance_protection(
        AutoScalingGroupName=group, InstanceIds=members, ProtectedFromScaleIn=True
    )


def stand_by(context: FaultContext, zone: str | None) -> None:
    """Put the NAT that serves a zone into standby, without another one in its place."""
    if nat := context.nat(zone):
        group, _ = _group(context)
        context.say(f"put {nat} into standby")
        context.region.client("autoscaling").enter_standby(
            AutoScalingGroupName=group, InstanceIds=[nat], ShouldDecrementDesiredCapacity=True
        )


def back_in_service(context: FaultContext) -> None:
    """Bring every NAT in standby back into service, or end it where its group has no room for it.

    An update of the stack gives the group its size back meanwhile.
    """
    group, waiting = _group(context, _STANDBY)
    autoscaling = context.region.client("autoscaling")
    for nat in waiting:
        context.say(f"bring {nat} back into service")
        try:
            autoscaling.exit_standby(AutoScalingGroupName=group, InstanceIds=[nat])
        except ClientError:
            context.say(f"terminate {nat}, for which its group has no room")
            autoscaling.terminate_instance_in_auto_scaling_group(
                InstanceId=nat, ShouldDecrementDesiredCapacity=False
            )


def lose_address(context: FaultContext, zone: str | None) -> None:
    """Take the public address from the NAT that serves a zone."""
    if instance := context.instance(zone):
        context.say(f"take the public address of {instance.id} away")
        forwarding.lose_address(context.region.aws, instance)


def end_addressless(context: FaultContext) -> None:
    """Terminate every NAT without a public address, as a person who was told of it does."""
    _, members = _group(context)
    bare = [nat for nat in members if "PublicIpAddress" not in _describe(context, nat)]
    if bare:
        context.say(f"terminate {' and '.join(bare)}, without a public address")
        context.ec2.terminate_instances(InstanceIds=bare)


def lose_gateway(context: FaultContext, zone: str | None) -> None:
    """Delete the default route of the public subnet of the NAT that serves a zone."""
    if instance := context.instance(zone):
        table = _table_of(context, str(instance.subnet_id))
        context.say(f"delete the default route of {table}, the table of {instance.subnet_id}")
        context.ec2.delete_route(RouteTableId=table, DestinationCidrBlock=DEFAULT)


def restore_gateway(context: FaultContext) -> None:
    """Lead every subnet of the group that has no default route to the internet gateway again."""
    (group,) = context.region.client("autoscaling").describe_auto_scaling_groups()[
        "AutoScalingGroups"
    ]
    subnets = group["VPCZoneIdentifier"].split(",")
    for table in sorted({_table_of(context, subnet) for subnet in subnets}):
        routes = _table(context, table)["Routes"]
        if not any(route.get("DestinationCidrBlock") == DEFAULT for route in routes):
            context.say(f"lead {table} to the internet gateway again")
            context.ec2.create_route(
                RouteTableId=table,
                DestinationCidrBlock=DEFAULT,
                GatewayId=_internet_gateway(context),
            )


def lose_volume_key(context: FaultContext, _: str | None) -> None:
    """Let the account's default key for volumes be unusable."""
    context.say("the account's default key for volumes cannot be used")
    volume_keys.lose_volume_key(context.region.aws)


def restore_volume_key(context: FaultContext) -> None:
    """Let the key be usable again."""
    context.say("the account's default key for volumes can be used again")
    volume_keys.restore_volume_key(context.region.aws)


def _foreign_instance(context: FaultContext) -> str:
    """Launch an instance beside a NAT that is no member of the group, as another team might."""
    _, members = _group(context)
    nat = _describe(context, members[0])
    launched = context.ec2.run_instances(
        ImageId=nat["ImageId"],
        InstanceType=nat["InstanceType"],
        SubnetId=nat["SubnetId"],
        MinCount=1,
        MaxCount=1,
    )
    return str(launched["Instances"][0]["InstanceId"])


def _describe(context: FaultContext, instance: str) -> dict[str, Any]:
    found = context.ec2.describe_instances(InstanceIds=[instance])["Reservations"]
    row: dict[str, Any] = found[0]["Instances"][0]
    return row


def _internet_gateway(context: FaultContext) -> str:
    """Return the gateway of the stack's VPC."""
    vpc = _table(context, context.home(None).table)["VpcId"]
    found = context.ec2.describe_internet_gateways(
        Filters=[{"Name": "attachment.vpc-id", "Values": [vpc]}]
    )
    return str(found["InternetGateways"][0]["InternetGatewayId"])


def _associations(context: FaultContext, table: str) -> list[str]:
    rows = _table(context, table)["Associations"]
    return [row["RouteTableAssociationId"] for row in rows if row.get("SubnetId")]


def _table_of(context: FaultContext, subnet: str) -> str:
    """Return the id of the table that a subnet uses."""
    rows = [{"Name": "association.subnet-id", "Values": [subnet]}]
    (table,) = context.ec2.describe_route_tables(Filters=rows)["RouteTables"]
    return str(table["RouteTableId"])


def _table(context: FaultContext, table: str) -> dict[str, Any]:
    (row,) = context.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
    found: dict[str, Any] = row
    return found


def _group(context: FaultContext, state: str = "inservice") -> tuple[str, list[str]]:
    """Return the group's name, and its members in a state."""
    groups = context.region.client("autoscaling").describe_auto_scaling_groups()[
        "AutoScalingGroups"
    ]
    members = [
        row["InstanceId"]
        for row in groups[0]["Instances"]
        if row["LifecycleState"].lower() == state
    ]
    return groups[0]["AutoScalingGroupName"], members
