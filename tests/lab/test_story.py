"""The whole story with the real CDK CLI: deployed, failed over, home again, diffed, destroyed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab import delays
from lab.commands.parser import STRATEGIES
from lab.drills.drill import play
from lab.drills.scenario import read_faults
from lab.drills.stage import deployed
from lab.inventory import inventory
from lab.region import Region

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_nat_is_killed_and_nothing_is_left_of_it(strategy: str, tmp_path: Path) -> None:
    """Deployed, failed over, home again, diffed, destroyed, deployed again: all with the CLI.

    The table of the dead NAT moves before the instance has stopped to forward, and comes home when
    the replacement has said that it forwards: neither table is ever without egress. CloudFormation
    sees no change in what the function did, and leaves nothing behind. A deployment rings no alarm.
    """
    with Region() as region, deployed(region, tmp_path, strategy) as stage:
        rung = [entry.what for entry in region.journal.entries() if "ALARM" in entry.what]
        outcome = play(stage, read_faults(["terminate:a"]), seed=0)
        stage.diff()
        stage.destroy()
        empty = inventory(region)
        stage.deploy()
        stage.destroy()
        assert inventory(region) == empty

    assert rung == []
    hit, other = (outcome.egress[zone] for zone in sorted(outcome.egress))
    assert (outcome.recovered, outcome.home, outcome.depth) == (True, True, 2)
    moved = next(span for span in hit if span.start > 0)
    assert moved.works
    assert moved.through == other[0].through
    assert moved.start < delays.FORWARDS_ON.low
    assert hit[-1].through not in (hit[0].through, moved.through)
    assert [span for span in (*hit, *other) if not span.works] == []
