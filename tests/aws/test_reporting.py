"""What a run leaves behind: log, metrics, notifications, return value."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from nat_failover.contract import Failback
from nat_failover.incidents import REDUNDANCY_GRACE_S, Incident
from tests.aws import messages
from tests.aws.conftest import SHORT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.aws.conftest import Deploy, Function
    from tests.aws.region import Region

    Logged = Callable[[], list[dict[str, Any]]]


def _metrics(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the metrics of the only line that holds some, as CloudWatch would read them.

    The rules are those of the embedded metric format's specification (CloudWatch user guide).
    """
    (line,) = [line for line in lines if "_aws" in line]
    stamp, directives = line["_aws"]["Timestamp"], line["_aws"]["CloudWatchMetrics"]
    assert abs(stamp / 1000 - time.time()) < 60
    (directive,) = directives
    assert directive["Namespace"] == "NatFailover"
    assert [[line[key] for key in keys] for keys in directive["Dimensions"]] == [["any-stack"]]
    assert all(metric["Unit"] == "Count" for metric in directive["Metrics"])
    return {metric["Name"]: line[metric["Name"]] for metric in directive["Metrics"]}


def test_notification_says_what_happened_once_and_when_it_is_over(
    region: Region, function: Function
) -> None:
    """One message when a NAT died, whoever tells of it, and one when its table is home again."""
    dead, survivor = region.nats["a"], region.nats["b"]
    region.kill(dead)

    function(messages.state_change(dead, "shutting-down"))
    function(messages.terminated(region, dead))
    function(messages.SWEEP)

    ((subject, text),) = region.notifications()
    home = region.homes["a"]
    assert subject == "DEGRADED: any-stack in eu-west-1 (eu-west-1a)"
    assert text.startswith("All private subnets have internet access now, unless another NAT was")
    assert "Done: 1 route table moved." in text
    assert f"- {home.table} of eu-west-1a ({home.private[0]}) to {survivor}" in text
    assert "To do: " in text
    assert "account 123456789012, Region eu-west-1" in text
    assert f"VPC {region.vpc}" in text

    region.replace(dead)
    function(messages.SWEEP)
    region.settle()
    function(messages.SWEEP)

    ((subject, text),) = region.notifications()
    assert subject == "HEALED: any-stack in eu-west-1"
    assert text.startswith("All private subnets have internet access now.")
    assert "Over after 0 min" in text


def test_notification_does_not_say_that_a_failover_is_over_when_the_other_nat_died(
    region: Region, function: Function
) -> None:
    """It did not end well, so the message of the outage does not count it as over."""
    region.kill(region.nats["a"])
    function(messages.state_change(region.nats["a"], "shutting-down"))
    region.kill(region.nats["b"])
    region.notifications()

    function(messages.SWEEP)

    ((subject, text),) = region.notifications()
    assert subject.startswith("NO INTERNET: ")
    assert "Over after" not in text


def test_notification_asks_for_failback_only_when_it_is_manual(
    region: Region, deploy: Deploy
) -> None:
    """With manual failback the function will not, so the advice is another one."""
    region.kill(region.nats["a"])

    deploy(replace(region.settings, failback=Failback.MANUAL))(messages.SWEEP)

    ((_, text),) = region.notifications()
    assert "To do: when the replacement is usable, fail the tables back" in text


def test_notification_names_the_subnets_without_egress_when_the_last_nat_died(
    region: Region, function: Function
) -> None:
    """The message names zones and subnets, also when a sweep is the first to see it."""
    for nat in region.nats.values():
        region.kill(nat)

    function(messages.SWEEP)
    function(messages.terminated(region, region.nats["a"]))

    ((subject, text),) = region.notifications()
    assert subject == "NO INTERNET: any-stack in eu-west-1 (eu-west-1a, eu-west-1b)"
    assert text.startswith("NO internet access now: 2 private subnets, ")
    assert all(home.private[0] in text for home in region.homes.values())


