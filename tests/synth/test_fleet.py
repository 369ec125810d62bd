"""The NAT instances and their group."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from cdk_nat_failover.instances.nat_user_data import FOLDER
from stacks.settings.reader import read_settings
from tests.synth.template import OWN_NETWORKS, VARIANTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.synth.template import Template

GROUP = "AWS::AutoScaling::AutoScalingGroup"
CONFIGURATION = "AWS::AutoScaling::LaunchConfiguration"
TEMPLATE = "AWS::EC2::LaunchTemplate"


def test_group_keeps_two_of_one_to_two_instances(default: Template) -> None:
    """Minimum 1, maximum 2, desired 2."""
    group = default.properties(GROUP)
    assert (group["MinSize"], group["MaxSize"], group["DesiredCapacity"]) == ("1", "2", "2")


@pytest.mark.parametrize("variant", OWN_NETWORKS)
def test_group_is_over_the_public_subnets(
    variant: str, synthesize: Callable[[str], Template]
) -> None:
    """In every zone that has a public subnet."""
    template = synthesize(variant)
    group = template.properties(GROUP)
    assert {subnet["Ref"] for subnet in group["VPCZoneIdentifier"]} == {
        name for name in template.resources("AWS::EC2::Subnet") if "Public" in name
    }


def test_group_is_over_the_named_subnets_of_an_existing_vpc(
    synthesize: Callable[[str], Template],
) -> None:
    """There is a NAT for each, and no resource of the network is made."""
    template = synthesize("existing-vpc")
    group, named = template.properties(GROUP), VARIANTS["existing-vpc"]["network"]
    assert group["VPCZoneIdentifier"] == named["public_subnets"]
    assert (group["MinSize"], group["DesiredCapacity"]) == ("1", "2")
    made = {r["Type"] for r in template.body["Resources"].values() if "::EC2::" in r["Type"]}
    assert made == {"AWS::EC2::LaunchTemplate", "AWS::EC2::SecurityGroup"}


def test_group_suspends_no_scaling_process(template: Template) -> None:
    """A suspended process would leave a dead NAT dead, for as long as an update takes or longer."""
    assert "SuspendProcesses" not in json.dumps(template.resources(GROUP))


def test_update_replaces_one_instance_at_a_time_and_waits_for_its_signal(
    template: Template,
) -> None:
    """It fails without one, before it ends another NAT: a quarter of an hour after the drain."""
    (group,) = template.resources(GROUP).values()
    assert group["UpdatePolicy"] == {
        "AutoScalingRollingUpdate": {
            "MaxBatchSize": 1,
            "MinInstancesInService": 1,
            "PauseTime": "PT20M",
            "WaitOnResourceSignals": True,
        }
    }


def test_creation_waits_for_each_instance_and_not_for_hours(template: Template) -> None:
    """CloudFormation itself would wait for a group that never gets its size."""
    (group,) = template.resources(GROUP).values()
    signals = {"Count": int(group["Properties"]["DesiredCapacity"]), "Timeout": "PT15M"}
    assert group["CreationPolicy"] == {"ResourceSignal": signals}


def test_group_launches_before_it_terminates(template: Template) -> None:
    """By its maintenance policy: in refreshes, for the unhealthy and for those that are too old."""
    assert template.properties(GROUP)["InstanceMaintenancePolicy"] == {
        "MinHealthyPercentage": 100,
        "MaxHealthyPercentage": 150,
    }


def test_group_prefers_two_instances_in_one_zone_to_one_instance(template: Template) -> None:
    """Which is the default distribution: without capacity in a zone, the other one gets both."""
    assert "AvailabilityZoneDistribution" not in template.properties(GROUP)


def test_instance_may_signal_its_own_stack_alone(template: Template) -> None:
    """And says so of the group, by the names that the template gives them."""
    (signal,) = (row for row in _instance_statements(template) if row["Sid"] == "Signal")
    assert signal["Action"] == "cloudformation:SignalResource"
    assert signal["Resource"] == {"Ref": "AWS::StackId"}
    script = _script(template)
    assert "stack=NatFailover\n" in script
    assert f"resource={template.logical_id(GROUP)}\n" in script


def test_launch_template_is_named_by_its_content(
    default: Template, synthesize: Callable[[str], Template]
) -> None:
    """A text of its own, the image and the security group, and the stack that it is for."""
    names = [
        template.properties(TEMPLATE)["LaunchTemplateName"]["Fn::Join"]
        for template in (
            default,
            synthesize("customer-key"),
            synthesize("own-image-with-sessions-and-emails"),
        )
    ]
    same, also, other = (name[1][0] for name in names)
    assert same == also
    assert same != other
    separator, (_, image, security_group, stack) = names[0]
    assert separator == "-"
    assert image == _launch_data(default)["ImageId"]
    assert security_group == _launch_data(default)["NetworkInterfaces"][0]["Groups"][0]
    assert stack == {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}


def test_launch_template_has_a_name_that_ec2_takes(default: Template) -> None:
    """At most 128 characters, with the longest ids of images, groups and stacks."""
    text = default.properties(TEMPLATE)["LaunchTemplateName"]["Fn::Join"][1][0]
    longest = "-".join([text, "ami-0123456789abcdef0", "sg-0123456789abcdef0", str(UUID(int=0))])
    assert re.fullmatch(r"[a-zA-Z0-9().\-/_]{3,128}", longest)


def test_platform_forgets_idle_flows_after_the_instance_does(default: Template) -> None:
    """Then the instance answers what comes too late, and not the platform by silence."""
    (interface,) = _launch_data(default)["NetworkInterfaces"]
    sysctl = (FOLDER / "sysctl.conf").read_text(encoding="utf-8")
    (own,) = re.findall(r"nf_conntrack_tcp_timeout_established = (\d+)", sysctl)
    timeout = interface["ConnectionTrackingSpecification"]["TcpEstablishedTimeout"]
    assert int(own) < timeout <= 432_000


def test_group_tells_the_topic_of_every_launch_and_termination(template: Template) -> None:
    """The four types that Auto Scaling has, the test notification aside."""
    (notification,) = template.properties(GROUP)["NotificationConfigurations"]
    assert notification == {
        "NotificationTypes": [
            "autoscaling:EC2_INSTANCE_LAUNCH",
            "autoscaling:EC2_INSTANCE_LAUNCH_ERROR",
            "autoscaling:EC2_INSTANCE_TERMINATE",
            "autoscaling:EC2_INSTANCE_TERMINATE_ERROR",
        ],
        "TopicARN": {"Ref": template.logical_id("AWS::SNS::Topic", "NatFailed")},
    }


def test_group_waits_for_its_listener_and_for_the_way_out(template: Template) -> None:
    """The first launches reach who listens by then, and boot needs the internet."""
    (group,) = template.resources(GROUP).values()
    needed = {
        template.logical_id("AWS::Lambda::Function"),
        template.logical_id("AWS::Lambda::Permission", "TopicMayInvoke"),
        template.logical_id("AWS::SNS::Subscription", "FailoverSubscription"),
        template.logical_id("AWS::SNS::TopicPolicy", "NatFailed"),
        *template.resources("AWS::EC2::Route"),
        *(
            name
            for name in template.resources("AWS::EC2::SubnetRouteTableAssociation")
            if "Public" in name
        ),
    }
    assert needed <= set(group["DependsOn"])


def test_instance_carries_the_tag_by_which_the_function_knows_it(template: Template) -> None:
    """The tag is set at launch, so there is no instance without it."""
    assert {
        "Key": "nat-failover:stack",
        "Value": "NatFailover",
        "PropagateAtLaunch": True,
    } in template.properties(GROUP)["Tags"]


def test_launch_template_is_the_default(default: Template) -> None:
    """Most accounts may not create a launch configuration."""
    assert default.resources(CONFIGURATION) == {}
    name = default.logical_id(TEMPLATE)
    assert default.properties(GROUP)["LaunchTemplate"] == {
        "LaunchTemplateId": {"Ref": name},
        "Version": {"Fn::GetAtt": [name, "LatestVersionNumber"]},
    }


def test_launch_configuration_is_literal_when_asked_for(
    synthesize: Callable[[str], Template],
) -> None:
    """`launch: configuration` makes an AWS::AutoScaling::LaunchConfiguration and no template."""
    template = synthesize("launch-configuration")
    assert template.resources(TEMPLATE) == {}
    assert template.properties(GROUP)["LaunchConfigurationName"] == {
        "Ref": template.logical_id(CONFIGURATION)
    }
    assert "LaunchTemplate" not in template.properties(GROUP)


def test_launch_configuration_says_what_the_template_says(
    default: Template, synthesize: Callable[[str], Template]
) -> None:
    """The two ways to launch make the same instance, as far as both can."""
    data = default.properties(TEMPLATE)["LaunchTemplateData"]
    (interface,) = data["NetworkInterfaces"]
    (disk,) = data["BlockDeviceMappings"]
    profile, _ = data["IamInstanceProfile"]["Arn"]["Fn::GetAtt"]
    configuration = synthesize("launch-configuration").properties(CONFIGURATION)
    assert configuration == {
        **{key: value for key, value in data.items() if key != "NetworkInterfaces"},
        # What a launch configuration cannot say: the key of the disk, and of the metadata the tags.
        "BlockDeviceMappings": [{**disk, "Ebs": _without(disk["Ebs"], "KmsKeyId")}],
        "MetadataOptions": _without(data["MetadataOptions"], "InstanceMetadataTags"),
        "IamInstanceProfile": {"Ref": profile},
        "AssociatePublicIpAddress": interface["AssociatePublicIpAddress"],
        "SecurityGroups": interface["Groups"],
        "InstanceMonitoring": False,
    }


def test_instance_is_hardened(template: Template) -> None:
    """Tokens only, no hop, an encrypted disk as large as the image's snapshot, and no key pair."""
    data = _launch_data(template)
    metadata = {"HttpEndpoint": "enabled", "HttpPutResponseHopLimit": 1, "HttpTokens": "required"}
    disk = {"Encrypted": True, "VolumeType": "gp3"}
    if template.resources(TEMPLATE):
        metadata["InstanceMetadataTags"] = "disabled"
        disk["KmsKeyId"] = "alias/aws/ebs"
    assert data["MetadataOptions"] == metadata
    assert [row["Ebs"] for row in data["BlockDeviceMappings"]] == [disk]
    assert "KeyName" not in data


