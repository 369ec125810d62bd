"""Each check of an account, in the emulated region, when all is well and when it is not."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EndpointConnectionError

from cdk_nat_failover.instances.nat_fleet import MAX_HEALTHY
from lab import doctor
from lab.account import RealDrillError
from lab.doctor import State
from lab.doctor.deployment import BOOTSTRAP
from lab.doctor.quotas import PEAK
from lab.doctor.run import found_by
from lab.drills.lab_settings import lab_settings
from lab.emulator.isolation import ACCOUNT, PROJECT
from lab.emulator.region import Region
from lab.tests.account.answers import NOWHERE, any_session, hear, refusal
from stacks.settings.reader import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lab.doctor.examined import Examined
    from lab.doctor.findings import Finding
    from lab.drills.cdk import Cdk

VERSION = "/cdk-bootstrap/hnb659fds/version"
KEY = "arn:aws:kms:us-east-1:123456789012:key/any"
GATEWAY = "nat-0123456789abcdef0"
STANDBY = {"failover": {"standby_gateway": GATEWAY}}
CONFIGURATION = {"fleet": {"launch": "configuration", "elastic_ips": "created"}, **STANDBY}
LATE = datetime(2025, 1, 1, tzinfo=UTC)
BLOCKED = {"InternetGatewayBlockMode": "block-ingress", "ExclusionsAllowed": "allowed"}
OPTIONS = "ec2.DescribeVpcBlockPublicAccessOptions"
EXCLUSIONS = "ec2.DescribeVpcBlockPublicAccessExclusions"
QUOTA = "service-quotas.GetServiceQuota"
GATEWAYS = "ec2.DescribeNatGateways"
AVAILABLE = {"State": "available", "ConnectivityType": "public", "VpcId": "vpc-any"}


OPERATIONS = sorted({row for check in doctor.CHECKS for row in check.needs})


def _operation(permission: str) -> str:
    service, _, name = permission.partition(":")
    return f"{service.replace('servicequotas', 'service-quotas')}.{name}"


@dataclass
class Account:
    """An account in a region, and what AWS answers there instead of the region."""

    examined: Examined
    replies: dict[str, Any]
    made: set[str]

    def find(self, name: str, settings: object = None, **replies: Any) -> Finding:  # noqa: ANN401 - JSON
        """Return what a check finds when AWS answers some operations in this way."""
        self.replies.update(replies)
        examined = replace(self.examined, settings=read_settings(settings))
        (check,) = (check for check in doctor.CHECKS if check.name == name)
        return found_by(check, examined)


@pytest.fixture(scope="module")
def bootstrapped(isolated: None) -> Iterator[Account]:
    """Return an account whose region is bootstrapped for the CDK."""
    del isolated  # it has taken the person's AWS settings away
    with Region() as region:
        region.client("ssm").put_parameter(Name=VERSION, Value=str(BOOTSTRAP), Type="String")
        region.client("ssm").get_parameter(Name=read_settings(None).fleet.public_image)
        region.client("ec2").describe_instance_types()  # moto reads both from files: seconds
        session, replies, made = any_session(), dict[str, Any](), set[str]()
        for operation in map(_operation, OPERATIONS):
            hear(session, operation, partial(_reply, replies, made, operation))
        session.events.register("before-call", partial(_note, made))
        examined = doctor.look_at(session, read_settings(None), "hnb659fds", region.endpoint)
        yield Account(examined, replies, made)


def _reply(replies: dict[str, Any], made: set[str], operation: str) -> Any:  # noqa: ANN401 - JSON
    made.add(operation)
    given = replies.get(operation)
    return given() if callable(given) else given


def _note(made: set[str], model: Any, **_: object) -> None:  # noqa: ANN401 - botocore's
    """Note a call that is not answered here: those that are not expected, too."""
    made.add(f"{model.service_model.service_name}.{model.name}")


@pytest.fixture
def account(bootstrapped: Account) -> Account:
    """Return the account, in which AWS answers as the region does."""
    bootstrapped.replies.clear()
    bootstrapped.made.clear()
    return bootstrapped


@pytest.mark.parametrize("launch", ["template", "configuration"])
def test_each_check_is_ok_when_nothing_is_wrong(account: Account, launch: str) -> None:
    """In an account as it is made, with the settings of cdk.json, and a launch configuration."""
    account.replies["autoscaling.DescribeLaunchConfigurations"] = _made(LATE)
    settings = read_settings({"fleet": {"launch": launch}})
    checked = doctor.examine(replace(account.examined, settings=settings))
    assert [(check.name, State.OK) for check in doctor.CHECKS] == [
        (row.name, row.finding.state) for row in checked
    ], checked


def _made(time: datetime) -> dict[str, Any]:
    return {"LaunchConfigurations": [{"CreatedTime": time}]}


def _images(**facts: object) -> dict[str, Any]:
    image = {"ImageId": "ami-any", "State": "available", "Architecture": "arm64", **facts}
    return {"Images": [image]}


def _subnet(zone: str, free: int = 2) -> dict[str, Any]:
    facts = {"AvailabilityZone": zone, "AvailableIpAddressCount": free}
    return {"SubnetId": f"subnet-{zone}", **facts}


EXISTING = {
    "network": {
        "vpc": "vpc-0123456789abcdef0",
        "public_subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        "route_tables": ["rtb-0123456789abcdef0"],
    },
    **CONFIGURATION,
}


PROBLEMS: dict[str, tuple[str, object, dict[str, Any], str]] = {
    "another account": (
        "account",
        {"account": "210987654321", "region": "us-east-1"},
        {},
        f"of {ACCOUNT}, and account is '210987654321': name another profile",
    ),
    "an old bootstrap": (
        "CDK bootstrap",
        None,
        {"ssm.GetParameter": {"Parameter": {"Value": "5"}}},
        "version is 5, and 6 is needed: run make bootstrap",
    ),
    "a zone that does not exist": (
        "zones",
        {"network": {"zones": ["eu-west-1a", "eu-west-1b"]}},
        {},
        "eu-west-1a, eu-west-1b is no zone that the account can use in us-east-1: name others of",
    ),
    "a zone without the type": (
        "zones",
        {"network": {"zones": ["us-east-1a", "us-east-1e"]}},
        {},
        "t4g.nano is not offered in us-east-1e: name zones of us-east-1a, us-east-1b",
    ),
    "one zone": (
        "zones",
        None,
        {
            "ec2.DescribeAvailabilityZones": {
                "AvailabilityZones": [
                    {"ZoneName": "us-east-1a", "ZoneId": "use1-az6", "State": "available"}
                ]
            }
        },
        "us-east-1 has 1 zones for the 2 that the stack needs: deploy it in another Region",
    ),
    "a subnet in a zone without the type": (
        "zones",
        EXISTING,
        {"ec2.DescribeSubnets": {"Subnets": [_subnet("us-east-1e"), _subnet("us-east-1b")]}},
        "t4g.nano is not offered in us-east-1e: name zones of us-east-1a, us-east-1b",
    ),
    "a full subnet": (
        "addresses",
        EXISTING,
        {"ec2.DescribeSubnets": {"Subnets": [_subnet("us-east-1a", 1), _subnet("us-east-1b")]}},
        "subnet-us-east-1a has fewer than 2 free addresses, for a NAT and the one that replaces it",
    ),
    "no such image": (
        "image",
        {"fleet": {"ami": {"id": "ami-0123456789abcdef0", "architecture": "arm64"}}},
        {},
        "ami-0123456789abcdef0 is not there for this account in us-east-1: name another fleet.ami",
    ),
    "no such public image": (
        "image",
        {"fleet": {"image": "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-5.1-arm64"}},
        {},
        "kernel-5.1-arm64 is not there for this account in us-east-1: name another fleet.image",
    ),
    "an image that is not allowed": (
        "image",
        None,
        {"ec2.DescribeImages": _images(ImageAllowed=False)},
        "not allowed: name another fleet.image, or allow it",
    ),
    "an image of another architecture": (
        "image",
        {"fleet": {"ami": {"id": "ami-0123456789abcdef0", "architecture": "arm64"}}},
        {"ec2.DescribeImages": _images(Architecture="x86_64")},
        "is of x86_64, and t4g.nano boots arm64 here: make fleet.ami and fleet.instance_type agree",
    ),
    "a key of one's own": (
        "key of volumes",
        CONFIGURATION,
        {
            "ec2.GetEbsDefaultKmsKeyId": {"KmsKeyId": KEY},
            "kms.GetKeyPolicy": {"Policy": "{}"},
            "kms.ListGrants": {"Grants": []},
        },
        f"default key for EBS is {KEY}, whose policy and grants do not name aws-service-role",
    ),
    "tags in the metadata": (
        "metadata service",
        CONFIGURATION,
        {"ec2.GetInstanceMetadataDefaults": {"AccountLevel": {"InstanceMetadataTags": "enabled"}}},
        "set fleet.launch to 'template', or put no such tag on the stack",
    ),
    "blocked access": (
        "public access",
        None,
        {OPTIONS: {"VpcBlockPublicAccessOptions": BLOCKED}},
        "is block-ingress, which blocks NAT instances: exclude the stack's VPC as soon as",
    ),
    "blocked access without exclusions": (
        "public access",
        None,
        {OPTIONS: {"VpcBlockPublicAccessOptions": {**BLOCKED, "ExclusionsAllowed": "not-allowed"}}},
        "and the organization allows no exclusions: NAT instances cannot work here",
    ),
    "a quota for two NATs and no third": (
        "vCPUs",
        None,
        {QUOTA: {"Quota": {"Value": 5.0}}},
        "others use 0 of 5 vCPUs, so that 2 NATs fit, but not the 3 that there are while one is",
    ),
    "a quota for no NAT": (
        "vCPUs",
        None,
        {QUOTA: {"Quota": {"Value": 1.0}}},
        "2 NATs do not fit, let alone the 3 that there are while one is replaced (2 each): have",
    ),
    "an unknown type": (
        "vCPUs",
        {"fleet": {"instance_type": "t9g.nano"}},
        {},
        "us-east-1 has no instance type t9g.nano: name another one in fleet.instance_type",
    ),
    "too few Elastic IPs": (
        "Elastic IPs",
        {"fleet": {"elastic_ips": "created"}},
        {QUOTA: {"Quota": {"Value": 1.0}}},
        "others are 0 of 1 Elastic IPs, and the NATs take 2: release some, or have the quota",
    ),
    "an Elastic IP that is not there": (
        "Elastic IPs",
        {"fleet": {"elastic_ips": ["eipalloc-0123456789abcdef0", "eipalloc-0123456789abcdef1"]}},
        {"ec2.DescribeAddresses": {"Addresses": [{"AllocationId": "eipalloc-0123456789abcdef1"}]}},
        "eipalloc-0123456789abcdef0 is no Elastic IP of the account in us-east-1: name others",
    ),
    "a standby gateway that is not there": (
        "standby gateway",
        STANDBY,
        {},
        f"{GATEWAY} is no NAT gateway of the account in us-east-1: name another one in",
    ),
    "a standby gateway that is being deleted": (
        "standby gateway",
        STANDBY,
        {GATEWAYS: {"NatGateways": [{"State": "deleting", "VpcId": "vpc-any"}]}},
        f"{GATEWAY} is deleting: name another one in failover.standby_gateway, or null",
    ),
    "a private standby gateway": (
        "standby gateway",
        STANDBY,
        {GATEWAYS: {"NatGateways": [{**AVAILABLE, "ConnectivityType": "private"}]}},
        f"{GATEWAY} is a private one",
    ),
    "a standby gateway of another VPC": (
        "standby gateway",
        {**EXISTING, **STANDBY},
        {GATEWAYS: {"NatGateways": [AVAILABLE]}},
        f"{GATEWAY} is in vpc-any, not in vpc-",
    ),
    "as many VPCs as there may be": (
        "VPCs",
        None,
        {QUOTA: {"Quota": {"Value": 1.0}}},
        "1 of 1 VPCs are used: delete one, or have the quota L-F678F1CE of VPC raised",
    ),
}


@pytest.mark.parametrize("what", PROBLEMS)
def test_check_tells_a_problem_and_what_to_do(account: Account, what: str) -> None:
    """In one sentence, with what was found and what is to be changed."""
    check, settings, replies, words = PROBLEMS[what]
    finding = account.find(check, settings, **replies)
    assert finding.state is State.PROBLEM, finding
    assert words in finding.words


def test_each_check_can_tell_a_problem_or_that_nothing_is_known() -> None:
    """No check is always ok."""
    told = {check for check, *_ in PROBLEMS.values()} | {"launch configurations"}
    assert told == {check.name for check in doctor.CHECKS}


def test_page_has_a_row_for_each_check_with_the_permissions_that_it_needs() -> None:
    """In the order in which they are told."""
    page = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")
    _, _, table = page.partition("| check | what it compares | permissions |\n|---|---|---|\n")
    rows = [line.split("|")[1:-1] for line in table.partition("\n\n")[0].splitlines()]
    assert [(check.name, list(check.needs)) for check in doctor.CHECKS] == [
        (name.strip(), re.findall(r"`([\w:]+)`", needs)) for name, _, needs in rows
    ]
    assert f"that the stack requires ({BOOTSTRAP})" in table


def test_region_without_bootstrap_is_told(account: Account) -> None:
    """Also when it has one under another qualifier than that of cdk.json."""
    (check,) = (check for check in doctor.CHECKS if check.name == "CDK bootstrap")
    finding = found_by(check, replace(account.examined, qualifier="other"))
    assert "us-east-1 is not bootstrapped for the CDK: run make bootstrap" == finding.words


@pytest.mark.parametrize("made", [[], [datetime(2024, 9, 30, tzinfo=UTC)]])
def test_launch_configurations_are_unknown_when_the_account_has_made_none_lately(
    account: Account, made: list[datetime]
) -> None:
    """No call of AWS tells it."""
    rows = {"LaunchConfigurations": [{"CreatedTime": time} for time in made]}
    replies = {"autoscaling.DescribeLaunchConfigurations": rows}
    finding = account.find("launch configurations", CONFIGURATION, **replies)
    assert finding.state is State.UNKNOWN
    assert "set fleet.launch to 'template' unless you know" in finding.words


ROLE = "arn:aws:iam::1:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"


@pytest.mark.parametrize(
    ("policy", "grants"), [(f'{{"AWS": "{ROLE}"}}', []), ("{}", [{"GranteePrincipal": ROLE}])]
)
def test_key_of_volumes_is_ok_when_its_policy_or_a_grant_names_the_role_of_auto_scaling(
    account: Account, policy: str, grants: list[dict[str, str]]
) -> None:
    """A grant is how another account's key is shared."""
    replies = {
        "ec2.GetEbsDefaultKmsKeyId": {"KmsKeyId": KEY},
        "kms.GetKeyPolicy": {"Policy": policy},
        "kms.ListGrants": {"Grants": grants},
    }
    assert account.find("key of volumes", CONFIGURATION, **replies).state is State.OK


