"""The readings of what AWS leaves open."""

from __future__ import annotations

from lab.emulator.readings import (
    AbandonedLaunch,
    HeldLaunch,
    LaunchFirst,
    LifetimeChange,
    LifetimePause,
    MovedSubnets,
    Readings,
    ReplacementZone,
    RolledBackTemplate,
    every,
)
from lab.emulator.region import Region

QUESTIONS = (
    AbandonedLaunch,
    HeldLaunch,
    RolledBackTemplate,
    MovedSubnets,
    LaunchFirst,
    ReplacementZone,
    LifetimePause,
    LifetimeChange,
)


def test_region_plays_the_pessimistic_reading_of_each_question() -> None:
    """That is the first one of each."""
    assert Readings().answers == tuple(next(iter(question)) for question in QUESTIONS)
    assert Region().aws.readings == Readings()


def test_full_cross_has_each_combination_once_and_the_pessimistic_one_first() -> None:
    """Two readings of each question."""
    cross = [readings.answers for readings in every()]
    assert len(cross) == len(set(cross)) == 2 ** len(QUESTIONS)
    assert cross[0] == Readings().answers


def test_other_questions_keep_their_pessimistic_reading() -> None:
    """A test asks for the questions that it touches."""
    assert list(every(LaunchFirst)) == [
        Readings(),
        Readings(launch_first=LaunchFirst.BEYOND_THE_MAXIMUM),
    ]


def test_running_region_can_play_others() -> None:
    """Drills that start from one deployment may each have their own."""
    readings = Readings()
    readings.become(Readings(held_launch=HeldLaunch.IS_WAITED_FOR))
    assert readings.held_launch is HeldLaunch.IS_WAITED_FOR
    assert readings.launch_first is LaunchFirst.WITHIN_THE_MAXIMUM
