"""Both clocks: the order of what is due, who is waited for, and chance that repeats."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from lab.emulator.time.chance import Chance
from lab.emulator.time.clock import Clock, RealClock, VirtualClock
from lab.emulator.time.delays import TABLE, Delay, Evidence

if TYPE_CHECKING:
    from collections.abc import Iterator

MINUTE = Delay("any", 60, 60, Evidence.ASSUMED, "a test")


class Stopping:
    """A clock that stops at the end of its block."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def close(self) -> None:
        """Stop the clock."""
        self.clock.stop()


@pytest.fixture
def clock() -> Iterator[VirtualClock]:
    """Return a virtual clock."""
    clock = VirtualClock()
    with closing(Stopping(clock)):
        yield clock


def test_virtual_time_stands_still_when_nobody_waits(clock: VirtualClock) -> None:
    """What is due happens when somebody waits for it, and not before."""
    seen: list[float] = []
    clock.after(MINUTE, lambda: seen.append(clock.now()))
    time.sleep(0.02)
    assert (clock.now(), seen) == (0.0, [])
    assert clock.wait_until(lambda: bool(seen), 3600)
    assert (clock.now(), seen) == (60.0, [60.0])


def test_virtual_time_passes_in_order_and_ends_with_the_patience(clock: VirtualClock) -> None:
    """Whatever the order of the calls, what is due first happens first; a limit is kept exactly."""
    seen: list[str] = []
    clock.at(2, lambda: seen.append("second"))
    clock.at(1, lambda: seen.append("first"))
    clock.at(3, lambda: seen.append("too late"))
    assert not clock.wait_until(lambda: False, 2.5)
    assert (seen, clock.now()) == (["first", "second"], 2.5)


def test_virtual_time_waits_for_an_actor_that_works(clock: VirtualClock) -> None:
    """Work that takes time on the wall takes none here; its own waiting does."""
    seen: list[tuple[str, float]] = []

    def work() -> None:
        time.sleep(0.05)
        seen.append(("worked", clock.now()))
        clock.pass_time(10)
        seen.append(("waited", clock.now()))

    clock.at(5, lambda: seen.append(("due", clock.now())))
    clock.act(work)
    clock.wait_until(lambda: False, 20)
    assert seen == [("worked", 0.0), ("due", 5.0), ("waited", 10.0)]


def test_actors_take_turns_in_their_order_when_they_wake_at_the_same_time(
    clock: VirtualClock,
) -> None:
    """Two that wait for the same moment go on one after the other, always in the same order."""
    seen: list[int] = []

    def actor(number: int) -> None:
        clock.pass_time(1)
        time.sleep(0.02 if number == 0 else 0)
        seen.append(number)

    for number in range(5):
        clock.act(lambda number=number: actor(number))  # type: ignore[misc]
    clock.wait_until(lambda: False, 2)
    assert seen == list(range(5))


def test_actor_that_drives_lets_time_go_when_nobody_else_waits(clock: VirtualClock) -> None:
    """A stack operation that waits is enough; the person waits for the CLI, not for the clock."""
    over = threading.Event()

    def work() -> None:
        clock.pass_time(100)
        over.set()

    clock.act(work, drives=True)
    assert over.wait(5)
    assert clock.now() == 100


def test_listener_hears_of_each_step(clock: VirtualClock) -> None:
    """Who measures looks after everything that happens."""
    seen: list[float] = []
    clock.each_step(lambda: seen.append(clock.now()))
    clock.at(1, lambda: None)
    clock.at(2, lambda: None)
    clock.wait_until(lambda: False, 5)
    assert seen == [1, 2]


def test_time_goes_on_when_what_is_due_fails(clock: VirtualClock) -> None:
    """One failure is logged, and the next thing happens all the same."""
    seen: list[float] = []
    clock.at(1, lambda: seen.append(1 / 0))
    clock.at(2, lambda: seen.append(clock.now()))
    clock.wait_until(lambda: False, 5)
    assert seen == [2]


def test_wait_ends_when_the_clock_is_stopped(clock: VirtualClock) -> None:
    """Ctrl-C ends a wait for ever."""
    clock.act(lambda: time.sleep(0.2))
    threading.Timer(0.05, clock.stop).start()
    assert not clock.wait_until(lambda: False, 1e9)


def test_real_clock_goes_by_itself_at_its_pace() -> None:
    """At a pace of 1000, a minute takes 60 ms; the pace can change on the way."""
    clock = RealClock(1000)
    with closing(Stopping(clock)):
        seen: list[float] = []
        clock.after(MINUTE, lambda: seen.append(clock.now()))
        assert clock.wait_until(lambda: bool(seen), 600)
        assert seen[0] >= 60
        before = clock.now()
        clock.set_pace(1)
        time.sleep(0.02)
        assert before < clock.now() < before + 60


def test_chance_follows_from_the_seed_and_the_name_alone() -> None:
    """What is drawn under one name is no different for what is drawn under another."""
    quiet, busy, other = Chance(7), Chance(7), Chance(8)
    for _ in range(5):
        busy.between(0, 1, "something else")
    draws = [quiet.between(0, 1, "any") for _ in range(3)]
    assert draws == [busy.between(0, 1, "any") for _ in range(3)]
    assert draws != [other.between(0, 1, "any") for _ in range(3)]
    assert len(set(draws)) == 3


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_delay_has_bounds_a_source_and_a_name_of_its_own(row: Delay) -> None:
    """What is modelled says how long, and who says so."""
    assert 0 <= row.low <= row.high
    assert row.source
    assert [other.name for other in TABLE].count(row.name) == 1