@pytest.mark.parametrize(
    ("mode", "state", "expected"),
    [
        ("allow-bidirectional", "create-complete", State.OK),
        ("allow-egress", "create-complete", State.PROBLEM),
        ("allow-bidirectional", "create-in-progress", State.PROBLEM),
    ],
)
def test_public_access_is_ok_when_the_stacks_vpc_is_excluded(
    account: Account, mode: str, state: str, expected: State
) -> None:
    """In both directions, and already."""
    exclusion = {
        "ResourceArn": f"arn:aws:ec2:us-east-1:{ACCOUNT}:vpc/vpc-any",
        "InternetGatewayExclusionMode": mode,
        "State": state,
    }
    replies = {
        OPTIONS: {"VpcBlockPublicAccessOptions": BLOCKED},
        EXCLUSIONS: {"VpcBlockPublicAccessExclusions": [exclusion]},
        "ec2.DescribeVpcs": {"Vpcs": [{"VpcId": "vpc-any"}]},
    }
    assert account.find("public access", **replies).state is expected


def _instance(type_: str = "t4g.nano", group: str = "", **facts: str) -> dict[str, Any]:
    tags = [{"Key": "aws:autoscaling:groupName", "Value": group}]
    return {"InstanceType": type_, "Tags": tags, **facts}


