"""What a person is told before anything happens, and how they say yes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from lab.account.errors import RealDrillError
from lab.account.fault_actions import describe
from lab.drills.faults import ActionKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lab.account.deployed import Deployed
    from lab.account.egress import Way
    from lab.account.fault_actions import FaultAction
    from lab.account.faults import AccountFault

AFTERWARDS: Mapping[ActionKind, str] = {
    ActionKind.TERMINATE_NAT: "its group replaces it, by one with another public address",
    ActionKind.STOP_NAT: "its group terminates and replaces it, by one with another public address",
    ActionKind.REFRESH_GROUP: "the new ones have other public addresses; cancelled on Ctrl-C",
    ActionKind.DELETE_DEFAULT_ROUTE: "the function puts it back, or else the drill does",
    ActionKind.SWITCH_CHECK_ON: "the function switches it off, or else the drill does",
}

_RISK = (
    "The private subnets concerned are without internet until the function has repaired it, and"
    "\nconnections break. Subscribers of the outcome topic are told, and an alarm may go off. It"
    " costs\ncents at most."
)


def question(
    deployed: Deployed,
    ways: Mapping[str, Way],
    faults: Sequence[AccountFault],
    actions: Sequence[FaultAction],
) -> str:
    """Return what will be done to what, in words."""
    settings, steps = deployed.settings, zip(faults, actions, strict=True)
    return "\n".join(
        [
            "This drill changes what is deployed in a real AWS account:",
            f"  account  {deployed.account}, as {deployed.caller}",
            f"  Region   {deployed.region}",
            f"  stack    {deployed.name} ({settings.strategy}, failback {settings.failback})",
            *(
                f"  zone     {home.zone}: table {home.id}, subnets {', '.join(home.subnets)},"
                f" through {ways[home.zone].words}"
                for home in sorted(settings.tables, key=lambda home: home.zone)
            ),
            "It will",
            *(f"  {n}. {_step(n, *step)}" for n, step in enumerate(steps, start=1)),
            _RISK,
        ]
    )


def _step(number: int, fault: AccountFault, action: FaultAction) -> str:
    then = "" if number == 1 else "once all is well again, with what is there by then: "
    return f"{then}{describe(action)}; {AFTERWARDS[fault.kind]}"


def person(*, yes: bool) -> Callable[[str], bool]:
    """Return how to ask the person at the terminal; `yes` is their answer given in advance.

    Asking raises RealDrillError where nobody is at a terminal and no answer was given.
    """

    def ask(text: str) -> bool:
        sys.stderr.write(f"{text}\n")
        if yes:
            return True
        if not sys.stdin.isatty():
            message = (
                "nobody is asked, because there is no terminal, and nothing was changed: run the"
                " drill at a terminal, or read what it says and give --yes"
            )
            raise RealDrillError(message)
        return _answer() == "yes"

    return ask


def _answer() -> str:
    """Read a line; standard output is left to the outcome."""
    sys.stderr.write("Type yes to go on: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower()
