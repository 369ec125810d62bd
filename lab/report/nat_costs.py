"""What hand-over and watch cost: as one run of the benchmark measured it, and by AWS's prices.

The run is kept in a file, from which the pages print it. Prices are those of us-east-1 without the
free tier, from AWS's price lists of DynamoDB, SNS, Lambda (arm64) and EC2 data transfer.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from cdk_nat_failover.instances.watch.judgement import HEARTBEAT_S, REPORT_S, RING_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

FILE = "docs/hand-over.json"
MONTH_S = 730 * 3600
_READ, _WRITE = 0.125e-6, 0.625e-6
"""USD of a consistent read of up to 4 KB and of a write of up to 1 KB, on demand."""

_PUBLICATION = 0.5e-6
_RUN_S = 0.2
_RUN = 0.2e-6 + _RUN_S * 1769 / 1024 * 13.3334e-6
"""USD of a run of the function: the request, and its memory for so many seconds."""

_BYTE = 2 * 0.01 / 1e9
"""USD of a byte between zones: both sides pay."""

_HEARTBEAT = 150
"""Bytes of a heartbeat, with the headers of UDP and IPv4."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a watch takes of a processor and of memory, and what its NAT does a second."""

    cpu_percent: float
    memory_mib: float
    packets: float
    requests: float

    def __str__(self) -> str:
        return (
            f"A watch took {self.cpu_percent:.1f} % of a processor and {self.memory_mib:.0f} MiB;"
            f" its NAT sent and took {self.packets:.0f} packets a second, and made"
            f" {self.requests:.2f} requests a second to AWS: {watch_usd():.2f} USD a month"
        )


def save(project: Path, rows: Iterable[Sequence[str]], cost: Cost) -> None:
    """Keep a run: the cells of its table, and what the watch took."""
    kept = {"rows": list(rows), "watch": asdict(cost)}
    (project / FILE).write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


def hand_over_table(project: Path) -> str:
    """Return what the hand-over cost a flow in the run that is kept."""
    lines = (f"| {' | '.join(cells)} |\n" for cells in _kept(project)["rows"])
    return "| | handed over | served directly | ratio |\n|---|---|---|---|\n" + "".join(lines)


def watch_run(project: Path) -> str:
    """Return what the watch took in the run that is kept."""
    first, *rest = str(Cost(**_kept(project)["watch"])).split("; ")
    return ";\n".join((first, *rest)) + ".\n"


def watch_prices() -> str:
    """Return what a watch costs a month by its intervals, with one peer in another zone."""
    lines = "".join(f"| {what} | {usd:.2f} |\n" for what, usd in _priced())
    return f"| what | USD |\n|---|---|\n{lines}"


def watch_usd() -> float:
    """Return the dollars of a month in all."""
    return sum(usd for _, usd in _priced())


def _priced() -> Sequence[tuple[str, float]]:
    reads, claims, heartbeats = (MONTH_S / every for every in (RING_S, REPORT_S, HEARTBEAT_S))
    said = heartbeats * _HEARTBEAT
    number = f"{claims:,.0f}".replace(",", " ")
    return (
        (f"the ring, {reads / 1e6:.1f} million consistent reads", reads * _READ),
        (f"claims, {number} publications and as many writes", claims * (_PUBLICATION + _WRITE)),
        (f"as many runs of the function, of some {_RUN_S:g} s", claims * _RUN),
        (f"heartbeats to a peer in another zone, {_HEARTBEAT} bytes each", said * _BYTE),
    )


def _kept(project: Path) -> dict[str, Any]:
    kept: dict[str, Any] = json.loads((project / FILE).read_text(encoding="utf-8"))
    return kept
