"""Puts region, CLI, demo and screen together, and turns what goes wrong into one sentence."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

from lab.aws.catalogue import ALL
from lab.cdk import Cdk, CdkError, NotSetUpError
from lab.demo import Demo, DemoError
from lab.isolation import PROJECT
from lab.region import Region
from lab.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from rich.console import Console

    from lab.aws.behaviour import Behaviour


def play(
    console: Console,
    directory: Path,
    strategy: str | None,
    behaviours: Collection[type[Behaviour]] = ALL,
) -> int:
    """Play the demo; return the exit status."""
    try:
        with Region(behaviours) as region:
            cdk = Cdk(region.endpoint, directory, context=lab_context(PROJECT, strategy))
            with closing(cdk):
                _demo(region, cdk, Screen(console))
    except NotSetUpError as error:
        console.print(f"[red]{error}[/]")
        return 2
    except (CdkError, DemoError, OSError) as error:
        console.print(f"[bold red]The lab stops:[/] {error}", highlight=False)
        return 1
    console.print("\n[bold green]It failed over, came home, and left nothing behind.[/]")
    return 0


def lab_context(project: Path, strategy: str | None) -> tuple[str, ...]:
    """Return the app's settings as the lab deploys them: into its own account and region.

    Everything else is what cdk.json says; nothing is passed on when nothing differs from it.
    """
    given: dict[str, Any] = json.loads((project / "cdk.json").read_text())["context"]["nat"]
    network = {**given.get("network", {}), "zones": None}
    settings = {**given, "account": None, "region": None, "network": network}
    if strategy:
        settings["failover"] = {**given.get("failover", {}), "strategy": strategy}
    return (f"nat={json.dumps(settings)}",) if settings != given else ()


def _demo(region: Region, cdk: Cdk, screen: Screen) -> None:
    region.journal.listen(screen.entry)
    demo = Demo(region, cdk)
    screen.heading("Bootstrap and deploy the app with the CDK CLI (about 20 seconds)")
    demo.prepare()
    watch = demo.deploy()
    screen.heading("Kill a NAT")
    try:
        story = demo.kill_a_nat(watch)
    finally:
        watch.stop()
    screen.heading("What CloudFormation thinks of it")
    demo.diff()
    demo.destroy()
    screen.story(story)
    screen.small_print()
