"""Work beside the loop: what is done, what is forgotten, and what is done again."""

from __future__ import annotations

from queue import SimpleQueue
from typing import TYPE_CHECKING

import pytest

from cdk_nat_failover.instances.watch import background
from cdk_nat_failover.instances.watch.background import Background

if TYPE_CHECKING:
    from collections.abc import Callable

SOON_S = 10


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> SimpleQueue[str]:
    """What the work began with; what failed is tried again soon."""
    monkeypatch.setattr(background, "RETRY_S", 0.2)
    return SimpleQueue()


def failing(begun: SimpleQueue[str]) -> Callable[[str], None]:
    """Return work that fails always."""

    def work(value: str) -> None:
        begun.put(value)
        raise ValueError(value)

    return work


def test_what_failed_is_done_again_until_something_newer_is_there(begun: SimpleQueue[str]) -> None:
    """Then the older one is forgotten."""
    work = Background(failing(begun), insists=True)
    work.give("old")
    assert ["old", "old"] == [begun.get(timeout=SOON_S) for _ in range(2)]

    work.give("new")

    assert ["new", "new"] == [begun.get(timeout=SOON_S) for _ in range(2)]


def test_what_failed_is_left_when_nobody_insists(begun: SimpleQueue[str]) -> None:
    """The loop gives it again when it is due."""
    outcomes: list[tuple[object, float]] = []
    work = Background(failing(begun), lambda *outcome: outcomes.append(outcome))
    work.give("old")
    work.give("new")
    while begun.get(timeout=SOON_S) != "new":
        pass

    work.give("newest")

    assert "newest" == begun.get(timeout=SOON_S)
    work.take(7.0)
    assert {(None, 7.0)} == set(outcomes)
