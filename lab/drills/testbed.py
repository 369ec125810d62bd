"""The app, deployed with the CDK CLI and at rest: where drills take place."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from lab.drills.cdk import Cdk, CdkError
from lab.drills.egress_monitor import EgressMonitor
from lab.drills.inventory import inventory
from lab.drills.lab_settings import lab_settings
from lab.drills.topology import private_homes
from lab.emulator.isolation import PROJECT
from lab.emulator.journal import Who

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from lab.emulator.region import Region

SETTLE_LIMIT = 600.0
QUIET = 120.0
"""Seconds of the lab's clock: what a deployment gets to come to rest, and how long it rests."""


OURS = "nat_failover.do"
"""What the handler of the deployed app is called."""


class AppTestbedError(Exception):
    """The app did not deploy, rest or go as it should; the message is one clear sentence."""


class AppTestbed:
    """A region with the app in it; `handler` is what the function that answers is called."""

    def __init__(self, region: Region, cdk: Cdk, strategy: str) -> None:
        self.region = region
        self.strategy = strategy
        self.handler = OURS
        self.cdk = cdk
        self._before: frozenset[str] = frozenset()

    def prepare(self) -> None:
        """Bootstrap the account and run the app, both at once."""
        with ThreadPoolExecutor() as pool:
            steps = [pool.submit(self.cdk.bootstrap), pool.submit(self.cdk.synth)]
            try:
                for step in steps:
                    step.result()
            except BaseException:
                self.cdk.close()  # or else the pool would wait for the other command
                raise

    def deploy(self) -> None:
        """Deploy the app, watch its private subnets, and let everything come to rest."""
        self._before = inventory(self.region)
        self._note("deploys the app")
        try:
            self.cdk.deploy()
        except CdkError:
            self.insist()
            raise
        self.monitor = EgressMonitor(self.region, private_homes(self.region, self.stack))
        clock = self.region.clock
        if not clock.wait_until(self._rests, SETTLE_LIMIT):
            message = "after the deployment, the NATs do not serve the subnets of their own zones"
            raise AppTestbedError(message)

    def insist(self) -> None:
        """Raise AppTestbedError when something happened that the lab does not emulate."""
        if problems := self.region.journal.entries("problem"):
            raise AppTestbedError(problems[0].what)

    def diff(self) -> None:
        """See that nothing happened that CloudFormation would want to change."""
        result = self.cdk.diff()
        if result.status != 0 or "There were no differences" not in result.output:
            message = f"cdk diff is not quiet after the failover:\n{result.output.strip()}"
            raise AppTestbedError(message)
        self._note("cdk diff: there were no differences")

    def destroy(self) -> None:
        """Destroy the stack and see that nothing of it is left."""
        self._note("destroys the app")
        self.cdk.destroy()
        if left := self.left():
            message = f"cdk destroy left behind: {', '.join(sorted(left))}"
            raise AppTestbedError(message)
        self._note("nothing of the stack is left")

    def left(self) -> frozenset[str]:
        """Return what is there that was not before the app was deployed."""
        return inventory(self.region) - self._before

    @property
    def stack(self) -> str:
        """Return the name of the app's stack."""
        manifest = json.loads((self.cdk.assembly / "manifest.json").read_text())
        artifacts: Mapping[str, Mapping[str, str]] = manifest["artifacts"]
        kind = "aws:cloudformation:stack"
        return next(name for name, row in artifacts.items() if row["type"] == kind)

    def _rests(self) -> bool:
        quiet = self.region.clock.now() - self.monitor.steady_since() >= QUIET
        return quiet and self.monitor.at_home() and not self.region.functions.busy()

    def _note(self, what: str) -> None:
        self.region.journal.note(Who.CDK, "cdk", what)


@contextmanager
def deployed(
    region: Region, directory: Path, strategy: str | None, *, cli: Callable[..., Cdk] = Cdk
) -> Iterator[AppTestbed]:
    """Deploy the app into a region, and yield it at rest; `cli` makes the CLI that deploys it."""
    settings = lab_settings(PROJECT, strategy)
    with closing(cli(region.endpoint, directory, context=settings.context)) as cdk:
        testbed = AppTestbed(region, cdk, settings.strategy)
        testbed.prepare()
        testbed.deploy()
        try:
            yield testbed
        finally:
            testbed.monitor.stop()
