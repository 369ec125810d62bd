"""The constructs as others use them: in their stacks, with the CDK's own VPC, from a wheel."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from cfnlint.api import lint  # type: ignore[import-untyped] # it ships no types
from constructs import Construct

import cdk_nat_failover
from cdk_nat_failover import (
    AmiOptions,
    FailoverOptions,
    InstanceOptions,
    NatFailover,
    NatFailoverProvider,
    NatNetwork,
    NetworkOptions,
    NewNetwork,
    OptionsError,
)
from cdk_nat_failover.address import Address
from nat_failover.contract import Metric, Strategy
from tests.synth.template import VARIANTS, Template
from tests.wheel import ROOT, install

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES = sorted(path.parent.name for path in (ROOT / "examples").glob("*/app.py"))
PROGRAMS = re.findall(
    r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL
)
GROUP = "AWS::AutoScaling::AutoScalingGroup"
ALL_TRAFFIC = ec2.Port.all_traffic()
NANO = ec2.InstanceType("t4g.nano")
WITH_EGRESS = [
    ec2.SubnetConfiguration(name="Public", subnet_type=ec2.SubnetType.PUBLIC),
    ec2.SubnetConfiguration(name="Private", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
]


def any_stack() -> cdk.Stack:
    """Return a stack of somebody's app, without a feature flag of ours."""
    return cdk.Stack(cdk.App(), "Theirs")


def template_of(stack: cdk.Stack) -> Template:
    """Synthesize a stack."""
    app = stack.node.root
    assert isinstance(app, cdk.App)
    body = app.synth().get_stack_by_name(stack.stack_name).template
    return Template(body=body, app=app, directory=Path(app.outdir))


def warnings(stack: cdk.Stack) -> list[str]:
    """Return what synthesis warns of."""
    found = cdk.assertions.Annotations.from_stack(stack).find_warning(
        "*", cdk.assertions.Match.any_value()
    )
    return [str(row.entry.data) for row in found]


def ingress(template: Template) -> list[dict[str, Any]]:
    """Return the rules of the NATs' security group."""
    rules: list[dict[str, Any]] = template.properties("AWS::EC2::SecurityGroup", "NatFailover")[
        "SecurityGroupIngress"
    ]
    return rules


def with_provider(provider: NatFailoverProvider, **vpc: Any) -> tuple[cdk.Stack, ec2.Vpc]:  # noqa: ANN401 - as ec2.Vpc takes it
    """Return a stack with a VPC that the provider gives its NATs."""
    stack = any_stack()
    return stack, ec2.Vpc(stack, "Vpc", nat_gateway_provider=provider, **vpc)


# --- NatFailover ------------------------------------------------------------------------------


def test_construct_needs_a_network_and_nothing_else() -> None:
    """One NAT in each zone, of the smallest type, as the app has it."""
    stack = any_stack()
    NatFailover(stack, "Nat", network=NewNetwork(stack, "Network").network)
    template = template_of(stack)
    group = template.properties(GROUP)
    assert (group["MinSize"], group["DesiredCapacity"], group["MaxSize"]) == ("1", "2", "2")
    launch = template.properties("AWS::EC2::LaunchTemplate")
    assert launch["LaunchTemplateData"]["InstanceType"] == "t4g.nano"
    assert warnings(stack) == []


def test_two_constructs_of_a_stack_share_no_name_and_no_tag() -> None:
    """Group, metrics and tags are called by the stack and by where each construct is."""
    stack = any_stack()
    for name in ("One", "Other"):
        NatFailover(stack, name, network=NewNetwork(stack, f"Network{name}").network)
    template = template_of(stack)
    groups = [row["Properties"] for row in template.resources(GROUP).values()]
    assert {row["AutoScalingGroupName"] for row in groups} == {"Theirs-One-nat", "Theirs-Other-nat"}
    tagged = [{tag["Key"]: tag["Value"] for tag in row["Tags"]} for row in groups]
    assert {tags["nat-failover:stack"] for tags in tagged} == {"Theirs-One", "Theirs-Other"}
    functions = template.resources("AWS::Lambda::Function").values()
    told = [row["Properties"]["Environment"]["Variables"] for row in functions]
    assert {row["NAT_STACK"] for row in told} == {"Theirs-One", "Theirs-Other"}
    alarms = template.resources("AWS::CloudWatch::Alarm").values()
    ours = [row["Properties"] for row in alarms if row["Properties"]["Namespace"] == "NatFailover"]
    assert {row["Dimensions"][0]["Value"] for row in ours} == {"Theirs-One", "Theirs-Other"}


