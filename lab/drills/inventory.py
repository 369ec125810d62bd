"""What exists in the region, so that what a stack leaves behind can be named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.emulator.region import Region

_LISTED: tuple[tuple[str, str, str, str], ...] = (
    ("ec2", "describe_vpcs", "Vpcs", "VpcId"),
    ("ec2", "describe_subnets", "Subnets", "SubnetId"),
    ("ec2", "describe_route_tables", "RouteTables", "RouteTableId"),
    ("ec2", "describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    ("ec2", "describe_security_groups", "SecurityGroups", "GroupId"),
    ("ec2", "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId"),
    ("ec2", "describe_nat_gateways", "NatGateways", "NatGatewayId"),
    ("ec2", "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
    ("ec2", "describe_launch_templates", "LaunchTemplates", "LaunchTemplateId"),
    ("ec2", "describe_addresses", "Addresses", "AllocationId"),
    ("ec2", "describe_volumes", "Volumes", "VolumeId"),
    (
        "autoscaling",
        "describe_auto_scaling_groups",
        "AutoScalingGroups",
        "AutoScalingGroupName",
    ),
    (
        "autoscaling",
        "describe_launch_configurations",
        "LaunchConfigurations",
        "LaunchConfigurationName",
    ),
    ("lambda", "list_functions", "Functions", "FunctionName"),
    ("sns", "list_topics", "Topics", "TopicArn"),
    ("sns", "list_subscriptions", "Subscriptions", "SubscriptionArn"),
    ("events", "list_rules", "Rules", "Name"),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("iam", "list_roles", "Roles", "RoleName"),
    ("iam", "list_instance_profiles", "InstanceProfiles", "InstanceProfileName"),
)


def inventory(region: Region) -> frozenset[str]:
    """Return the id of everything that exists; what is only still shown as deleted does not."""
    found = {
        str(row[key])
        for service, call, rows, key in _LISTED
        for row in getattr(region.client(service), call)().get(rows, [])
        if row.get("State") != "deleted"
    }
    found |= set(region.client("sqs").list_queues().get("QueueUrls", []))
    found |= set(region.client("dynamodb").list_tables()["TableNames"])
    reservations = region.client("ec2").describe_instances()["Reservations"]
    return frozenset(found | {row["InstanceId"] for row in _living(reservations)})


def _living(reservations: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    instances = [instance for row in reservations for instance in row["Instances"]]
    return [row for row in instances if row["State"]["Name"] != "terminated"]
