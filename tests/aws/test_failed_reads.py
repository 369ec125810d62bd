"""A failed read is not an empty world: after one that failed or was cut short no write follows.

In every test a NAT is dead, so that a complete observation would lead to a write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.aws import messages
from tests.aws.conftest import SHORT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.aws.conftest import Function
    from tests.aws.region import Region

    Answer = dict[str, Any]

READS = pytest.mark.parametrize(
    "read", ["DescribeInstances", "DescribeAutoScalingGroups", "DescribeRouteTables"]
)


@pytest.fixture
def failure(
    region: Region, function: Function, logged: Callable[[], list[dict[str, Any]]]
) -> Callable[[], str]:
    """Return a callable that runs the function and says how it failed, having written nothing."""

    def run() -> str:
        region.kill(region.nats["a"])
        returned = function(messages.terminated(region, region.nats["a"]), seconds=SHORT)
        assert function.wire.writes == []
        assert region.served_by() == {"a": None, "b": region.nats["b"]}
        logged_failures = [line["failure"] for line in logged() if line["message"] == "failure"]
        assert logged_failures == [returned["failure"]]
        assert region.notifications() == []
        return str(returned["failure"])

    return run


@READS
def test_nothing_is_written_when_a_read_is_refused(
    read: str, function: Function, failure: Callable[[], str]
) -> None:
    """A missing permission stops the run with AWS's code."""
    function.wire.fail(read, "UnauthorizedOperation")

    assert "UnauthorizedOperation" in failure()


@READS
def test_nothing_is_written_when_a_read_is_throttled_beyond_the_retries(
    read: str, function: Function, failure: Callable[[], str]
) -> None:
    """Each observation asks four times."""
    function.wire.fail(read, "RequestLimitExceeded")

    assert "RequestLimitExceeded" in failure()
    assert function.wire.requests.count(read) == 4 * function.wire.count(read)


@READS
def test_nothing_is_written_when_a_later_page_fails(
    read: str, function: Function, failure: Callable[[], str]
) -> None:
    """The first page is a part of the truth and therefore not used."""
    function.wire.edit(read, lambda answer: answer.update(NextToken="any-second-page"))
    function.wire.fail(read, "InternalError", mentions="any-second-page")

    assert "InternalError" in failure()


@READS
@pytest.mark.parametrize("status", [200, 502])
def test_nothing_is_written_when_something_else_than_aws_answers(
    status: int, read: str, function: Function, failure: Callable[[], str]
) -> None:
    """A body that is cut off, or is not AWS's at all, is no answer."""
    function.wire.garble(read, "<html><body>any proxy's words", status=status)

    assert failure()


def _lose(*path: str | int) -> Callable[[Answer], None]:
    """Return an edit that takes away what is at a path in an answer."""

    def edit(answer: Any) -> None:  # noqa: ANN401 - a parsed answer of any shape
        *above, last = path
        for key in above:
            answer = answer[key]
        del answer[last]

    return edit


_INSTANCE = ("Reservations", 0, "Instances", 0)
_GROUP = ("AutoScalingGroups", 0)
_MAIN, _TABLE = ("RouteTables", 0), ("RouteTables", 2)
CUTS = [
    ("DescribeInstances", ("Reservations",)),
    ("DescribeInstances", _INSTANCE[:3]),
    ("DescribeInstances", (*_INSTANCE, "InstanceId")),
    ("DescribeInstances", (*_INSTANCE, "State")),
    ("DescribeInstances", (*_INSTANCE, "State", "Name")),
    ("DescribeAutoScalingGroups", ("AutoScalingGroups",)),
    ("DescribeAutoScalingGroups", _GROUP),
    ("DescribeAutoScalingGroups", (*_GROUP, "Instances")),
    ("DescribeAutoScalingGroups", (*_GROUP, "Instances", 0, "InstanceId")),
    ("DescribeAutoScalingGroups", (*_GROUP, "Instances", 0, "LifecycleState")),
    ("DescribeAutoScalingGroups", (*_GROUP, "Instances", 0, "HealthStatus")),
    ("DescribeRouteTables", ("RouteTables",)),
    ("DescribeRouteTables", _MAIN),
    ("DescribeRouteTables", (*_MAIN, "Associations", 0, "Main")),
    ("DescribeRouteTables", (*_TABLE, "RouteTableId")),
    ("DescribeRouteTables", (*_TABLE, "Routes")),
    ("DescribeRouteTables", (*_TABLE, "Routes", 1, "State")),
    ("DescribeRouteTables", (*_TABLE, "Associations")),
    ("DescribeRouteTables", (*_TABLE, "Associations", 0, "RouteTableAssociationId")),
]


