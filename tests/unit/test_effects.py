"""What a run wrote is known while observations lag behind, and nothing else is made up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nat_failover.actions import (
    AssociateSubnet,
    DeleteDefaultRoute,
    DisableSourceDestCheck,
    ForgetStandby,
    ForgetTakeover,
    MoveSubnet,
    RememberStandby,
    RememberTakeover,
    RestoreRoute,
    SetDefaultRoute,
)
from nat_failover.effects import TRUSTED_S, Effect, effect, overlay, pending
from nat_failover.model import (
    Association,
    DefaultRoute,
    InstanceState,
    Observation,
    Standby,
    Takeover,
)
from tests.unit.worlds import HERE, THERE, any_nat, any_table, network, route_to

OLD, NEW = any_nat("old", HERE, state=InstanceState.TERMINATED), any_nat("new", THERE)
WRITE = SetDefaultRoute(
    table="rtb-any", interface="eni-new", instance="i-new", exists=True, reason="any"
)


def seen(route: DefaultRoute | None) -> Observation:
    """Return an observation of one table."""
    return network({OLD, NEW}, {any_table(route)})


def known(shown: Observation, *effects: Effect) -> Observation:
    """Return what a run knows after an observation."""
    return overlay(shown, pending(shown, effects))


BEFORE, AFTER = seen(route_to(OLD)), seen(route_to(NEW))


@pytest.mark.parametrize("blackhole", [False, True])
@pytest.mark.parametrize("instance", ["i-old", None])
def test_written_route_is_known_when_an_observation_still_shows_the_old_one(
    instance: str | None, *, blackhole: bool
) -> None:
    """The old route may meanwhile have turned blackhole and lost its instance."""
    shown = replace(route_to(OLD), instance=instance, blackhole=blackhole)
    assert AFTER == known(seen(shown), effect(WRITE, BEFORE))


def test_created_route_is_known_when_an_observation_still_shows_none() -> None:
    """A table that had no route is as it was before, too."""
    assert AFTER == known(seen(None), effect(WRITE, seen(None)))


@pytest.mark.parametrize("route", [None, DefaultRoute(other="nat-any"), route_to(NEW)])
def test_what_an_observation_shows_counts_when_it_is_not_what_was_before(
    route: DefaultRoute | None,
) -> None:
    """Somebody else changed it: that is repaired and not overlooked."""
    assert seen(route) == known(seen(route), effect(WRITE, BEFORE))


def test_what_an_observation_shows_counts_when_the_write_is_long_ago() -> None:
    """No lag lasts for ever."""
    before = replace(BEFORE, now=1e9)
    late = replace(BEFORE, now=before.now + TRUSTED_S + 0.1)
    assert late == known(late, effect(WRITE, before))
    early = replace(BEFORE, now=before.now + TRUSTED_S)
    assert early != known(early, effect(WRITE, before))


def test_old_route_counts_when_an_observation_has_shown_the_new_one() -> None:
    """Observations do not lag behind what they have shown."""
    assert () == pending(AFTER, [effect(WRITE, BEFORE)])


@pytest.mark.parametrize("route", [None, route_to(OLD), route_to(NEW)])
def test_last_route_is_known_when_a_table_was_written_twice(route: DefaultRoute | None) -> None:
    """An observation may show what was before the first write, or between the two."""
    first = effect(WRITE, seen(None))
    again = replace(WRITE, interface="eni-old", instance="i-old")
    assert seen(route_to(OLD)) == known(seen(route), first, effect(again, AFTER))


def test_check_is_known_to_be_off_when_an_observation_still_shows_it_on() -> None:
    """The next write need not wait for the next observation but one."""
    checked = any_nat(source_dest_check=True)
    write = DisableSourceDestCheck(instance="i-any", interface="eni-any", reason="any")
    shown = network({checked, any_nat("x", source_dest_check=True)}, set())
    expected = network({any_nat(), any_nat("x", source_dest_check=True)}, set())
    assert expected == known(shown, effect(write, shown))
    assert () == pending(expected, [effect(write, shown)])


TABLES = (any_table(None, HERE, "any"), any_table(None, THERE, "other"))
MOVE = MoveSubnet(
    association="rtbassoc-any",
    subnet="subnet-any",
    source="rtb-any",
    table="rtb-other",
    reason="any",
)


def test_move_is_known_with_its_new_association_when_an_observation_still_shows_the_old_one() -> (
    None
):
    """A later move of the run must name the association that there is now."""
    shown = network(set(), TABLES)
    after = known(shown, effect(MOVE, shown, "rtbassoc-new"))
    subnet = next(row for row in after.subnets if row.id == "subnet-any")
    assert ("rtb-other", "rtbassoc-new") == (subnet.table, subnet.association)
    users = {table.id: table.associations for table in after.tables}
    moved = Association(id="rtbassoc-new", subnet="subnet-any")
    assert {"rtb-any": frozenset(), "rtb-other": TABLES[1].associations | {moved}} == users
    assert () == pending(after, [effect(MOVE, shown, "rtbassoc-new")])


def test_association_is_known_when_an_observation_still_shows_none() -> None:
    """A subnet without an association uses the main table."""
    home = replace(TABLES[0], associations=frozenset())
    write = AssociateSubnet(subnet="subnet-any", source="rtb-main", table="rtb-any", reason="any")
    shown = network(set(), {home})
    (subnet,) = known(shown, effect(write, shown, "rtbassoc-new")).subnets
    assert ("rtb-any", "rtbassoc-new") == (subnet.table, subnet.association)


def test_move_counts_for_nothing_when_the_association_is_another_by_now() -> None:
    """Somebody else moved the subnet."""
    shown = network(set(), TABLES)
    assert shown == known(shown, effect(replace(MOVE, association="rtbassoc-x"), shown, "new"))


def test_table_on_standby_is_known_when_an_observation_does_not_show_it() -> None:
    """So is one that was forgotten; where nothing is known, nothing is made up."""
    standby = Standby(table="rtb-any", gateway="nat-any", written=0.0)
    remembered = effect(RememberStandby(standby=standby, reason="any"), BEFORE)
    forgotten = effect(ForgetStandby(standby=standby, reason="any"), BEFORE)
    there = replace(BEFORE, standbys=frozenset({standby}))
    assert known(BEFORE, remembered) == there
    assert known(there, forgotten) == BEFORE
    unknown = replace(BEFORE, standbys=None)
    assert known(unknown, remembered, forgotten) == unknown


@pytest.mark.parametrize(
    ("to", "route"),
    [
        ("nat-any", DefaultRoute(other="nat-any")),
        ("eni-any", DefaultRoute(interface="eni-any")),
        ("i-any", DefaultRoute(instance="i-any")),
    ],
)
def test_route_that_was_given_back_is_known_when_an_observation_still_shows_the_old_one(
    to: str, route: DefaultRoute
) -> None:
    """Or one that was deleted."""
    given = RestoreRoute(table="rtb-any", to=to, exists=True, reason="any")
    deleted = DeleteDefaultRoute(table="rtb-any", reason="any")
    assert seen(route) == known(BEFORE, effect(given, BEFORE))
    assert seen(None) == known(BEFORE, effect(deleted, BEFORE))


def test_takeover_is_known_when_an_observation_still_shows_what_was_found() -> None:
    """What another run wrote meanwhile counts."""
    found = Takeover(table="rtb-any", target="nat-any", times=1, done=False, written=0.0)
    done = replace(found, done=True)
    wrote = effect(RememberTakeover(takeover=done, found=found, reason="any"), BEFORE)
    forgot = effect(ForgetTakeover(found=done, reason="any"), BEFORE)
    there = replace(BEFORE, takeovers=frozenset({found}))
    assert known(there, wrote) == replace(BEFORE, takeovers=frozenset({done}))
    assert known(there, wrote, forgot) == BEFORE
    other = replace(BEFORE, takeovers=frozenset({replace(found, target="nat-other")}))
    assert known(other, wrote) == other
