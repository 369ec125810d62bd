"""`up`: deploy and stay up, in real time, for other terminals to work with."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from lab.drills.testbed import deployed
from lab.emulator.isolation import CREDENTIALS, REGION

if TYPE_CHECKING:
    from pathlib import Path

    from lab.cli.screen import Screen
    from lab.emulator.region import Region
    from lab.emulator.time.clock import RealClock


def up(region: Region, directory: Path, screen: Screen, strategy: str | None) -> None:
    """Deploy the app, say how to reach it, and show what happens until Ctrl-C."""
    screen.say("Deploying the app with the CDK CLI …")
    with deployed(region, directory, strategy) as testbed:
        clock: RealClock = region.clock  # type: ignore[assignment]  # `up` has no virtual time
        clock.set_pace(1.0)
        screen.heading(f"The stack {testbed.stack} is up. In another terminal:")
        for line in exports(region.endpoint):
            screen.say(f"  {line}")
        screen.say(
            "Then aws, boto3, make diff and make deploy work against it; kill a NAT with"
            " aws ec2 terminate-instances, and watch it here. Ctrl-C ends it."
        )
        region.journal.listen(screen.entry)
        forever = threading.Event()
        while not forever.wait(1.0):
            pass


def exports(endpoint: str) -> list[str]:
    """Return the lines for a shell that make tools use the lab and nobody's credentials."""
    variables = {"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}
    return [f"export {name}={value}" for name, value in {**variables, **CREDENTIALS}.items()]
