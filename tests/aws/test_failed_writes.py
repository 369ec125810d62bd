"""A write that fails is a result with AWS's code; the others are done, and it is retried."""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle
from typing import TYPE_CHECKING, Any

import pytest

from nat_failover.contract import Failback, Strategy
from tests.aws import messages
from tests.aws.conftest import SHORT, at_rest
from tests.aws.region import Region

if TYPE_CHECKING:
    from tests.aws.conftest import Deploy, Function

REFUSAL = "UnauthorizedOperation: any words of AWS"


def _errors(returned: dict[str, Any]) -> list[str | None]:
    """Return what became of the writes to EC2; the ring is written beside them."""
    return [write["error"] for write in returned["did"] if write["call"].startswith("ec2:")]


def _three_tables_of_one_nat(region: Region) -> None:
    """Let NAT a serve every table, and kill it."""
    for table in region.tables:
        region.point(table, NetworkInterfaceId=region.interface(region.nats["a"]))
    region.kill(region.nats["a"])


@pytest.fixture
def three(deploy: Deploy) -> tuple[Region, Function]:
    """Return a Region with three tables and two NATs, of which one is dead and served them all."""
    region = at_rest(Region(tables=("a", "b", "b2")))
    region.kill(region.nats.pop("b2"))
    _three_tables_of_one_nat(region)
    return region, deploy(replace(region.settings, failback=Failback.MANUAL))


def test_other_tables_move_when_one_replace_route_is_refused(
    three: tuple[Region, Function],
) -> None:
    """A table that cannot be written costs the others nothing, and the run says so at its end."""
    region, function = three
    function.wire.fail("ReplaceRoute", "UnauthorizedOperation", mentions=region.homes["a"].table)

    returned = function(messages.SWEEP, seconds=SHORT)

    assert region.served_by() == {"a": None, "b": region.nats["b"], "b2": region.nats["b"]}
    assert set(_errors(returned)) == {None, REFUSAL}
    left = f"time was up with 1 writes left to do; {REFUSAL}; {region.name}a has no internet ("
    assert returned["failure"].startswith(left)


def test_other_tables_open_when_one_create_route_is_refused(fresh: Region, deploy: Deploy) -> None:
    """The same at the first launch."""
    function = deploy(fresh.settings)
    function.wire.fail("CreateRoute", "UnauthorizedOperation", mentions=fresh.homes["a"].table)

    returned = function(messages.SWEEP, seconds=SHORT)

    assert fresh.served_by() == {"a": None, "b": fresh.nats["b"]}
    assert REFUSAL in _errors(returned)


def test_other_nats_serve_when_one_check_cannot_be_switched_off(
    fresh: Region, deploy: Deploy
) -> None:
    """A NAT that may not forward serves nobody; the other one serves all."""
    function = deploy(fresh.settings)
    function.wire.fail(
        "ModifyNetworkInterfaceAttribute",
        "UnauthorizedOperation",
        mentions=fresh.interface(fresh.nats["a"]),
    )

    returned = function(messages.SWEEP, seconds=SHORT)

    assert fresh.served_by() == {"a": fresh.nats["b"], "b": fresh.nats["b"]}
    assert REFUSAL in _errors(returned)
    assert REFUSAL in returned["failure"]


def test_route_is_replaced_when_a_subnet_may_not_have_the_other_table(deploy: Deploy) -> None:
    """A subnet that cannot leave its table is served in it, within the run that found out."""
    region = at_rest(Region(subnets_per_table=2))
    function = deploy(replace(region.settings, strategy=Strategy.SWAP_ROUTE_TABLE))
    stays = region.associations("a")[region.homes["a"].private[0]]
    region.kill(region.nats["a"])
    function.wire.fail("ReplaceRouteTableAssociation", "UnauthorizedOperation", mentions=stays)

    returned = function(messages.SWEEP)

    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}
    assert set(region.associations("a")) == set(region.homes["a"].private)
    assert REFUSAL in _errors(returned)