def test_instance_has_a_public_address(template: Template) -> None:
    """A NAT without one has no way out."""
    data = _launch_data(template)
    interface = data.get("NetworkInterfaces", [data])[0]
    assert interface["AssociatePublicIpAddress"] is True


@pytest.mark.parametrize("variant", VARIANTS)
def test_security_group_admits_the_vpc_and_what_is_served_and_nothing_else(
    variant: str, synthesize: Callable[[str], Template]
) -> None:
    """All protocols from each CIDR: no port is open to the world."""
    template, network = synthesize(variant), read_settings(VARIANTS[variant]).network
    rules = template.properties("AWS::EC2::SecurityGroup")["SecurityGroupIngress"]
    assert [(rule["CidrIp"], rule["IpProtocol"]) for rule in rules] == [
        (str(cidr), "-1") for cidr in (*network.cidrs, *network.served_cidrs)
    ]
    assert template.resources("AWS::EC2::SecurityGroupIngress") == {}


def test_network_has_each_cidr_of_the_settings(synthesize: Callable[[str], Template]) -> None:
    """The instances learn of them from the metadata service, and translate them all."""
    template = synthesize("more-networks")
    blocks = template.resources("AWS::EC2::VPCCidrBlock").values()
    assert [row["Properties"]["CidrBlock"] for row in blocks] == ["100.64.0.0/16", "10.1.0.0/16"]


