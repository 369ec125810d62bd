"""The standby gateway as AWS sees it: who is told, what is remembered, what a deployment takes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from nat_failover.contract import MEMORY_KEY, Failback, Item, Settings
from nat_failover.incidents import REDUNDANCY_GRACE_S
from tests.aws import messages
from tests.aws.conftest import SHORT

if TYPE_CHECKING:
    from tests.aws.cloudformation import CloudFormation
    from tests.aws.conftest import Deploy, Function
    from tests.aws.region import Region

KEY: Any = {MEMORY_KEY: {"S": Item.TAKEOVERS}}


@pytest.fixture
def gateway(region: Region) -> str:
    """Return a NAT gateway in a public subnet, to which no table leads."""
    address = region.ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = region.ec2.create_nat_gateway(SubnetId=region.homes["a"].public, AllocationId=address)
    return made["NatGateway"]["NatGatewayId"]


@pytest.fixture
def settings(region: Region, gateway: str) -> Settings:
    """Return the settings that name it."""
    return replace(region.settings, standby_gateway=gateway)


@pytest.fixture
def function(
    settings: Settings, deploy: Deploy, region: Region, cloudformation: CloudFormation
) -> Function:
    """Return a function that has served every table once."""
    del cloudformation
    function = deploy(settings)
    function(messages.SWEEP)
    assert region.served_by() == region.nats
    return function


def naming(gateway: str, cloudformation: CloudFormation) -> messages.Message:
    """Return the request of an update that names the gateway, which the stack did not before."""
    asked = messages.deployment("Update", cloudformation.url)
    named = {"StandbyGateway": gateway}
    return {**asked, "ResourceProperties": named, "OldResourceProperties": {}}


def lose_all(region: Region, function: Function) -> dict[str, Any]:
    """Let both NATs end, one after the other; return what the last run said."""
    for nat in (region.nats["a"], region.nats["b"]):
        region.kill(nat)
        returned = function(messages.state_change(nat, "shutting-down"))
    return returned


def leads_to(region: Region) -> set[str | None]:
    """Return the NAT gateways to which the tables lead, None for another target."""
    return {(region.default_route(home) or {}).get("NatGatewayId") for home in region.homes}


def standbys(region: Region) -> dict[str, str]:
    """Return what is stored of tables on standby: the gateway by table."""
    item = region.dynamodb.get_item(TableName=region.memory, Key=KEY).get("Item", {})
    rows = [json.loads(text) for text in item.get("standbys", {}).get("SS", [])]
    return {row["table"]: row["gateway"] for row in rows}


def age_standbys(region: Region) -> None:
    """Let what is stored of tables on standby have been written a minute ago."""
    item = region.dynamodb.get_item(TableName=region.memory, Key=KEY)["Item"]
    rows = [json.loads(text) for text in item["standbys"]["SS"]]
    old = [{**row, "written": row["written"] - 60} for row in rows]
    texts = [json.dumps(row, separators=(",", ":"), sort_keys=True) for row in old]
    region.dynamodb.put_item(TableName=region.memory, Item={**item, "standbys": {"SS": texts}})


def test_gateway_serves_every_table_and_a_person_is_told_once(
    region: Region, function: Function, gateway: str
) -> None:
    """And again when it is over; the tables come home to the NATs, and nothing is remembered."""
    lose_all(region, function)

    assert leads_to(region) == {gateway}
    assert standbys(region) == {home.table: gateway for home in region.homes.values()}
    function(messages.SWEEP)
    subject, text = region.notifications()[-1]
    assert subject == "STANDBY GATEWAY: any-stack in eu-west-1 (eu-west-1a, eu-west-1b)"
    assert text.startswith("All private subnets have internet access now")
    assert "no NAT serves private subnets, and the standby gateway does" in text
    assert "To do: find out why no NAT above is usable" in text
    function(messages.SWEEP)
    assert region.notifications() == []

    for nat in list(region.nats.values()):
        region.replace(nat)
    function(messages.SWEEP)
    assert leads_to(region) == {gateway}, "no NAT has settled"
    region.settle()
    age_standbys(region)
    function(messages.SWEEP)

    assert region.served_by() == region.nats
    assert standbys(region) == {home.table: gateway for home in region.homes.values()}
    ((subject, text),) = region.notifications()
    assert subject == "HEALED: any-stack in eu-west-1"
    age_standbys(region)
    function(messages.SWEEP)
    assert standbys(region) == {}


def test_run_needs_no_more_than_one_look_and_one_round_of_writes(
    region: Region, function: Function
) -> None:
    """Nothing waits for the memory: both writes go out together."""
    for nat in region.nats.values():
        region.kill(nat)
    before = len(function.wire.calls)
    function(messages.state_change(region.nats["a"], "shutting-down"))
    made = [call.operation for call in function.wire.calls[before:]]
    assert made.index("ReplaceRoute") < made.index("DescribeInstances", made.index("UpdateItem"))
    assert made.count("ReplaceRoute") == len(region.homes)


@pytest.mark.parametrize(
    ("operation", "verdict"), [("GetItem", "on standby"), ("UpdateItem", "not ours")]
)
def test_gateway_serves_also_when_nothing_can_be_remembered(  # noqa: PLR0913, PLR0917 - fixtures and rows
    operation: str,
    verdict: str,
    region: Region,
    function: Function,
    gateway: str,
    settings: Settings,
    deploy: Deploy,
) -> None:
    """No repair waits for the memory; a table of which nothing is known stays, and is told."""
    function.wire.fail(operation, "InternalServerError")
    lose_all(region, function)
    assert leads_to(region) == {gateway}
    for nat in list(region.nats.values()):
        region.replace(nat)
    region.settle()
    returned = deploy(settings)(messages.SWEEP)
    verdicts = {row["verdict"] for row in returned["now"]}
    assert (verdicts, leads_to(region)) == ({verdict}, {gateway})


def test_tables_wait_for_a_person_when_failback_is_manual(
    region: Region, settings: Settings, deploy: Deploy, gateway: str
) -> None:
    """They have egress, and the gateway is told for as long as it serves."""
    function = deploy(replace(settings, failback=Failback.MANUAL))
    function(messages.SWEEP)
    lose_all(region, function)
    for nat in list(region.nats.values()):
        region.replace(nat)
    region.settle()
    returned = function(messages.SWEEP)
    assert leads_to(region) == {gateway}
    assert {row["verdict"] for row in returned["now"]} == {"on standby"}


def test_loss_of_the_gateway_is_told_like_any_loss_of_redundancy(
    region: Region, function: Function, gateway: str
) -> None:
    """After ten minutes, once, and what to do."""
    function.wire.edit("DescribeNatGateways", lambda answer: answer["NatGateways"].clear())
    function(messages.SWEEP)
    began = region.remembered()
    since = tuple((i, start - REDUNDANCY_GRACE_S) for i, start in began.since)
    region.remember(replace(began, since=since))
    function(messages.SWEEP)
    function(messages.SWEEP)
    ((subject, text),) = region.notifications()
    assert subject.startswith("NOT REDUNDANT")
    assert f"The standby gateway could not serve: {gateway} is not there." in text
    assert "To do: make another NAT gateway, and name it in failover.standby_gateway" in text


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (None, "is not in"),
        ({"State": "deleting"}, "is deleting"),
        ({"State": "pending"}, "is pending"),
        ({"ConnectivityType": "private"}, "is a private one"),
    ],
)
def test_deployment_fails_with_a_gateway_that_could_not_serve(  # noqa: PLR0913, PLR0917 - fixtures and rows
    found: dict[str, str] | None,
    why: str,
    region: Region,
    function: Function,
    gateway: str,
    cloudformation: CloudFormation,
) -> None:
    """It says what is wrong and what is allowed, and nothing is written."""

    def edit(answer: Any) -> None:  # noqa: ANN401 - boto3's
        rows = answer["NatGateways"]
        if found is None:
            rows.clear()
        for row in rows:
            row.update(found or {})

    function.wire.edit("DescribeNatGateways", edit)
    region.lose_route("a")
    writes = len(function.wire.writes)

    function(naming(gateway, cloudformation), seconds=SHORT)

    (answer,) = cloudformation.answers
    assert answer["Status"] == "FAILED"
    start = f"failover.standby_gateway is {gateway}, which {why}"
    assert answer["Reason"].startswith(start)
    assert f"a public NAT gateway of {region.vpc} that is available" in answer["Reason"]
    assert len(function.wire.writes) == writes


def test_deployment_fails_with_a_gateway_whose_subnet_leads_nowhere(
    region: Region, function: Function, gateway: str, cloudformation: CloudFormation
) -> None:
    """Such as one in a private subnet; a regional one is in none."""

    def regional(answer: Any) -> None:  # noqa: ANN401 - boto3's
        for row in answer["NatGateways"]:
            del row["SubnetId"]

    private = region.homes["a"].private[0]

    def astray(answer: Any) -> None:  # noqa: ANN401 - boto3's
        for row in answer["NatGateways"]:
            row["SubnetId"] = private

    for edit in (astray, regional):
        function.wire.edit("DescribeNatGateways", edit)
        function(naming(gateway, cloudformation), seconds=SHORT)
    refused, taken = cloudformation.answers
    assert (refused["Status"], taken["Status"]) == ("FAILED", "SUCCESS")
    why = f"{gateway}, which is in {private}, from which no route leads out; allowed: null, or a"
    assert why in refused["Reason"]


def test_first_refusal_of_a_route_is_told(region: Region, function: Function, gateway: str) -> None:
    """And not that the table has one, which the other call comes to."""
    function.wire.fail("ReplaceRoute", "InvalidParameterValue", mentions=gateway)
    returned = lose_all(region, function)
    errors = {row["error"] for row in returned["did"] if gateway in row["target"]} - {None}
    assert {error.partition(":")[0] for error in errors} == {"InvalidParameterValue"}


def test_deployment_fails_when_the_gateway_cannot_be_read(
    function: Function, gateway: str, cloudformation: CloudFormation
) -> None:
    """With AWS's words."""
    function.wire.fail("DescribeNatGateways", "UnauthorizedOperation")
    function(naming(gateway, cloudformation), seconds=SHORT)
    (answer,) = cloudformation.answers
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("the standby gateway could not be read: ClientError:")