@pytest.mark.parametrize("zones", [["use1-az6", "use1-az1"], ["us-east-1a", "us-east-1b"]])
def test_zones_may_be_named_by_their_ids(account: Account, zones: list[str]) -> None:
    """As in the settings."""
    finding = account.find("zones", {"network": {"zones": zones}})
    assert finding.words == f"{', '.join(sorted(zones))} have t4g.nano"


def test_existing_vpc_is_looked_at_by_its_subnets(account: Account) -> None:
    """It takes nothing from a quota, and nothing else is made for it."""
    rows = [_subnet("us-east-1a"), _subnet("us-east-1b")]
    account.replies["ec2.DescribeSubnets"] = {"Subnets": rows}
    for check in ("zones", "addresses", "VPCs"):
        assert account.find(check, EXISTING).state is State.OK
    assert account.find("VPCs", EXISTING).words.endswith("vpc-0123456789abcdef0")


def test_vcpus_count_what_others_run_on_demand_in_standard_families(account: Account) -> None:
    """Not the stack's own NATs, not spot instances, not families with a quota of their own."""
    running = [
        _instance("m5.large"),
        _instance(group="NatFailover-nat"),
        _instance("m5.large", InstanceLifecycle="spot"),
        _instance("g4dn.xlarge"),
    ]
    replies = {"ec2.DescribeInstances": {"Reservations": [{"Instances": running}]}}
    finding = account.find("vCPUs", **replies)
    assert finding.words == "others use 2 of 32 vCPUs, 3 NATs take 6"


