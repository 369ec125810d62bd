"""What the watch costs the NAT that it runs on, while that has nothing else to do."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lab.bench.dataplane.pair import FIRST
from lab.report.nat_costs import Cost

if TYPE_CHECKING:
    from lab.bench.dataplane.pair import Pair

NATS = 2
_MIB = 1024  # of which /proc tells KiB


def cost(pair: Pair, seconds: float) -> Cost:
    """Return what one watch takes in so many seconds."""
    before = _so_far(pair)
    time.sleep(seconds)
    spent, packets, requests = (
        (now - then) / seconds for now, then in zip(_so_far(pair), before, strict=True)
    )
    status = Path(f"/proc/{pair.watch.process_id}/status").read_text(encoding="utf-8")
    (resident,) = re.findall(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    return Cost(
        cpu_percent=100 * spent,
        memory_mib=int(resident) / _MIB,
        packets=packets,
        requests=requests / NATS,
    )


def _so_far(pair: Pair) -> tuple[float, int, int]:
    """Return the seconds of processors and the packets of one NAT, and the requests of both."""
    stat = Path(f"/proc/{pair.watch.process_id}/stat").read_text(encoding="utf-8")
    # Its own in user and in system mode, then those of commands that it ran (proc(5)).
    ticks = sum(map(int, stat.rpartition(")")[2].split()[11:15]))
    uplink = f"/sys/class/net/{FIRST.uplink}/statistics"
    packets = sum(int(pair.first.read(f"{uplink}/{way}_packets")) for way in ("rx", "tx"))
    return ticks / os.sysconf("SC_CLK_TCK"), packets, pair.asked