def test_deployment_succeeds_while_the_gateway_serves(
    region: Region, function: Function, gateway: str, cloudformation: CloudFormation
) -> None:
    """Every subnet has internet, and none is led to a NAT that is not there."""
    lose_all(region, function)
    function(naming(gateway, cloudformation), seconds=SHORT)
    assert [answer["Status"] for answer in cloudformation.answers] == ["SUCCESS"]
    assert leads_to(region) == {gateway}


def test_gateway_that_was_lost_since_keeps_no_other_deployment_from_succeeding(
    function: Function, gateway: str, cloudformation: CloudFormation
) -> None:
    """Nor the rollback of one; that it is lost is told."""
    function.wire.edit("DescribeNatGateways", lambda answer: answer["NatGateways"].clear())
    asked = naming(gateway, cloudformation)
    asked["OldResourceProperties"] = asked["ResourceProperties"]
    function(asked, seconds=SHORT)
    assert [answer["Status"] for answer in cloudformation.answers] == ["SUCCESS"]


@pytest.mark.parametrize("operation", ["DescribeNatGateways", "GetItem", "UpdateItem"])
def test_stack_that_took_nothing_over_is_deleted_whatever_cannot_be_read(
    operation: str, region: Region, function: Function, cloudformation: CloudFormation
) -> None:
    """There is nothing to give back."""
    function.wire.fail(operation, "InternalServerError")
    function(messages.deployment("Delete", cloudformation.url), seconds=SHORT)
    assert [answer["Status"] for answer in cloudformation.answers] == ["SUCCESS"]
    assert region.served_by() == region.nats


