"""The commands and their options, as a person writes them."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nat_failover.contract import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable

STRATEGIES = tuple(strategy.value for strategy in Strategy)
TRIGGERS = ("state-change", "schedule")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(
        prog="python -m lab",
        description="A region in a box, in which the app is deployed and drilled.",
    )
    top.set_defaults(real=False, command="demo", strategy=None)
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    _add(commands, "demo", "deploy, kill a NAT, watch the failover, diff, destroy (the default)")
    up = _add(commands, "up", "deploy and stay up, in real time, for other terminals")
    up.add_argument(
        "--port", type=_whole(1, 65535), default=0, help="where to listen; any free port without"
    )
    _drill(_add(commands, "drill", "inject faults, and tell what came of them"))
    _compare(_add(commands, "compare", "run several faults with several handlers and seeds"))
    soak = _add(commands, "soak", "run many drills of mixed faults, none of which may stay lost")
    soak.add_argument("--drills", type=_whole(1), default=1000, metavar="N", help="1 000 without")
    _seed(soak)
    commands.add_parser("faults", help="list the faults, and how each ends")
    figures = commands.add_parser(
        "figures", help="collect the figures of README and docs anew (minutes)"
    )
    figures.add_argument(
        "--kept", action="store_true", help="print the figures that are kept, without drills"
    )
    _doctor(commands)
    commands.add_parser("fidelity", help="list what is modelled, how well, and what is not")
    return top


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    what: str,
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=what, description=what.capitalize())
    command.add_argument(
        "--strategy",
        choices=STRATEGIES,
        default=None,
        help="how subnets are moved; without it, what cdk.json says",
    )
    return command


def _drill(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "fault", nargs="*", help="NAME[:OPTION][@START][+SECONDS]; `faults` lists the names"
    )
    command.add_argument("--scenario", type=Path, metavar="FILE", help="faults in a TOML file")
    _seed(command, default=None)
    _output(command)
    _handlers(command)
    command.add_argument(
        "--real-time", action="store_true", help="by the clock on the wall instead of at once"
    )
    command.add_argument(
        "--packets",
        action="store_true",
        help="in real time, with packets in network namespaces: Linux, as root",
    )
    command.add_argument(
        "--destroy",
        action="store_true",
        help="destroy the stack afterwards, and see that nothing of it is left",
    )
    real = command.add_argument_group("a stack in a real account")
    real.add_argument("--real", action="store_true", help="drill a stack in an AWS account")
    real.add_argument("--stack", metavar="NAME", help="the name of the stack")
    real.add_argument("--region", metavar="REGION", help="its Region, unless the profile says it")
    real.add_argument("--yes", action="store_true", help="do not ask")


def _doctor(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    what = "look in an AWS account for what would keep a deployment from succeeding; writes nothing"
    command = commands.add_parser("doctor", help=what, description=what.capitalize())
    command.add_argument(
        "--region", metavar="REGION", help="its Region, unless the profile says it"
    )
    command.add_argument("--json", action="store_true", help="print JSON and nothing else")
    command.set_defaults(real=True)


def _compare(command: argparse.ArgumentParser) -> None:
    command.add_argument("fault", nargs="*", help="the faults, each a drill of its own; else all")
    command.add_argument("--seeds", type=_whole(1), default=5, metavar="N", help="drills of each")
    _seed(command)
    _output(command)
    _handlers(command)


def _seed(command: argparse.ArgumentParser, default: int | None = 0) -> None:
    command.add_argument(
        "--seed", type=_whole(0), default=default, metavar="N", help="the same seed, the same story"
    )


def _output(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print JSON and nothing else")
    command.add_argument("--report", type=_directory, metavar="DIR", help="write a page there")


def _handlers(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("somebody else's handler in place of the deployed one")
    group.add_argument("--handler", action="append", default=[], metavar="FILE:FUNCTION")
    group.add_argument(
        "--env",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a variable of it; values may name {route_table.a}, {nat.b.instance} and the like",
    )
    group.add_argument(
        "--trigger",
        action="append",
        default=[],
        choices=TRIGGERS,
        help="what invokes it besides the topic",
    )


def _whole(least: int, most: int = sys.maxsize) -> Callable[[str], int]:
    """Return what reads a whole number in a range, or says what is allowed."""
    allowed = f"from {least} to {most}" if most < sys.maxsize else f"{least} or more"

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", text) or not least <= int(text) <= most:
            message = f"{text!r} is not allowed; allowed: a whole number, {allowed}"
            raise argparse.ArgumentTypeError(message)
        return int(text)

    return read


def _directory(text: str) -> Path:
    if not text:
        message = "it is empty; allowed: a directory that can be made and written"
        raise argparse.ArgumentTypeError(message)
    return Path(text)