def test_name_ends_with_a_hash_when_the_construct_is_deep() -> None:
    """A group's name has 255 characters at most, and the stack's may have 128 of them."""
    stack = any_stack()
    deep = cdk.aws_ec2.Vpc(stack, "V" * 80, nat_gateways=0)
    for end in ("One", "Other"):
        network = NewNetwork(stack, f"Network{end}").network
        NatFailover(deep, "N" * 60 + end, network=network)
    groups = template_of(stack).resources(GROUP).values()
    names = [row["Properties"]["AutoScalingGroupName"] for row in groups]
    assert len(set(names)) == 2
    assert all(len(name) == len("Theirs-") + 100 + len("-nat") for name in names)


def test_names_differ_where_ids_differ_in_other_characters_only() -> None:
    """A name has letters, digits and hyphens; what an id has besides is in a hash behind it."""
    stack = any_stack()
    ids = ("NatA", "Nat-A", "Nat_A")
    paths = [Address.of(Construct(stack, name)).path for name in ids]
    assert paths[0] == "NatA"
    assert len({path.removeprefix("NatA-") for path in paths}) == len(ids)


def test_construct_refuses_more_tables_than_its_function_can_be_told_of() -> None:
    """Lambda refuses an environment of more than 4 KB, when the stack is deployed."""
    stack = any_stack()
    made = NewNetwork(stack, "Network").network
    homes = tuple(replace(made.homes[0], table=f"rtb-{number}") for number in range(31))
    with pytest.raises(OptionsError, match="has 31 private route tables to serve; allowed"):
        NatFailover(stack, "Nat", network=replace(made, homes=homes))


@pytest.mark.parametrize(
    ("broken", "mistake"),
    [
        (lambda made: made.vpc, "network is a Vpc; allowed: a NatNetwork, such as NewNetwork"),
        (lambda made: replace(made, public_subnets=()), "has no public subnets for NATs; allowed"),
        (lambda made: replace(made, homes=()), "has 0 private route tables to serve; allowed: 1"),
    ],
    ids=["vpc", "no-public-subnets", "no-private-subnets"],
)
def test_construct_refuses_a_network_that_nats_cannot_serve(
    broken: Callable[[NatNetwork], Any], mistake: str
) -> None:
    """Before anything is made of it."""
    stack = any_stack()
    network = broken(NewNetwork(stack, "Network").network)
    with pytest.raises(OptionsError, match=mistake):
        NatFailover(stack, "Nat", network=network)


@pytest.mark.parametrize(
    ("options", "mistake"),
    [
        ({"instance_type": "t4g"}, "instance_type: 't4g'; allowed: an EC2 instance type, such as"),
        (
            {"instance_typ": "t4g.nano"},
            "instance_typ is not an option; allowed: launch, ",
        ),
        (
            {"self_test": ["10.0.0.1"]},
            (
                "self_test: '10.0.0.1': 10.0.0.1 is not an address of a host on the internet;"
                " allowed: null for the Region's endpoints"
            ),
        ),
    ],
    ids=["value", "name", "reason"],
)
def test_options_say_what_is_allowed_when_one_is_mistaken(
    options: dict[str, Any], mistake: str
) -> None:
    """One line for each option."""
    with pytest.raises(OptionsError) as refusal:
        InstanceOptions(**options)
    (line,) = str(refusal.value).splitlines()
    assert line.startswith(mistake)


def test_network_has_two_zones_in_a_stack_whose_region_is_named() -> None:
    """The CDK knows six of us-east-1; one NAT in each would cost three times as much."""
    context = {
        "availability-zones:account=123456789012:region=us-east-1": [
            f"us-east-1{letter}" for letter in "abcdef"
        ]
    }
    environment = cdk.Environment(account="123456789012", region="us-east-1")
    stack = cdk.Stack(cdk.App(context=context), "Theirs", env=environment)
    network = NewNetwork(stack, "Network").network
    assert len(network.public_subnets) == len(network.homes) == 2