@pytest.mark.parametrize(
    ("write", "code"),
    [
        ("ReplaceRoute", "InvalidNetworkInterfaceID.NotFound"),
        ("CreateRoute", "InvalidNetworkInterfaceID.NotFound"),
        ("ModifyNetworkInterfaceAttribute", "InvalidNetworkInterfaceID.NotFound"),
    ],
)
def test_write_is_repeated_when_ec2_does_not_know_the_nat_yet(
    write: str, code: str, deploy: Deploy
) -> None:
    """EC2 is eventually consistent: what one call describes another may not find yet."""
    region = Region()
    nat = region.launch("b", checked=True)
    region.point("a", NetworkInterfaceId=region.interface(region.launch("a")))
    region.kill(region.nats["a"])
    function = deploy(region.settings)
    function.wire.fail(write, code, times=1)

    returned = function(messages.SWEEP)

    assert region.served_by() == {"a": nat, "b": nat}
    assert f"{code}: any words of AWS" in _errors(returned)
    assert returned["failure"] is None


def test_next_run_moves_a_subnet_when_its_move_was_refused_in_the_one_before(
    region: Region, deploy: Deploy
) -> None:
    """A refusal is forgotten with the run, and the subnet has egress meanwhile."""
    function = deploy(replace(region.settings, strategy=Strategy.SWAP_ROUTE_TABLE))
    region.kill(region.nats["a"])
    function.wire.fail("ReplaceRouteTableAssociation", "InvalidAssociationID.NotFound", times=1)
    function(messages.SWEEP)
    assert region.served_by()["a"] == region.nats["b"]
    region.lose_route("a")

    returned = function(messages.SWEEP)

    assert region.associations("a") == {}
    assert returned["failure"] is None


def test_another_nat_serves_when_aws_refuses_the_one_at_home(deploy: Deploy) -> None:
    """Within the run the table gets another usable NAT; the run says that home was refused."""
    region = Region(tables=("a", "b"))
    home, away = region.launch("a"), region.launch("b")
    region.point("b", NetworkInterfaceId=region.interface(away))
    function = deploy(region.settings)
    function.wire.fail("CreateRoute", "InvalidParameterValue", mentions=region.interface(home))
    function.wire.fail("ReplaceRoute", "UnauthorizedOperation", mentions=region.interface(home))

    returned = function(messages.SWEEP)

    assert region.served_by() == {"a": away, "b": away}
    assert {nat["health"] for nat in returned["saw"]} == {"usable"}
    assert returned["failure"] == "AWS refused a write; InvalidParameterValue: any words of AWS"
    assert returned["observations"] == 3


@pytest.mark.parametrize("code", ["RequestLimitExceeded", "InternalError", "Unavailable"])
def test_write_is_retried_within_the_call_when_ec2_is_busy(
    code: str, region: Region, function: Function
) -> None:
    """Throttling and faults are botocore's to retry, so that the table need not wait."""
    region.kill(region.nats["a"])
    function.wire.fail("ReplaceRoute", code, times=3)

    returned = function(messages.SWEEP)

    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}
    assert function.wire.requests.count("ReplaceRoute") == 4
    assert _errors(returned) == [None]


def test_write_is_given_up_when_throttling_does_not_end(region: Region, function: Function) -> None:
    """What is left stays for the next sweep."""
    region.kill(region.nats["a"])
    function.wire.fail("ReplaceRoute", "RequestLimitExceeded")

    returned = function(messages.SWEEP, seconds=SHORT)

    assert "RequestLimitExceeded" in returned["failure"]
    assert region.served_by() == {"a": None, "b": region.nats["b"]}


def test_sweep_goes_on_when_the_run_before_had_no_time_left(
    region: Region, function: Function
) -> None:
    """A failure is not remembered."""
    region.kill(region.nats["a"])
    function.wire.fail("ReplaceRoute", "UnauthorizedOperation", times=2)
    function(messages.SWEEP)

    returned = function(messages.SWEEP)

    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}
    assert returned["failure"] is None


