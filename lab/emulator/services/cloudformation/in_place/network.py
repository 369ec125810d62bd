"""Changes of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.emulator.services.cloudformation.in_place.update import done_already

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.emulator.services.cloudformation.in_place.update import Handler, Update


def _tags(update: Update) -> None:
    _tag(update, update.id)


def _tags_of_address(update: Update) -> None:
    """Tag an Elastic IP by its allocation: its physical id is the address."""
    _tag(update, update.there.resource.allocation_id)


def _tag(update: Update, id_: str) -> None:
    ec2 = update.client("ec2")
    if gone := [{"Key": row["Key"]} for row in update.gone("Tags")]:
        ec2.delete_tags(Resources=[id_], Tags=gone)
    if come := update.come("Tags"):
        ec2.create_tags(Resources=[id_], Tags=come)


def _names(update: Update) -> None:
    ec2 = update.client("ec2")
    for name in ("EnableDnsSupport", "EnableDnsHostnames"):
        wanted = {"Value": _true(update.new.get(name, name == "EnableDnsSupport"))}
        ec2.modify_vpc_attribute(VpcId=update.id, **{name: wanted})


def _addresses(update: Update) -> None:
    wanted = {"Value": _true(update.new.get("MapPublicIpOnLaunch", False))}
    update.client("ec2").modify_subnet_attribute(SubnetId=update.id, MapPublicIpOnLaunch=wanted)


def _target(update: Update) -> None:
    names = ("RouteTableId", "DestinationCidrBlock", *_TARGETS)
    given = {name: update.new[name] for name in names if name in update.new}
    update.client("ec2").replace_route(**given)


def _attachment(update: Update) -> None:
    ec2 = update.client("ec2")
    for verb, gateway in (
        (ec2.detach_internet_gateway, update.old["InternetGatewayId"]),
        (ec2.attach_internet_gateway, update.new["InternetGatewayId"]),
    ):
        with done_already("Gateway.NotAttached", "Resource.AlreadyAssociated"):
            verb(InternetGatewayId=gateway, VpcId=update.new["VpcId"])


def _endpoint(update: Update) -> None:
    update.client("ec2").modify_vpc_endpoint(
        VpcEndpointId=update.id,
        AddRouteTableIds=update.come("RouteTableIds"),
        RemoveRouteTableIds=update.gone("RouteTableIds"),
    )


def _ingress(update: Update) -> None:
    ec2 = update.client("ec2")
    if gone := [_permission(rule) for rule in update.gone("SecurityGroupIngress")]:
        with done_already("InvalidPermission.NotFound"):
            ec2.revoke_security_group_ingress(GroupId=update.id, IpPermissions=gone)
    if come := [_permission(rule) for rule in update.come("SecurityGroupIngress")]:
        with done_already("InvalidPermission.Duplicate"):
            ec2.authorize_security_group_ingress(GroupId=update.id, IpPermissions=come)


def _permission(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return a rule as the API takes it, without its description, as moto makes rules of stacks."""
    permission: dict[str, Any] = {"IpProtocol": str(rule["IpProtocol"])}
    permission |= {name: int(rule[name]) for name in ("FromPort", "ToPort") if name in rule}
    if "CidrIp" in rule:
        permission["IpRanges"] = [{"CidrIp": rule["CidrIp"]}]
    if "SourceSecurityGroupId" in rule:
        permission["UserIdGroupPairs"] = [{"GroupId": rule["SourceSecurityGroupId"]}]
    return permission


def _true(value: object) -> bool:
    return str(value).lower() == "true"


_TARGETS = (
    "GatewayId",
    "InstanceId",
    "NatGatewayId",
    "NetworkInterfaceId",
    "VpcPeeringConnectionId",
)

TABLE: dict[str, dict[str, Handler]] = {
    "AWS::EC2::VPC": {"Tags": _tags, "EnableDnsSupport": _names, "EnableDnsHostnames": _names},
    "AWS::EC2::EIP": {"Tags": _tags_of_address},
    "AWS::EC2::Subnet": {"Tags": _tags, "MapPublicIpOnLaunch": _addresses},
    "AWS::EC2::RouteTable": {"Tags": _tags},
    "AWS::EC2::InternetGateway": {"Tags": _tags},
    "AWS::EC2::SecurityGroup": {"Tags": _tags, "SecurityGroupIngress": _ingress},
    "AWS::EC2::Route": dict.fromkeys(_TARGETS, _target),
    "AWS::EC2::VPCGatewayAttachment": {"InternetGatewayId": _attachment},
    "AWS::EC2::VPCEndpoint": {"RouteTableIds": _endpoint},
}