def test_late_memory_is_no_news_of_the_gateway(
    region: Region, settings: Settings, deploy: Deploy, gateway: str
) -> None:
    """A table that somebody else leads there is not called on standby because nobody knows."""
    region.point("a", NatGatewayId=gateway)
    function = deploy(replace(settings, adopt=()))
    function(messages.SWEEP)
    region.notifications()
    function.wire.fail("GetItem", "InternalServerError")
    returned = function(messages.SWEEP)
    assert "on standby" in {row["verdict"] for row in returned["now"]}
    assert not [subject for subject, _ in region.notifications() if "STANDBY" in subject]


@pytest.mark.parametrize(
    "stored", [{"SS": ["{", "[]", '{"table":"rtb-1"}']}, {"N": "1"}, {"S": ""}]
)
def test_what_nobody_can_read_of_tables_on_standby_counts_as_nothing(
    stored: Any,  # noqa: ANN401 - of DynamoDB
    region: Region,
    function: Function,
    gateway: str,
) -> None:
    """Somebody wrote it who is not the function; tables are looked after all the same."""
    region.dynamodb.put_item(TableName=region.memory, Item={**KEY, "standbys": stored})
    region.point("a", NatGatewayId=gateway)
    returned = function(messages.SWEEP)
    assert returned["failure"] is None
    verdicts = {row["table"]: row["verdict"] for row in returned["now"]}
    assert verdicts[region.homes["a"].table] == "not ours"
