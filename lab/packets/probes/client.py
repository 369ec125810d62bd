"""A private host's client: three series of probes and five standing flows to one server.

`python -m lab.packets.probes.client ADDRESS` says when each of them has worked once, and goes on
until SIGTERM; then it prints what it saw as JSON: for each kind of probe `[sent, seconds or null]`,
and for each flow what it went through. Times are of CLOCK_MONOTONIC, which is the same for every
process of the machine.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time

from lab.drills.rounding import rounded
from lab.packets.probes import kinds
from lab.packets.probes.flows import Flow, standing
from lab.packets.probes.series import EVERY, Series
from lab.packets.probes.talk import READY, go_first

_DIGITS = 5  # of a second: a hundredth of a millisecond


async def main(server: str) -> None:
    """Probe until told to stop, and print what came of it."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    probes = (
        Series("TCP", kinds.tcp(server)),
        Series("UDP", kinds.udp(server)),
        Series("ICMP", kinds.Icmp(server)),
    )
    flows = standing()
    start = time.monotonic() + EVERY
    running = [
        *(series.run(start + n * EVERY / len(probes)) for n, series in enumerate(probes)),
        *(flow.run(server) for flow in flows),
        _say_when_ready(probes, flows),
    ]
    tasks = [asyncio.create_task(each) for each in running]
    await stop.wait()
    for task in tasks:
        task.cancel()
    told = {
        "ended": time.monotonic(),
        "probes": {series.kind: await series.finished() for series in probes},
        "flows": [flow.told() for flow in flows],
    }
    print(json.dumps(rounded(told, _DIGITS), separators=(",", ":")))  # noqa: T201 - for the process that started it


async def _say_when_ready(probes: tuple[Series, ...], flows: tuple[Flow, ...]) -> None:
    for begun in [*(each.begun for each in probes), *(each.begun for each in flows)]:
        await begun.wait()
    print(READY, flush=True)  # noqa: T201 - for the process that started this one


if __name__ == "__main__":
    go_first()
    asyncio.run(main(sys.argv[1]))