def test_vcpus_are_unknown_when_the_type_has_a_quota_of_its_own(account: Account) -> None:
    """A NAT in such a family is rare."""
    settings = {"fleet": {"instance_type": "x2gd.medium"}}
    assert account.find("vCPUs", settings).state is State.UNKNOWN


def test_quota_is_the_default_when_the_account_has_no_value_of_its_own(account: Account) -> None:
    """Service Quotas then has none that is applied."""
    account.replies[QUOTA] = refusal("NoSuchResourceException")
    assert "others use 0 of 5 vCPUs" in account.find("vCPUs").words


def test_elastic_ips_of_the_stack_itself_are_not_counted_twice(account: Account) -> None:
    """A stack that is deployed again has them."""
    tag = {"Key": "aws:cloudformation:stack-name", "Value": "NatFailover"}
    replies = {"ec2.DescribeAddresses": {"Addresses": [{"Tags": [tag]}, {}]}}
    finding = account.find("Elastic IPs", CONFIGURATION, **replies)
    assert finding.words == "others are 1 of 5, the NATs take 2"


def test_public_access_is_ok_when_each_public_subnet_is_excluded(account: Account) -> None:
    """An exclusion may be a subnet's; one that lacks is a problem, and no gateway is a way out."""
    subnets = read_settings(EXISTING).network.public_subnets
    options = {**BLOCKED, "InternetGatewayBlockMode": "block-bidirectional"}
    excluded = [
        {
            "ResourceArn": f"arn:aws:ec2:us-east-1:{ACCOUNT}:subnet/{subnet}",
            "InternetGatewayExclusionMode": "allow-bidirectional",
            "State": "create-complete",
        }
        for subnet in subnets
    ]
    for rows, state in ((excluded, State.OK), (excluded[1:], State.PROBLEM)):
        replies = {
            OPTIONS: {"VpcBlockPublicAccessOptions": options},
            EXCLUSIONS: {"VpcBlockPublicAccessExclusions": rows},
        }
        assert account.find("public access", EXISTING, **replies).state is state
    never = {**options, "ExclusionsAllowed": "not-allowed"}
    replies = {**replies, OPTIONS: {"VpcBlockPublicAccessOptions": never}}
    words = account.find("public access", EXISTING, **replies).words
    assert words.endswith("so have it allow one")