def test_notification_names_a_route_that_leads_elsewhere(
    region: Region, function: Function
) -> None:
    """The function leaves it alone, so somebody has to hear of it."""
    gateway = region.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    region.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=region.vpc)
    region.point("a", GatewayId=gateway)

    function(messages.SWEEP)
    function(messages.SWEEP)

    ((_, text),) = region.notifications()
    assert gateway in text
    assert "failover.adopt" in text


def test_notification_says_that_redundancy_is_lost_when_no_replacement_came(
    region: Region, function: Function, logged: Logged
) -> None:
    """The state since when is remembered from run to run."""
    region.kill(region.nats["a"])
    function(messages.SWEEP)
    began = region.remembered()
    since = tuple((i, start - REDUNDANCY_GRACE_S) for i, start in began.since)
    region.remember(replace(began, since=since))
    region.notifications()

    function(messages.SWEEP)
    function(messages.SWEEP)

    ((subject, text),) = region.notifications()
    assert subject.startswith("NOT REDUNDANT: ")
    assert "fewer NATs than wanted" in text
    assert [line for line in text.splitlines() if line.startswith("To do: ")] == [
        (
            "To do: look at the group's activity history: why is there no replacement, or none in"
            " another zone? The next failure would cut users off."
        )
    ]
    assert logged()[-1]["RedundancyLost"] == 1


def test_notification_says_that_all_nats_are_in_one_zone(
    region: Region, function: Function
) -> None:
    """Two of two are usable then, and still the next failure of that zone would be the last."""
    region.kill(region.nats["a"])
    region.launch("b")

    function(messages.SWEEP)

    ((_, text),) = region.notifications()
    assert "NATs: 2 of 2 usable, all in eu-west-1b." in text


def test_log_of_a_run_is_bounded_when_somebody_enlarged_the_group(
    region: Region, function: Function
) -> None:
    """All are judged; as many as the settings allow are listed."""

    def enlarge(answer: Any) -> None:  # noqa: ANN401 - a parsed answer
        (group,) = answer["AutoScalingGroups"]
        group["Instances"] += [
            {**group["Instances"][0], "InstanceId": f"i-{number:017x}"} for number in range(2000)
        ]

    function.wire.edit("DescribeAutoScalingGroups", enlarge)
    region.kill(region.nats["a"])

    returned = function(messages.SWEEP)

    assert region.served_by()["a"] == region.nats["b"]
    assert len(returned["saw"]) == 100
    assert len(json.dumps(returned)) < 20_000


def test_only_the_run_that_wins_the_memory_publishes(region: Region, function: Function) -> None:
    """A run whose claim comes too late publishes nothing."""
    region.kill(region.nats["a"])
    function.wire.fail("PutItem", "ConditionalCheckFailedException")

    function(messages.terminated(region, region.nats["a"]))

    assert region.notifications() == []


@pytest.mark.parametrize("operation", ["GetItem", "PutItem"])
@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "AccessDenied"])
def test_notification_comes_once_and_routes_are_repaired_when_the_memory_fails(
    operation: str, code: str, region: Region, function: Function
) -> None:
    """The environment's own memory stands in; only failback waits for one that cannot be read."""
    region.kill(region.nats["a"])
    function.wire.fail(operation, code)

    for _ in range(3):
        function(messages.SWEEP)

    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}
    assert len(region.notifications()) == 1


ABSURD = [
    '{"settled":true,"since":{"failover":1%s},"notified":[],"notifications":[]}' % ("0" * 400),
    '{"settled":true,"since":{"failover":1e300},"notified":["failover"],"notifications":[]}',
    '{"settled":true,"since":{"failover":NaN},"notified":["failover"],"notifications":[]}',
    '{"settled":true,"since":{"failover":-1e300},"notified":["failover"],"notifications":[]}',
    '{"settled":true,"since":{},"notified":[],"notifications":[{"opened":{},"over":{"failover":1e300},"claimed":1}]}',
    '{"settled":true,"since":{},"notified":[],"notifications":[{"opened":{},"over":{},"claimed":1e400}]}',
]


