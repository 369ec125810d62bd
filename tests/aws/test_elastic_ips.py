"""The function gives NATs the Elastic IPs of its settings, and repairs routes whatever becomes."""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from tests.aws import messages
from tests.aws.conftest import SHORT

if TYPE_CHECKING:
    from nat_failover.contract import Settings
    from tests.aws.cloudformation import CloudFormation
    from tests.aws.conftest import Deploy
    from tests.aws.region import Region

GONE = "eipalloc-00000000000000000"


@pytest.fixture
def ips(fresh: Region) -> tuple[str, str]:
    """Return two Elastic IPs of the account of a stack whose NATs have just been launched."""
    first, second = (fresh.ec2.allocate_address(Domain="vpc")["AllocationId"] for _ in fresh.tables)
    return first, second


def settings(region: Region, *elastic_ips: str) -> Settings:
    """Return the settings of a stack whose NATs have Elastic IPs."""
    return replace(region.settings, elastic_ips=elastic_ips, launch=region.template)


def holders(region: Region) -> dict[str, str | None]:
    """Return the interface of each Elastic IP."""
    rows = region.ec2.describe_addresses()["Addresses"]
    return {row["AllocationId"]: row.get("NetworkInterfaceId") or None for row in rows}


def of_nats(region: Region) -> set[str]:
    """Return the interfaces of the NATs."""
    return {region.interface(nat) for nat in region.nats.values()}


def failure(returned: dict[str, Any]) -> str:
    """Return why a run could not finish, or nothing."""
    return returned["failure"] or ""


def test_each_nat_gets_an_elastic_ip_beside_its_routes(
    fresh: Region, ips: tuple[str, str], deploy: Deploy
) -> None:
    """In one run, and no other writes anything."""
    function = deploy(settings(fresh, *ips))
    assert not failure(function(messages.SWEEP))
    assert fresh.served_by() == fresh.nats
    assert set(holders(fresh).values()) == of_nats(fresh)
    before = len(function.wire.writes)
    function(messages.SWEEP)
    assert not [c for c in function.wire.writes[before:] if c.operation == "AssociateAddress"]


def test_nat_that_was_launched_otherwise_keeps_its_address(
    fresh: Region, ips: tuple[str, str], deploy: Deploy
) -> None:
    """It is about to be replaced, and its flows last until then."""
    function = deploy(replace(settings(fresh, *ips), launch="lt-other"))
    assert not failure(function(messages.SWEEP))
    assert set(holders(fresh).values()) == {None}


def test_elastic_ip_that_is_gone_hides_no_other(
    fresh: Region, ips: tuple[str, str], deploy: Deploy
) -> None:
    """EC2 refuses to describe it, and describes the others."""
    function = deploy(settings(fresh, GONE, ips[0]))
    assert not failure(function(messages.SWEEP))
    assert holders(fresh)[ips[0]] in of_nats(fresh)


@pytest.mark.parametrize("broken", ["refused", "garbled"])
def test_routes_are_repaired_when_the_elastic_ips_cannot_be_read(
    fresh: Region, ips: tuple[str, str], deploy: Deploy, broken: str
) -> None:
    """Nothing is associated, and nothing waits for it."""
    function = deploy(settings(fresh, *ips))
    if broken == "refused":
        function.wire.fail("DescribeAddresses", "UnauthorizedOperation")
    else:
        function.wire.garble("DescribeAddresses", "<any/>")
    function(messages.SWEEP, seconds=SHORT)
    assert fresh.served_by() == fresh.nats
    assert set(holders(fresh).values()) == {None}


def test_refused_association_is_a_result_and_no_reason_to_stop(
    fresh: Region, ips: tuple[str, str], deploy: Deploy
) -> None:
    """The other NAT gets the other one, and the run says what AWS said."""
    function = deploy(settings(fresh, *ips))
    function.wire.fail("AssociateAddress", "UnauthorizedOperation", mentions=ips[0])
    returned = function(messages.SWEEP, seconds=SHORT)
    assert fresh.served_by() == fresh.nats
    assert holders(fresh)[ips[0]] is None
    assert holders(fresh)[ips[1]] in of_nats(fresh)
    assert "AWS refused a write; UnauthorizedOperation" in failure(returned)


def test_elastic_ip_of_something_else_is_left_to_it(
    fresh: Region, ips: tuple[str, str], deploy: Deploy
) -> None:
    """The log says with what it is associated."""
    foreign = fresh.ec2.create_network_interface(SubnetId=fresh.homes["a"].public)
    interface = foreign["NetworkInterface"]["NetworkInterfaceId"]
    fresh.ec2.associate_address(AllocationId=ips[0], NetworkInterfaceId=interface)
    function = deploy(settings(fresh, *ips))
    returned = function(messages.SWEEP)
    assert holders(fresh)[ips[0]] == interface
    reasons = [row["reason"] for row in returned["saw"]]
    assert [reason for reason in reasons if f"{ips[0]} is associated with {interface}" in reason]


def test_deployment_waits_until_each_nat_has_its_elastic_ip_for_long_enough(
    fresh: Region, ips: tuple[str, str], deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """Or fails, and says so."""
    function = deploy(settings(fresh, *ips))
    returned = function(messages.deployment("Create", cloudformation.url), seconds=SHORT)
    assert set(holders(fresh).values()) == of_nats(fresh)
    assert failure(returned) == "time was up before every NAT had its Elastic IP for long enough"


def test_what_the_memory_knows_lets_an_address_count(
    fresh: Region, ips: tuple[str, str], deploy: Deploy
) -> None:
    """A run that comes later finds since when each NAT is seen with its Elastic IP."""
    function = deploy(settings(fresh, *ips))
    function(messages.SWEEP)
    assert all(each.stable_since for each in fresh.histories())


def test_slow_read_of_addresses_delays_no_repair(
    fresh: Region, ips: tuple[str, str], deploy: Deploy
) -> None:
    """They count as unread, so that nothing fails back, and routes are written meanwhile."""
    function = deploy(settings(fresh, *ips))
    function(messages.SWEEP)
    fresh.lose_route("a")
    repaired = Event()

    def wait() -> None:
        assert repaired.wait(30), "the repair waited for the addresses"

    slow = deploy(settings(fresh, *ips))
    slow.wire.hold("DescribeAddresses", wait)
    try:
        slow(messages.SWEEP)
    finally:
        repaired.set()
    assert fresh.served_by() == fresh.nats