def test_standby_gateway_may_be_public_and_available(account: Account) -> None:
    """In whichever VPC, where the stack makes its own."""
    finding = account.find("standby gateway", STANDBY, **{GATEWAYS: {"NatGateways": [AVAILABLE]}})
    words = f"{GATEWAY} is public and available, which says nothing of its health"
    assert (finding.state, finding.words) == (State.OK, words)


def test_vpc_of_the_stack_takes_no_other_from_the_quota(account: Account) -> None:
    """A stack that is deployed again has it."""
    replies = {"ec2.DescribeVpcs": {"Vpcs": [{"VpcId": "vpc-any"}]}}
    assert account.find("VPCs", **replies).words == "the stack has its VPC, vpc-any"


def test_peak_is_what_the_groups_maintenance_policy_allows() -> None:
    """More NATs than that there are never."""
    assert PEAK == MAX_HEALTHY / 100


EVERYTHING: dict[str, Any] = {
    "autoscaling.DescribeLaunchConfigurations": _made(LATE),
    "ec2.GetEbsDefaultKmsKeyId": {"KmsKeyId": KEY},
    "kms.GetKeyPolicy": {"Policy": "{}"},
    "kms.ListGrants": {"Grants": []},
    OPTIONS: {"VpcBlockPublicAccessOptions": BLOCKED},
    QUOTA: refusal("NoSuchResourceException"),
}
"""Answers for which each check makes each of its calls, but for one."""