@pytest.mark.parametrize("state", ABSURD, ids=range(len(ABSURD)))
@pytest.mark.parametrize("version", ["5", "1e125"])
def test_routes_are_repaired_and_the_memory_recovers_when_it_holds_absurd_times(
    state: str, version: str, region: Region, function: Function
) -> None:
    """It is as good as none, and written over by the next run that has something to keep."""
    _forge(region, state, version)
    function(messages.SWEEP)
    region.kill(region.nats["a"])

    function(messages.terminated(region, region.nats["a"]))
    function(messages.SWEEP)

    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}
    assert dict(region.remembered().since).keys() >= {Incident.FAILOVER}


def test_incidents_are_notified_that_the_memory_puts_into_the_future(
    region: Region, function: Function
) -> None:
    """What began later than now began now."""
    future = time.time() + 10**8
    since = {"no egress": future, "redundancy lost": future, "failover": future}
    _forge(
        region,
        json.dumps({"settled": True, "since": since, "notified": [], "notifications": []}),
        "5",
    )
    for nat in region.nats.values():
        region.kill(nat)

    function(messages.SWEEP)

    assert len(region.notifications()) == 1
    assert max(moment for _, moment in region.remembered().since) <= time.time()


def _forge(region: Region, state: str, version: str) -> None:
    """Put a state into the memory that the function would never write."""
    item = {"key": {"S": "incidents"}, "version": {"N": version}, "state": {"S": state}}
    region.dynamodb.put_item(
        TableName=region.memory, Item={**item, "expires": {"N": "99999999999"}}
    )


def test_notification_comes_later_when_it_could_not_be_published(
    region: Region, function: Function
) -> None:
    """The next run publishes what this one could not."""
    region.kill(region.nats["a"])
    function.wire.fail("Publish", "AuthorizationError", times=1)
    function(messages.SWEEP)
    assert region.notifications() == []

    function(messages.SWEEP)
    function(messages.SWEEP)

    assert len(region.notifications()) == 1


@pytest.mark.parametrize("times", [1, 1000])
def test_notification_comes_once_when_others_write_the_memory_meanwhile(
    times: int, region: Region, function: Function
) -> None:
    """That it was published is written again, or left, if they never stop."""
    region.kill(region.nats["a"])
    function.wire.hold(
        "Publish",
        lambda: function.wire.fail("PutItem", "ConditionalCheckFailedException", times=times),
    )

    for _ in range(3):
        function(messages.SWEEP)

    assert len(region.notifications()) == 1


def test_notification_comes_once_when_the_memory_cannot_be_reached_to_write(
    region: Region, function: Function
) -> None:
    """The environment's own memory stands in."""

    def time_out() -> None:
        raise ConnectTimeoutError(endpoint_url="any")

    region.kill(region.nats["a"])
    function.wire.hold("PutItem", time_out)

    for _ in range(2):
        function(messages.SWEEP)

    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}
    assert len(region.notifications()) == 1


def test_nothing_is_published_when_nothing_changed(region: Region, function: Function) -> None:
    """Neither a sweep nor a launch that changes nothing is news."""
    function(messages.SWEEP)
    function(messages.launched(region, region.nats["a"]))

    assert region.notifications() == []


def test_nothing_is_published_when_only_a_check_was_switched_off(
    region: Region, function: Function
) -> None:
    """A launch that does not change routing is none of their business."""
    region.launch("a", checked=True)

    function(messages.SWEEP)

    assert "ModifyNetworkInterfaceAttribute" in function.wire.written()
    assert region.notifications() == []


def test_routing_is_repaired_when_publishing_is_refused(
    region: Region, function: Function, logged: Logged
) -> None:
    """Routing does not depend on the outcome topic; the refusal is in the log, once."""
    region.kill(region.nats["a"])
    function.wire.fail("Publish", "AuthorizationError")

    returned = function(messages.terminated(region, region.nats["a"]))

    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}
    assert returned["failure"] is None
    (problem,) = [line["problem"] for line in logged() if "problem" in line]
    assert "AuthorizationError" in problem


