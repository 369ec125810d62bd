"""The demo: deploy, kill a NAT, watch the failover and the way home, diff, destroy."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.inventory import inventory
from lab.journal import Who
from lab.topology import private_homes
from lab.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lab.cdk import Cdk
    from lab.region import Region
    from lab.topology import Home
    from lab.watch import Egress

QUIET = 30.0  # seconds without news after which nothing is under way any more
SETTLE_LIMIT = 600.0
FAILOVER_LIMIT = 300.0
HOME_LIMIT = 900.0
"""Seconds of the lab after which the demo says that it does not recover."""


class DemoError(Exception):
    """The architecture did not do what it should; the message is one clear sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeStory:
    """What one private route table went through."""

    home: Home
    before: Egress
    during: Egress
    after: Egress
    until_told: float
    until_repaired: float

    @property
    def outage(self) -> float:
        """Return the seconds without a working default route."""
        return self.until_told + self.until_repaired


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What the killing of a NAT led to: who told the function first, and when the group did."""

    killed: str
    first_message: str
    told_after: float
    published_after: float
    homes: tuple[HomeStory, ...]


class Demo:
    """The steps of the demo, in their order; each one raises `DemoError` if it does not succeed."""

    def __init__(self, region: Region, cdk: Cdk) -> None:
        self._region = region
        self._cdk = cdk
        self._before_deployment: frozenset[str] = frozenset()

    def prepare(self) -> None:
        """Bootstrap the account and run the app, both at once."""
        with ThreadPoolExecutor() as pool:
            steps = [pool.submit(self._cdk.bootstrap), pool.submit(self._cdk.synth)]
            try:
                for step in steps:
                    step.result()
            except BaseException:
                self._cdk.close()  # or else the pool would wait for the other command
                raise

    def deploy(self) -> Watch:
        """Deploy the app and watch its private subnets, once nothing is under way any more."""
        self._before_deployment = inventory(self._region)
        self._note("deploys the app")
        self._cdk.deploy()
        watch = Watch(self._region, private_homes(self._region, self.stack))
        self._wait(
            lambda: _at_home(watch) and self._region.journal.quiet_for() > QUIET,
            SETTLE_LIMIT,
            "after the deployment, the NATs do not serve the private subnets of their own zones",
        )
        return watch

    @property
    def stack(self) -> str:
        """Return the name of the app's stack."""
        manifest = json.loads((self._cdk.assembly / "manifest.json").read_text())
        artifacts: Mapping[str, Mapping[str, str]] = manifest["artifacts"]
        kind = "aws:cloudformation:stack"
        return next(name for name, row in artifacts.items() if row["type"] == kind)

    def kill_a_nat(self, watch: Watch) -> Story:
        """Terminate the first zone's NAT behind the group's back, and see everything recover."""
        before = {home: watch.now(home) for home in watch.homes}
        (victim,) = before[watch.homes[0]].instances
        killed_at = self._region.clock.now()
        self._region.journal.note(Who.YOU, "killed", f"kill {victim}", instance=victim)
        self._region.client("ec2").terminate_instances(InstanceIds=[victim])
        self._wait(
            lambda: self._published(victim) is not None and watch.all_work(),
            FAILOVER_LIMIT,
            f"a private subnet is still without internet {FAILOVER_LIMIT:.0f} s after its NAT died",
        )
        during = {home: watch.now(home) for home in watch.homes}
        self._wait(
            lambda: _at_home(watch) and victim not in _serving(watch),
            HOME_LIMIT,
            f"the subnets are not back with their own zone's NAT {HOME_LIMIT:.0f} s after it died",
        )
        published_at = self._published(victim) or killed_at
        first = self._region.journal.entries("delivered", "scheduled", since=killed_at)[0]
        end = self._region.clock.now()
        return Story(
            killed=victim,
            first_message=f"{first.who.value} {first.what}",
            told_after=first.at - killed_at,
            published_after=published_at - killed_at,
            homes=tuple(
                HomeStory(
                    home=home,
                    before=before[home],
                    during=during[home],
                    after=watch.now(home),
                    until_told=watch.outage(home, begin=killed_at, end=first.at),
                    until_repaired=watch.outage(home, begin=first.at, end=end),
                )
                for home in watch.homes
            ),
        )

    def diff(self) -> None:
        """See that the failover left nothing that CloudFormation would want to change."""
        result = self._cdk.diff()
        quiet = result.status == 0 and "There were no differences" in result.output
        if not quiet:
            message = f"cdk diff is not quiet after the failover:\n{result.output.strip()}"
            raise DemoError(message)
        self._note("cdk diff: there were no differences")

    def destroy(self) -> None:
        """Destroy the stack and see that nothing of it is left."""
        self._note("destroys the app")
        self._cdk.destroy()
        left = inventory(self._region) - self._before_deployment
        if left:
            message = f"cdk destroy left behind: {', '.join(sorted(left))}"
            raise DemoError(message)
        self._note("nothing of the stack is left")

    def _published(self, instance: str) -> float | None:
        for entry in self._region.journal.entries("published"):
            if entry.detail["instance"] == instance and "TERMINATE" in entry.detail["event"]:
                return entry.at
        return None

    def _wait(self, condition: Callable[[], bool], limit: float, otherwise: str) -> None:
        if not self._region.clock.wait_until(condition, limit):
            raise DemoError(otherwise)

    def _note(self, what: str) -> None:
        self._region.journal.note(Who.CDK, "cdk", what)


def _at_home(watch: Watch) -> bool:
    """Return whether each home leaves through one working NAT of its own zone, all different."""
    zones = [f"zone {home.zone[-1]}" in watch.now(home).words for home in watch.homes]
    serving = _serving(watch)
    return all(zones) and watch.all_work() and len(set(serving)) == len(watch.homes) > 1


def _serving(watch: Watch) -> list[str]:
    return [instance for home in watch.homes for instance in watch.now(home).instances]