EXCLUDED: dict[str, Any] = {
    "ec2.DescribeVpcs": {"Vpcs": [{"VpcId": "vpc-any"}]},
    EXCLUSIONS: {"VpcBlockPublicAccessExclusions": []},
}
"""And for that one."""


@pytest.mark.parametrize("permission", OPERATIONS)
def test_check_is_unknown_when_a_read_is_denied_and_says_what_it_needs(
    account: Account, permission: str
) -> None:
    """Whichever read it is."""
    replies = dict(EVERYTHING)
    if permission.endswith("Exclusions"):
        replies |= EXCLUDED
    denied = refusal("UnauthorizedOperation", "You are not authorized")
    replies[_operation(permission)] = denied
    settings = EXISTING if permission.endswith("Subnets") else CONFIGURATION
    for check in doctor.CHECKS:
        finding = account.find(check.name, settings, **replies)
        if permission in check.needs:
            assert finding.state is State.UNKNOWN
            assert "denied (UnauthorizedOperation: You are not authorized)" in finding.words
            assert permission in finding.words


def test_checks_make_no_call_but_those_that_are_listed_and_each_of_them(account: Account) -> None:
    """All of them read."""
    subnets: dict[str, Any] = {"ec2.DescribeSubnets": {"Subnets": []}}
    for settings in (CONFIGURATION, EXISTING):
        for replies in (EVERYTHING, EVERYTHING | EXCLUDED | subnets):
            account.replies.clear()
            for check in doctor.CHECKS:
                account.find(check.name, settings, **replies)
    assert sorted(account.made) == sorted(map(_operation, OPERATIONS))
    assert {row.partition(":")[2][:3] for row in OPERATIONS} <= {"Des", "Get", "Lis"}


def test_check_is_unknown_when_aws_answers_with_another_error(account: Account) -> None:
    """It is told too, in AWS's words and without the encoded message."""
    said = "no. Encoded authorization failure message: abc"
    finding = account.find("public access", **{OPTIONS: refusal("InternalError", said)})
    assert finding.state is State.UNKNOWN
    assert finding.words == (
        "DescribeVpcBlockPublicAccessOptions failed (InternalError: no.): try again"
    )


def test_check_is_unknown_when_nobody_answers(account: Account) -> None:
    """As on a network that ends in the middle."""

    def fail() -> None:
        raise EndpointConnectionError(endpoint_url=NOWHERE)

    finding = account.find("public access", **{OPTIONS: fail})
    assert finding.state is State.UNKNOWN
    assert "AWS did not answer (Could not connect to the endpoint URL" in finding.words


def test_doctor_cannot_start_when_nobody_answers() -> None:
    """One sentence, as of a drill."""
    with pytest.raises(RealDrillError, match="AWS cannot be reached"):
        doctor.look_at(any_session(), read_settings(None), "any", NOWHERE)


def test_bootstrap_is_the_version_that_the_stack_requires(
    tmp_path: Path, cli: Callable[..., Cdk]
) -> None:
    """The CDK writes it into the cloud assembly."""
    cdk = cli(NOWHERE, tmp_path, context=lab_settings(PROJECT, None).context)
    cdk.synth()
    manifest = json.loads((cdk.assembly / "manifest.json").read_text())
    required = [
        row["properties"]["requiresBootstrapStackVersion"]
        for row in manifest["artifacts"].values()
        if "requiresBootstrapStackVersion" in row.get("properties", {})
    ]
    assert BOOTSTRAP == max(required)
