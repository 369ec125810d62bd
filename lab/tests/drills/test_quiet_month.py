"""A month in which nothing is wrong but what was measured on AWS: nobody says otherwise."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from cdk_nat_failover.instances.watch import judgement
from cdk_nat_failover.instances.watch.judgement import PROBE_S, REPORT_S
from lab.tests.drills.month import DAY, MONTH, Losses, QuietNats

if TYPE_CHECKING:
    from cdk_nat_failover.instances.watch.said import Claim

MEASURED = Losses(one_in=2500)
"""The probes through a NAT on AWS that got lost in a soak, never two in a row
(github.com/nowakeai/betternat)."""

WORSE = Losses(one_in=360)
"""Those of its worst hours. If chance chose each probe, three in a row would come once in a year
and a half of two NATs, and cost a move to a NAT that is well."""


FEWER = pytest.mark.exhaustive("each count and each rate is played once")


@pytest.mark.parametrize(
    ("count", "losses", "seconds"),
    [
        pytest.param(2, MEASURED, MONTH, marks=FEWER),
        (3, MEASURED, MONTH),
        (2, WORSE, MONTH),
        pytest.param(3, WORSE, 10 * DAY, marks=FEWER),
    ],
)
def test_nobody_claims_anything_in_a_month_of_lost_probes(
    count: int, losses: Losses, seconds: float
) -> None:
    """And each NAT goes on saying that all is well."""
    said: dict[str, list[float]] = {}
    wrong: list[Claim] = []

    def claimed(claim: Claim, now: float) -> None:
        said.setdefault(claim.instance, []).append(now)
        if claim.ailment or claim.silent or claim.ill:
            wrong.append(claim)

    nats = QuietNats(count, losses, seed=count, claimed=claimed)
    nats.play(seconds)
    assert wrong == []
    assert nats.lost > 0.9 * count * seconds / PROBE_S / losses.one_in
    for times in said.values():
        assert max(later - earlier for earlier, later in pairwise(times)) <= 1.5 * REPORT_S
    assert len(said) == count


@pytest.mark.parametrize(("constant", "rash"), [("FAILURES", 1), ("SILENT_S", 1.0)])
def test_month_would_show_a_watch_that_is_rash(
    monkeypatch: pytest.MonkeyPatch, constant: str, rash: float
) -> None:
    """With one failure enough, or a silence of a second, a day is enough for a false claim."""
    monkeypatch.setattr(judgement, constant, rash)
    wrong: list[Claim] = []
    QuietNats(2, MEASURED, seed=0, claimed=lambda claim, _: wrong.append(claim)).play(DAY)
    assert [claim for claim in wrong if claim.ailment or claim.silent]