def test_image_is_a_parameter_of_a_pinned_kernel_line(default: Template) -> None:
    """CloudFormation reads the parameter when it deploys; the kernel line does not move."""
    name = "NatImageal2023amikernel612arm64"
    image = default.body["Parameters"][name]
    assert image["Type"] == "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>"
    assert image["Default"].endswith("/al2023-ami-kernel-6.12-arm64")
    assert _launch_data(default)["ImageId"] == {"Ref": name}


def test_image_is_ones_own_when_given(synthesize: Callable[[str], Template]) -> None:
    """The settings name an image and its architecture."""
    template = synthesize("own-image-with-sessions-and-emails")
    assert _launch_data(template)["ImageId"] == "ami-0123456789abcdef0"
    assert not [name for name in template.body["Parameters"] if name.startswith("NatImage")]


def test_user_data_is_the_boot_script_for_the_stack(template: Template) -> None:
    """The instances know their group and its hook as the template names them."""
    script = _script(template)
    group = template.properties(GROUP)
    hook, _ = group["LifecycleHookSpecificationList"]
    assert script.startswith("#!/bin/bash\n")
    assert f"group={group['AutoScalingGroupName']}\n" in script
    assert f"hook={hook['LifecycleHookName']}\n" in script


def test_instance_is_told_where_its_claims_go_and_where_the_ring_is(default: Template) -> None:
    """The topic by its ARN and the table by its name, which the deployment knows."""
    script = _script(default)
    assert "watch=on\n" in script
    assert f"topic='<{default.logical_id('AWS::SNS::Topic', 'NatFailed')}>'\n" in script
    assert f"table='<{default.logical_id('AWS::DynamoDB::Table')}>'\n" in script


def test_instance_is_told_of_no_topic_and_no_table_when_it_does_not_watch(
    synthesize: Callable[[str], Template],
) -> None:
    """Then nothing of them is in the launch template, and it changes with neither."""
    script = _script(synthesize("unwatched"))
    assert [line for line in script.splitlines() if line.startswith(("topic=", "table="))] == []
    assert "watch=on\n" not in script


