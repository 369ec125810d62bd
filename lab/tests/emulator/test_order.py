"""The order in which behaviours are installed: they state it themselves."""

from __future__ import annotations

from collections import defaultdict
from graphlib import CycleError
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from lab.drills.catalogue import BEHAVIOURS
from lab.emulator.behaviour import Behaviour, Patches, in_order
from lab.emulator.region import Region
from lab.emulator.services.autoscaling.launches import LaunchesTakeTime
from lab.emulator.services.autoscaling.replacement import MembersKeepTheirTemplate
from lab.emulator.services.iam.profiles import MembersHaveTheirProfile

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping


class Recorded(Patches):
    """Patches that remember what they changed."""

    def __init__(self) -> None:
        super().__init__()
        self.changed: list[tuple[int, str]] = []

    def replace(self, owner: object, name: str, new: object) -> None:
        """Remember the class or module, and the name."""
        self.changed.append((id(owner), name))
        super().replace(owner, name, new)

    def put(self, mapping: MutableMapping[str, object], key: str, value: object) -> None:
        """Remember the mapping, and the key."""
        self.changed.append((id(mapping), key))
        super().put(mapping, key, value)


@pytest.fixture
def changes() -> Iterator[dict[tuple[int, str], list[type[Behaviour]]]]:
    """Return which behaviours change each thing of moto, in the order in which they do."""
    changed, installed = defaultdict(list), list[Recorded]()
    with Region(()) as region:
        for behaviour in in_order(BEHAVIOURS):
            patches = Recorded()
            behaviour(region.aws).install(patches)
            installed.append(patches)
            for thing in dict.fromkeys(patches.changed):
                changed[thing].append(behaviour)
        yield changed
        for patches in reversed(installed):
            patches.undo()


def those_before(behaviour: type[Behaviour]) -> set[type[Behaviour]]:
    """Return all that is installed before a behaviour because somebody says so."""
    return {*behaviour.after, *(row for other in behaviour.after for row in those_before(other))}


def test_behaviours_that_change_the_same_thing_have_a_stated_order(
    changes: dict[tuple[int, str], list[type[Behaviour]]],
) -> None:
    """The later one says so itself, or follows from what others say."""
    pairs = {pair for behaviours in changes.values() for pair in pairwise(behaviours)}
    assert pairs
    assert [(one, other) for one, other in pairs if one not in those_before(other)] == []


def test_behaviours_are_installed_in_the_stated_order_however_they_are_listed() -> None:
    """Those that are not there make no difference to those that are."""
    for listed in (BEHAVIOURS, BEHAVIOURS[::-1], BEHAVIOURS[::2][::-1]):
        ordered = in_order(listed)
        assert sorted(map(id, ordered)) == sorted(map(id, listed))
        for number, behaviour in enumerate(ordered):
            assert not those_before(behaviour) & set(ordered[number:])


def test_order_holds_when_the_behaviour_between_two_is_left_out() -> None:
    """What is said of the one in the middle is said of both."""
    assert MembersKeepTheirTemplate in MembersHaveTheirProfile.after
    assert LaunchesTakeTime in MembersKeepTheirTemplate.after
    ordered = (LaunchesTakeTime, MembersHaveTheirProfile)
    assert in_order(ordered[::-1]) == ordered


def test_behaviours_stand_as_they_are_listed_where_nothing_is_stated() -> None:
    """So that what they hear of the journal is heard in the order of the catalogue."""
    free = [row for row in BEHAVIOURS if not row.after]
    for listed in (free, free[::-1]):
        assert in_order(listed) == tuple(listed)
    ordered = in_order(BEHAVIOURS[::-1])
    assert in_order(ordered) == ordered


def test_circle_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """No order is the right one then."""
    monkeypatch.setattr(LaunchesTakeTime, "after", (MembersHaveTheirProfile,))
    with pytest.raises(CycleError):
        Region([LaunchesTakeTime])