@pytest.mark.parametrize(
    ("read", "path"), CUTS, ids=[f"{read}-{'.'.join(map(str, path))}" for read, path in CUTS]
)
def test_nothing_is_written_when_an_answer_is_cut_short(
    read: str, path: tuple[str | int, ...], function: Function, failure: Callable[[], str]
) -> None:
    """What should be in an answer and is not makes the whole observation incomplete."""
    function.wire.edit(read, _lose(*path))

    assert failure().startswith("IncompleteError: ")


def test_nothing_is_written_when_a_destination_is_no_network(
    function: Function, failure: Callable[[], str]
) -> None:
    """EC2 never says so; what it might mean is not guessed."""

    def spoil(answer: Any) -> None:  # noqa: ANN401 - a parsed answer
        answer["RouteTables"][2]["Routes"][1]["DestinationCidrBlock"] = "10.0.0.0/99"

    function.wire.edit("DescribeRouteTables", spoil)

    assert failure().startswith("IncompleteError: an answer has not the documented shape")


def test_others_are_repaired_when_ec2_does_not_describe_a_table(
    region: Region, function: Function
) -> None:
    """A table that somebody deleted is reported by its id, and costs the other zones nothing."""
    function.wire.edit("DescribeRouteTables", _lose(*_TABLE))
    region.kill(region.nats["b"])

    returned = function(messages.SWEEP)

    assert region.served_by() == {"a": region.nats["a"], "b": region.nats["a"]}
    decided = {row["table"]: (row["verdict"], row["reason"]) for row in returned["now"]}
    assert decided[region.homes["a"].table] == ("missing", "EC2 does not describe it")


def test_nothing_is_written_when_an_instance_state_is_new(
    function: Function, failure: Callable[[], str]
) -> None:
    """A word that EC2 did not use so far may mean anything."""

    def rename(answer: Answer) -> None:
        answer["Reservations"][0]["Instances"][0]["State"]["Name"] = "any-new-state"

    function.wire.edit("DescribeInstances", rename)

    assert "any-new-state" in failure()


def test_nothing_is_written_when_no_instance_is_described(
    region: Region, function: Function
) -> None:
    """An empty answer makes every NAT unknown, and no route is taken from an unknown NAT."""
    region.kill(region.nats["a"])
    function.wire.edit("DescribeInstances", lambda answer: answer["Reservations"].clear())

    function(messages.SWEEP)

    assert function.wire.writes == []
    assert region.served_by() == {"a": None, "b": region.nats["b"]}


def test_table_moves_when_only_the_group_still_knows_its_nat(
    region: Region, function: Function
) -> None:
    """EC2 forgets an instance some time after its death, and its table is repaired then too."""

    def forget(answer: Answer) -> None:
        for reservation in answer["Reservations"]:
            reservation["Instances"] = [
                row for row in reservation["Instances"] if row["InstanceId"] != region.nats["a"]
            ]

    function.wire.edit("DescribeInstances", forget)

    function(messages.SWEEP)

    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}


@READS
def test_observation_succeeds_when_throttling_ends_within_the_retries(
    read: str, region: Region, function: Function
) -> None:
    """Three refusals in a row cost time and nothing else."""
    region.kill(region.nats["a"])
    function.wire.fail(read, "RequestLimitExceeded", times=3)

    returned = function(messages.terminated(region, region.nats["a"]))

    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}
    assert (returned["failure"], returned["observations"]) == (None, 2)


@READS
def test_observation_is_repeated_when_a_read_failed_once(
    read: str, region: Region, function: Function
) -> None:
    """A run goes on while it has time."""
    region.kill(region.nats["a"])
    function.wire.fail(read, "UnauthorizedOperation", times=1)

    returned = function(messages.terminated(region, region.nats["a"]))

    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}
    assert (returned["failure"], returned["observations"]) == (None, 3)


@pytest.mark.parametrize(
    ("read", "rows"),
    [
        ("DescribeInstances", "Reservations"),
        ("DescribeAutoScalingGroups", "AutoScalingGroups"),
        ("DescribeRouteTables", "RouteTables"),
    ],
)
def test_every_page_is_read_when_an_answer_has_several(
    read: str, rows: str, region: Region, function: Function
) -> None:
    """The last page counts as much as the first."""
    region.kill(region.nats["a"])
    function.wire.second_page(read, rows)

    returned = function(messages.terminated(region, region.nats["a"]))

    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}
    assert (returned["observations"], function.wire.count(read)) == (2, 4)