def test_return_value_says_what_was_seen_decided_and_done_when_a_nat_died(
    region: Region, function: Function
) -> None:
    """What Lambda returns is plain JSON of one shape."""
    dead, survivor = region.nats["a"], region.nats["b"]
    region.kill(dead)
    table, zone = region.homes["a"].table, region.homes["a"].zone

    returned = function(messages.terminated(region, dead))

    (decision,) = returned["decided"]
    write, ring = returned["did"]
    assert list(returned) == ["trigger", "observations", "saw", "decided", "did", "now", "failure"]
    assert returned["trigger"] == ["terminated"]
    assert returned["observations"] == 2
    assert {(nat["nat"], nat["health"]) for nat in returned["saw"]} == {
        (dead, "gone"),
        (survivor, "usable"),
    }
    assert (decision["table"], decision["zone"], decision["verdict"], decision["nat"]) == (
        table,
        zone,
        "repair elsewhere",
        survivor,
    )
    assert (write["call"], write["done"], write["error"]) == ("ec2:ReplaceRoute", True, None)
    assert (ring["call"], ring["done"], ring["error"]) == ("dynamodb:PutItem", True, None)
    assert {row["verdict"] for row in returned["now"]} == {"keep"}
    assert returned["failure"] is None


def test_log_has_a_line_for_each_decision_and_write_when_a_nat_died(
    region: Region, function: Function, logged: Logged
) -> None:
    """Each line is a JSON object that says what it is about; the last one is the run."""
    region.kill(region.nats["a"])

    returned = function(messages.terminated(region, region.nats["a"]))

    lines = logged()
    assert [(line["level"], line["message"]) for line in lines] == [
        ("INFO", "decision"),
        ("INFO", "write"),
        ("INFO", "write"),
        ("INFO", "run"),
        ("INFO", "message"),
    ]
    assert lines[0].items() >= returned["decided"][0].items()
    assert lines[1]["call"] == returned["did"][0]["call"] == "ec2:ReplaceRoute"
    assert lines[1]["target"].startswith(region.homes["a"].table)
    assert lines[3]["saw"] == returned["saw"]


def test_log_is_loud_when_no_nat_is_left(
    region: Region, function: Function, logged: Logged
) -> None:
    """An error line for every table without egress, at every run."""
    for nat in region.nats.values():
        region.kill(nat)

    function(messages.SWEEP)

    loud = [line["verdict"] for line in logged() if line["level"] == "ERROR"]
    assert loud == ["no egress"] * 2


def test_log_has_no_error_when_the_stack_is_deployed(
    fresh: Region, deploy: Deploy, logged: Logged
) -> None:
    """A NAT whose check is about to be switched off is no incident."""
    deploy(fresh.settings)(messages.launched(fresh, fresh.nats["a"]))

    assert [line for line in logged() if line["level"] == "ERROR"] == []


def test_metrics_count_nats_and_moves_when_a_nat_died(
    region: Region, function: Function, logged: Logged
) -> None:
    """Each run writes one line in CloudWatch's embedded metric format."""
    region.kill(region.nats["a"])

    function(messages.terminated(region, region.nats["a"]))

    assert _metrics(logged()) == {
        "UsableNats": 1,
        "NoEgress": 0,
        "NotOurs": 0,
        "RedundancyLost": 0,
        "Moves": 1,
        "Failures": 0,
    }


def test_metrics_count_tables_without_egress_when_no_nat_is_left(
    region: Region, function: Function, logged: Logged
) -> None:
    """The alarm watches this number."""
    for nat in region.nats.values():
        region.kill(nat)

    function(messages.SWEEP)

    assert _metrics(logged()) == {
        "UsableNats": 0,
        "NoEgress": 2,
        "NotOurs": 0,
        "RedundancyLost": 0,
        "Moves": 0,
        "Failures": 0,
    }


def test_metrics_keep_silent_about_the_network_when_the_observation_failed(
    function: Function, logged: Logged
) -> None:
    """A network that nobody saw has no number of NATs; zero would be a lie."""
    function.wire.fail("DescribeInstances", "UnauthorizedOperation")

    function(messages.SWEEP, seconds=SHORT)

    assert _metrics(logged()) == {"Moves": 0, "Failures": 1}