def test_route_is_created_when_it_vanished_between_observation_and_write(
    region: Region, function: Function
) -> None:
    """ReplaceRoute is refused with InvalidParameterValue, and CreateRoute does it at once."""
    region.kill(region.nats["a"])
    function.wire.hold("ReplaceRoute", lambda: region.lose_route("a"))

    returned = function(messages.SWEEP)

    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}
    assert function.wire.written() == ["CreateRoute", "ReplaceRoute"]
    assert _errors(returned) == [None]


def test_route_is_created_whichever_word_ec2_has_for_a_missing_one(
    region: Region, function: Function
) -> None:
    """It says InvalidParameterValue where its own list has a better word."""
    region.kill(region.nats["a"])
    function.wire.hold("ReplaceRoute", lambda: region.lose_route("a"))
    function.wire.fail("ReplaceRoute", "InvalidRoute.NotFound")

    function(messages.SWEEP)

    assert region.served_by() == {"a": region.nats["b"], "b": region.nats["b"]}


def test_route_is_replaced_when_it_appeared_between_observation_and_write(
    region: Region, function: Function
) -> None:
    """CreateRoute is refused with RouteAlreadyExists, and ReplaceRoute does it at once."""
    elsewhere = region.interface(region.nats["b"])
    region.lose_route("a")
    function.wire.hold("CreateRoute", lambda: region.point("a", NetworkInterfaceId=elsewhere))

    returned = function(messages.SWEEP)

    assert region.served_by() == region.nats
    assert function.wire.written() == ["CreateRoute", "ReplaceRoute"]
    assert _errors(returned) == [None]


def test_second_refusal_is_the_result_when_both_ways_to_write_a_route_fail(
    region: Region, function: Function
) -> None:
    """The error that counts is that of the last try."""
    region.kill(region.nats["a"])
    function.wire.fail("ReplaceRoute", "InvalidParameterValue")
    function.wire.fail("CreateRoute", "UnauthorizedOperation")

    returned = function(messages.SWEEP, seconds=SHORT)

    assert set(_errors(returned)) == {REFUSAL}


def test_other_writes_are_done_when_something_else_than_aws_answers_one(
    fresh: Region, deploy: Deploy
) -> None:
    """An answer that cannot be read is a result too."""
    function = deploy(fresh.settings)
    function.wire.garble("CreateRoute", "<html><body>any proxy's words")

    returned = function(messages.SWEEP, seconds=SHORT)

    assert not any(fresh.is_checked(nat) for nat in fresh.nats.values())
    assert [error is None for error in _errors(returned)[:4]] == [True, True, False, False]
    assert "ResponseParserError" in returned["failure"]


def test_loss_is_reported_when_a_write_and_a_read_fail(region: Region, function: Function) -> None:
    """Whatever fails, the run ends with a report of what it had seen and done before."""
    region.kill(region.nats["a"])
    function.wire.fail("ReplaceRoute", "UnauthorizedOperation")
    answers = iter([None])

    def fail_the_second_look() -> None:
        if next(answers, "over") == "over":
            function.wire.fail("DescribeInstances", "UnauthorizedOperation")

    function.wire.hold("DescribeInstances", fail_the_second_look)

    returned = function(messages.SWEEP, seconds=SHORT)

    assert _errors(returned) == [REFUSAL]
    assert "DescribeInstances" in returned["failure"]
    assert {nat["health"] for nat in returned["saw"]} == {"gone", "usable"}


def test_run_ends_when_every_observation_finds_something_new_to_do(
    region: Region, function: Function
) -> None:
    """A network that never comes to rest must not keep a run, and the API, busy without end."""
    elsewhere = cycle([region.nats["b"], region.launch("b")])

    def tamper() -> None:
        region.point("a", NetworkInterfaceId=region.interface(next(elsewhere)))

    function.wire.hold("DescribeRouteTables", tamper)

    returned = function(messages.SWEEP, seconds=SHORT)

    assert returned["failure"] == "time was up with 1 writes left to do"