def test_vpc_of_a_new_network_lets_other_constructs_select_its_subnets() -> None:
    """A function of theirs in the private subnets, say."""
    stack = any_stack()
    made = NewNetwork(stack, "Network")
    private = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
    found = made.vpc.select_subnets(subnet_type=private.subnet_type).subnet_ids
    expected = [subnet.subnet_id for subnet in made.network.private_subnets]
    assert stack.resolve(found) == stack.resolve(expected)


def test_what_waits_for_a_subnets_way_out_waits_for_the_first_default_route() -> None:
    """As with NAT gateways, whose route is a resource of the template."""
    stack, vpc = with_provider(NatFailoverProvider(instance_type=NANO))
    private = vpc.select_subnets(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
    workload = cdk.CfnResource(stack, "Workload", type="Any::Kind::Workload")
    workload.node.add_dependency(private.internet_connectivity_established)
    template = template_of(stack)
    served = template.logical_id("Custom::DefaultRoutes")
    assert served in template.body["Resources"]["Workload"]["DependsOn"]


@pytest.mark.parametrize(
    ("instance_type", "image"),
    [("t4g.micro", "al2023-ami-kernel-6.12-arm64"), ("t3.micro", "al2023-ami-kernel-6.12-x86_64")],
)
def test_image_follows_the_architecture_of_the_instance_type(
    instance_type: str, image: str
) -> None:
    """Nobody has to name two things that must agree."""
    stack = any_stack()
    NatFailover(
        stack,
        "Nat",
        network=NewNetwork(stack, "Network").network,
        instances=InstanceOptions(instance_type=instance_type),
    )
    parameters = template_of(stack).body["Parameters"]
    (found,) = (row["Default"] for name, row in parameters.items() if "NatImage" in name)
    assert found.endswith(f"/{image}")


@pytest.mark.parametrize(
    ("options", "mistake"),
    [
        (
            {"ami": AmiOptions(id="ami-0123456789abcdef0", architecture="x86_64")},
            (
                "instance_type is 't4g.nano', which is arm64 by its name, but ami is"
                " 'ami-0123456789abcdef0', which is x86_64; allowed: the same architecture"
            ),
        ),
        ({"min": 3}, "min is 3, more than desired, 2; allowed: min <= desired <= max"),
        (
            {"desired": 4, "max": 3},
            "desired is 4, more than max, 3; allowed: min <= desired <= max",
        ),
    ],
    ids=["architecture", "min", "desired"],
)
def test_construct_refuses_options_that_contradict_each_other(
    options: dict[str, Any], mistake: str
) -> None:
    """In the words of the app's settings, with the names of the options."""
    stack = any_stack()
    network = NewNetwork(stack, "Network").network
    with pytest.raises(OptionsError) as refusal:
        NatFailover(stack, "Nat", network=network, instances=InstanceOptions(**options))
    assert str(refusal.value) == mistake


def test_options_take_pythons_own_values() -> None:
    """A list for a tuple, and a network as text or as an object: context alone is read strictly."""
    given = {"cidr": "10.1.0.0/16", "additional_cidrs": ["10.2.0.0/16"]}
    text = NetworkOptions.model_validate(given)
    assert text == NetworkOptions(
        cidr=IPv4Network("10.1.0.0/16"), additional_cidrs=(IPv4Network("10.2.0.0/16"),)
    )


def test_metrics_are_those_that_the_function_reports() -> None:
    """A method for each, of the namespace and dimension that its reports have."""
    stack = any_stack()
    nats = NatFailover(stack, "Nat", network=NewNetwork(stack, "Network").network)
    made = {
        metric: getattr(nats, f"metric_{metric.name.lower()}")()
        for metric in Metric.__members__.values()
    }
    assert {metric: row.metric_name for metric, row in made.items()} == {m: m.value for m in Metric}
    assert {row.namespace for row in made.values()} == {"NatFailover"}
    assert {tuple(row.dimensions.items()) for row in made.values()} == {(("Stack", "Theirs-Nat"),)}


def test_grant_lets_a_principal_publish_to_the_failures_topic_alone() -> None:
    """As a monitor of somebody's would, that has seen a NAT fail."""
    stack = any_stack()
    nats = NatFailover(stack, "Nat", network=NewNetwork(stack, "Network").network)
    role = iam.Role(stack, "Monitor", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    nats.grant_publish(role)
    template = template_of(stack)
    policy = template.properties("AWS::IAM::Policy", "Monitor")["PolicyDocument"]["Statement"]
    topic = template.logical_id("AWS::SNS::Topic", "NatFailed")
    assert policy == [
        {"Action": "sns:Publish", "Effect": "Allow", "Resource": {"Ref": topic}},
    ]


def test_network_may_have_several_private_subnets_in_a_zone() -> None:
    """Each has its table, and the function is told of every one."""
    provider = NatFailoverProvider(instance_type=NANO)
    kinds = [
        ec2.SubnetConfiguration(name="Public", subnet_type=ec2.SubnetType.PUBLIC),
        *(
            ec2.SubnetConfiguration(name=name, subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
            for name in ("Web", "Data")
        ),
    ]
    stack, _ = with_provider(provider, max_azs=2, subnet_configuration=kinds)
    homes = provider.nat_failover.network.homes
    assert len(homes) == 4
    assert len({home.table for home in homes}) == 4
    assert warnings(stack) == []


# --- NatFailoverProvider: what users of cdk-fck-nat do, with another import -------------------


def test_provider_gives_a_vpc_its_nats_by_the_instance_type_alone() -> None:
    """As many as there are public subnets, and no default route in the private tables."""
    stack, _ = with_provider(NatFailoverProvider(instance_type=ec2.InstanceType("t4g.micro")))
    template = template_of(stack)
    assert template.properties(GROUP)["DesiredCapacity"] == "2"
    assert template.resources("AWS::EC2::NatGateway") == {}
    routes = template.resources("AWS::EC2::Route")
    assert {name for name in routes if "Private" in name} == set()
    launch = template.properties("AWS::EC2::LaunchTemplate")["LaunchTemplateData"]
    assert launch["InstanceType"] == "t4g.micro"


def test_provider_makes_one_nat_and_warns_when_the_vpc_has_one_gateway() -> None:
    """It serves the tables of both zones, and an update launches its successor before it ends."""
    provider = NatFailoverProvider(instance_type=NANO)
    stack, _ = with_provider(provider, nat_gateways=1)
    group = template_of(stack).properties(GROUP)
    assert (group["MinSize"], group["DesiredCapacity"], group["MaxSize"]) == ("1", "1", "2")
    assert len(provider.nat_failover.network.homes) == 2
    (warning,) = warnings(stack)
    assert warning.startswith("One NAT instance cannot fail over: when it dies, no private subnet")


@pytest.mark.parametrize(
    "member",
    [
        "auto_scaling_groups",
        "configured_gateways",
        "connections",
        "nat_failover",
        "role",
        "security_group",
    ],
)
def test_provider_says_that_it_has_made_nothing_when_it_is_asked_too_early(member: str) -> None:
    """The members are there as soon as a VPC has the provider."""
    provider = NatFailoverProvider(instance_type=NANO)
    with pytest.raises(ValueError, match=r"has made nothing yet; allowed: give it to a VPC first"):
        getattr(provider, member)
    with_provider(provider)
    assert getattr(provider, member)


def test_provider_is_refused_to_a_second_vpc() -> None:
    """Its members would be those of either VPC."""
    provider = NatFailoverProvider(instance_type=NANO)
    stack, _ = with_provider(provider)
    with pytest.raises(RuntimeError, match="makes the NATs of Theirs/Vpc already; allowed: one"):
        ec2.Vpc(stack, "Second", nat_gateway_provider=provider)


def test_provider_refuses_a_subnet_that_is_added_later() -> None:
    """The function would not know of it, and nobody would hear of that."""
    provider = NatFailoverProvider(instance_type=NANO)
    stack, vpc = with_provider(provider)
    later = ec2.PrivateSubnet(
        stack, "Later", vpc_id=vpc.vpc_id, availability_zone="any", cidr_block="10.0.255.0/24"
    )
    with pytest.raises(ValueError, match="Theirs/Later cannot be given NATs after its VPC"):
        provider.configure_subnet(later)


@pytest.mark.parametrize(
    "admit",
    [
        lambda provider, vpc: provider.security_group.add_ingress_rule(
            ec2.Peer.ipv4(vpc.vpc_cidr_block), ALL_TRAFFIC
        ),
        lambda provider, _: provider.connections.allow_from(
            ec2.Peer.ipv4("10.0.0.0/16"), ALL_TRAFFIC, "the VPC"
        ),
    ],
    ids=["as-an-attribute", "as-written"],
)
def test_rule_for_the_vpc_that_is_there_already_is_not_written_twice(
    admit: Callable[[NatFailoverProvider, ec2.Vpc], None],
) -> None:
    """EC2 keeps one of the two, which goes when either is taken out of the template."""
    provider = NatFailoverProvider(instance_type=NANO)
    stack, vpc = with_provider(provider)
    admit(provider, vpc)
    (rule,) = ingress(template_of(stack))
    assert rule["CidrIp"] == {"Fn::GetAtt": ["Vpc8378EB38", "CidrBlock"]}


def test_connections_admit_whom_they_are_told_to() -> None:
    """A NAT as a bastion, say."""
    provider = NatFailoverProvider(instance_type=NANO)
    stack, _ = with_provider(provider)
    provider.connections.allow_from(ec2.Peer.ipv4("192.0.2.0/24"), ec2.Port.tcp(22))
    assert [rule["IpProtocol"] for rule in ingress(template_of(stack))] == ["-1", "tcp"]


def test_security_group_of_ones_own_is_used_as_it_is() -> None:
    """It admits what it admits."""
    stack = any_stack()
    own = ec2.SecurityGroup.from_security_group_id(stack, "Own", "sg-0123456789abcdef0")
    provider = NatFailoverProvider(instance_type=NANO, security_group=own)
    ec2.Vpc(stack, "Vpc", nat_gateway_provider=provider)
    template = template_of(stack)
    launch = template.properties("AWS::EC2::LaunchTemplate")["LaunchTemplateData"]
    assert launch["NetworkInterfaces"][0]["Groups"] == ["sg-0123456789abcdef0"]
    assert template.resources("AWS::EC2::SecurityGroup") == {}


def test_tags_reach_group_and_instances() -> None:
    """Those of the VPC, and those that somebody gives to the groups."""
    provider = NatFailoverProvider(instance_type=NANO)
    stack, vpc = with_provider(provider)
    cdk.Tags.of(vpc).add("team", "platform")
    for group in provider.auto_scaling_groups:
        cdk.Tags.of(group).add("patch", "weekly")
    tags = template_of(stack).properties(GROUP)["Tags"]
    passed = {tag["Key"]: tag["Value"] for tag in tags if tag["PropagateAtLaunch"]}
    assert {"team": "platform", "patch": "weekly"}.items() <= passed.items()


@pytest.mark.parametrize(
    ("options", "open_"),
    [
        ({}, True),
        ({"enable_ssm": False}, False),
        ({"instances": InstanceOptions(min=1)}, True),
        ({"instances": InstanceOptions(session_manager=False)}, False),
        ({"instances": InstanceOptions(session_manager=False), "enable_ssm": True}, True),
        ({"instance_type": None}, True),
    ],
    ids=["as-cdk-fck-nat", "off", "not-said", "as-the-options", "on", "without-a-type"],
)
def test_session_manager_opens_shells_unless_told(options: dict[str, Any], *, open_: bool) -> None:
    """Several users of cdk-fck-nat have no other bastion, and did not ask for this one."""
    stack, _ = with_provider(NatFailoverProvider(**{"instance_type": NANO, **options}))
    role = template_of(stack).properties("AWS::IAM::Role", "FleetLaunchRole")
    assert ("ssmmessages:OpenDataChannel" in json.dumps(role)) == open_


def test_provider_takes_what_means_nothing_here_with_a_warning_each() -> None:
    """Changing the import is enough to try; what gets lost is said."""
    provider = NatFailoverProvider(
        instance_type=NANO,
        eip_pool=["eipalloc-1"],
        enable_cloud_watch=True,
        key_name="any",
        machine_image=ec2.LookupMachineImage(name="fck-nat-*", owners=["568608671756"]),
        user_data=["echo"],
    )
    stack, _ = with_provider(provider)
    assert sorted(text.split(" ")[0] for text in warnings(stack)) == [
        "eip_pool",
        "enable_cloud_watch",
        "key_name",
        "machine_image",
        "user_data",
    ]


def test_gateways_are_the_zones_with_the_group() -> None:
    """An instance's id would be wrong after its replacement."""
    provider = NatFailoverProvider(instance_type=NANO)
    stack, _ = with_provider(provider)
    found = [stack.resolve(row.gateway_id) for row in provider.configured_gateways]
    assert found == [{"Ref": template_of(stack).logical_id(GROUP)}] * 2


def test_homes_of_an_imported_network_need_no_constructs() -> None:
    """A network is a value, whoever made it."""
    stack = any_stack()
    made = NewNetwork(stack, "Network").network
    network = NatNetwork(
        vpc=made.vpc,
        cidrs=made.cidrs,
        public_subnets=made.public_subnets[:1],
        homes=made.homes[:1],
    )
    NatFailover(stack, "Nat", network=network)
    assert template_of(stack).properties(GROUP)["DesiredCapacity"] == "1"


def imported(stack: cdk.Stack, **more: Any) -> ec2.IVpc:  # noqa: ANN401 - as the CDK takes it
    """Return a VPC that is not of this app, with three private subnets that use two tables."""
    return ec2.Vpc.from_vpc_attributes(
        stack,
        "Theirs",
        vpc_id="vpc-1",
        availability_zones=["eu-west-1a", "eu-west-1b"],
        public_subnet_ids=["subnet-1", "subnet-2"],
        private_subnet_ids=["subnet-3", "subnet-4"],
        **more,
    )


CIDR = {"vpc_cidr_block": "10.7.0.0/16"}
TABLES = {"private_subnet_route_table_ids": ["rtb-1", "rtb-1"]}


def test_vpc_that_is_there_is_served_by_the_tables_of_its_private_subnets() -> None:
    """Each table once, whichever zones its subnets are in; nothing of the network is made."""
    stack = any_stack()
    NatFailover(stack, "Nat", network=NatNetwork.of(imported(stack, **CIDR, **TABLES)))
    template = template_of(stack)
    named = template.properties("Custom::Network")
    assert named["RouteTables"] == ["rtb-1"]
    assert (named["Cidrs"], named["PublicSubnets"]) == (["10.7.0.0/16"], ["subnet-1", "subnet-2"])
    kinds = {row["Type"] for row in template.body["Resources"].values() if "::EC2::" in row["Type"]}
    assert kinds == {"AWS::EC2::LaunchTemplate", "AWS::EC2::SecurityGroup"}
    environment = template.properties("AWS::Lambda::Function")["Environment"]["Variables"]
    assert json.loads(environment["NAT_TABLES"]) == [{"id": "rtb-1", "zone": "", "subnets": []}]


def test_vpc_of_the_same_app_is_checked_when_its_routes_are_there() -> None:
    """And the group comes after the check."""
    stack = any_stack()
    vpc = ec2.Vpc(stack, "Vpc", nat_gateways=0, subnet_configuration=WITH_EGRESS)
    NatFailover(stack, "Nat", network=NatNetwork.of(vpc, served_cidrs=["10.9.0.0/16"]))
    template = template_of(stack)
    (check,) = template.resources("Custom::Network").values()
    routes = {name for name in template.resources("AWS::EC2::Route") if "Public" in name}
    assert routes <= set(check["DependsOn"])
    assert len(check["Properties"]["RouteTables"]) == 2
    assert check["Properties"]["ServedCidrs"] == ["10.9.0.0/16"]
    (group,) = template.resources(GROUP).values()
    assert template.logical_id("Custom::Network") in group["DependsOn"]


@pytest.mark.parametrize(
    ("known", "chosen", "mistake"),
    [
        (TABLES, {}, "Theirs/Theirs does not know its IPv4 networks; allowed: name them in cidrs"),
        (CIDR, {}, "PrivateSubnet1 does not know its route table; allowed: subnets of a VPC that"),
        (
            {**CIDR, **TABLES},
            {"failover": FailoverOptions(strategy=Strategy.SWAP_ROUTE_TABLE)},
            "strategy is 'swap-route-table', but others associate the subnets of Theirs/Theirs",
        ),
    ],
    ids=["cidrs", "tables", "swap"],
)
def test_vpc_that_is_there_is_refused_when_it_cannot_be_served(
    known: dict[str, Any], chosen: dict[str, Any], mistake: str
) -> None:
    """With what the VPC lacks, before anybody deploys it."""
    stack = any_stack()
    vpc = imported(stack, **known)
    with pytest.raises(OptionsError, match=mistake):
        NatFailover(stack, "Nat", network=NatNetwork.of(vpc), **chosen)


def test_new_network_refuses_options_that_name_a_vpc() -> None:
    """It would make another one."""
    options = NetworkOptions.model_validate(VARIANTS["existing-vpc"]["network"])
    with pytest.raises(OptionsError, match=r"but NewNetwork makes a VPC; allowed: null, or NatN"):
        NewNetwork(any_stack(), "Network", options)


def test_package_names_what_it_has_when_it_is_asked_for_something_else() -> None:
    """A slip of the key, or a name of another library; what it lists can be imported."""
    with pytest.raises(AttributeError, match="no attribute 'NatFailovr'; allowed: AlertOptions"):
        cdk_nat_failover.NatFailovr  # noqa: B018 - asking is what is tested
    assert all(getattr(cdk_nat_failover, name) for name in dir(cdk_nat_failover))


# --- The wheel --------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library as `pip install .` leaves it, in a folder that has nothing else."""
    return install(tmp_path_factory.mktemp("wheel"))


def test_wheel_says_that_it_has_types_and_has_no_tests(installed: Path) -> None:
    """Three packages, and nothing of the app or the lab."""
    packages = {path.parent.name for path in installed.glob("*/__init__.py")}
    assert packages == {"aws_constraints", "cdk_nat_failover", "nat_failover"}
    assert all((installed / name / "py.typed").exists() for name in packages)


@pytest.mark.parametrize("example", EXAMPLES)
def test_example_synthesizes_from_the_wheel(installed: Path, tmp_path: Path, example: str) -> None:
    """Not from the checkout, of which no path is in what it makes; cfn-lint finds nothing."""
    app = tmp_path / "app"
    shutil.copytree(ROOT / "examples" / example, app)
    assembly = tmp_path / "assembly"
    environment = {**os.environ, "PYTHONPATH": str(installed), "CDK_OUTDIR": str(assembly)}
    program = json.loads((app / "cdk.json").read_text(encoding="utf-8"))["app"].split()
    run = subprocess.run(  # noqa: S603 - our own example
        [sys.executable, *program[1:]],
        cwd=app,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    (body,) = (path.read_text(encoding="utf-8") for path in assembly.glob("*.template.json"))
    assert str(ROOT) not in body
    explained = {"W3005"}  # The CDK depends on whole constructs.
    assert [str(row) for row in lint(body) if row.rule.id not in explained] == []


@pytest.mark.parametrize("program", PROGRAMS, ids=["provider", "construct", "existing-vpc"])
def test_program_of_the_readme_synthesizes_from_the_wheel(
    installed: Path, tmp_path: Path, program: str
) -> None:
    """As a reader would copy it."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "CDK_OUTDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True)  # noqa: S603 - our own page
    assert (tmp_path / "Shop.template.json").exists()


def test_function_has_the_same_hash_from_checkout_and_wheel(
    installed: Path, tmp_path: Path, default: Template
) -> None:
    """A deployment from either is no difference to the other."""
    script = (
        "import aws_cdk as cdk\n"
        "from cdk_nat_failover import NatFailover, NewNetwork\n"
        "app = cdk.App()\n"
        "stack = cdk.Stack(app, 'Any')\n"
        "NatFailover(stack, 'Nat', network=NewNetwork(stack, 'Network').network)\n"
        "app.synth()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(installed), "CDK_OUTDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, check=True)  # noqa: S603 - as above
    body = json.loads((tmp_path / "Any.template.json").read_text(encoding="utf-8"))
    made = Template(body=body, app=default.app, directory=tmp_path)
    kind = "AWS::Lambda::Function"
    assert made.properties(kind)["Code"]["S3Key"] == default.properties(kind)["Code"]["S3Key"]