def test_group_holds_each_launch_until_the_instance_says_that_it_forwards(
    template: Template,
) -> None:
    """The hook is in the group's own list, so it holds the first launches too."""
    hook, _ = template.properties(GROUP)["LifecycleHookSpecificationList"]
    assert hook == {
        "DefaultResult": "ABANDON",
        "HeartbeatTimeout": 420,
        "LifecycleHookName": "proven-to-forward",
        "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING",
    }
    assert template.resources("AWS::AutoScaling::LifecycleHook") == {}


def test_instance_may_complete_launches_of_its_own_group_alone(template: Template) -> None:
    """One statement names the group; watch and sessions make others beside the stack's."""
    statements = {row["Sid"]: row for row in _instance_statements(template)}
    group = template.properties(GROUP)["AutoScalingGroupName"]
    launch = statements.pop("Launch")
    assert (launch["Action"], launch["Effect"]) == ("autoscaling:CompleteLifecycleAction", "Allow")
    assert (
        json.dumps(launch["Resource"]).count(f":autoScalingGroup:*:autoScalingGroupName/{group}")
        == 1
    )
    assert statements.keys() <= {"Signal", "Claims", "Ring", "Code", "Encrypt", "Register", "Talk"}


def test_instance_may_publish_claims_and_read_the_ring_while_it_watches(
    synthesize: Callable[[str], Template],
) -> None:
    """By the topic, the table's one item and, for SNS alone, the key."""
    template = synthesize("customer-key")
    statements = {row["Sid"]: row for row in _instance_statements(template)}
    assert {sid: statements[sid]["Action"] for sid in ("Claims", "Ring", "Encrypt")} == {
        "Claims": "sns:Publish",
        "Ring": "dynamodb:GetItem",
        "Encrypt": ["kms:Decrypt", "kms:GenerateDataKey"],
    }
    assert {sid: statements[sid]["Resource"] for sid in ("Claims", "Ring", "Encrypt")} == {
        "Claims": {"Ref": template.logical_id("AWS::SNS::Topic", "NatFailed")},
        "Ring": {"Fn::GetAtt": [template.logical_id("AWS::DynamoDB::Table"), "Arn"]},
        "Encrypt": {"Fn::GetAtt": [template.logical_id("AWS::KMS::Key"), "Arn"]},
    }
    assert statements["Ring"]["Condition"] == {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["peers"]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }
    assert statements["Encrypt"]["Condition"].keys() == {"StringEquals"}


def test_instance_may_say_nothing_of_its_peers_when_it_does_not_watch(
    synthesize: Callable[[str], Template],
) -> None:
    """`watch: false` leaves the launch and the stack's signal, also beside a customer key."""
    sids = [row["Sid"] for row in _instance_statements(synthesize("unwatched"))]
    assert sids == ["Launch", "Signal"]


def test_instance_may_open_sessions_and_nothing_more_when_asked_for(
    synthesize: Callable[[str], Template],
) -> None:
    """`session_manager: true` gives the instance the actions of Session Manager's channels."""
    template = synthesize("own-image-with-sessions-and-emails")
    sessions = _instance_statements(template)[-2:]
    assert [statement["Action"] for statement in sessions] == [
        "ssm:UpdateInstanceInformation",
        [
            "ssmmessages:CreateControlChannel",
            "ssmmessages:CreateDataChannel",
            "ssmmessages:OpenControlChannel",
            "ssmmessages:OpenDataChannel",
        ],
    ]


def _without(given: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key != name}


def _instance_statements(template: Template) -> list[dict[str, Any]]:
    role = template.properties("AWS::IAM::Role", "Fleet")
    assert "ManagedPolicyArns" not in role
    (policy,) = role["Policies"]
    return list(policy["PolicyDocument"]["Statement"])


def _script(template: Template) -> str:
    """Return the user data, with the names of what only a deployment knows."""
    written = _launch_data(template)["UserData"]["Fn::Base64"]
    parts = [written] if isinstance(written, str) else written["Fn::Join"][1]
    return "".join(part if isinstance(part, str) else f"<{_name(part)}>" for part in parts)


def _name(part: dict[str, str]) -> str:
    """Return the one value of a part that only a deployment knows: a name, or a text with names."""
    (name,) = part.values()
    return name


def _launch_data(template: Template) -> dict[str, Any]:
    if template.resources(CONFIGURATION):
        return dict(template.properties(CONFIGURATION))
    return dict(template.properties(TEMPLATE)["LaunchTemplateData"])
