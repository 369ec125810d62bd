"""`doctor`: what would keep a deployment of cdk.json's settings from succeeding, before it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from lab import doctor
from lab.cli.real import session
from lab.doctor import State
from lab.drills.lab_settings import app_context, app_settings
from lab.emulator.isolation import PROJECT

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from lab.doctor import Checked

_QUALIFIER = "@aws-cdk/core:bootstrapQualifier"
_OUR_QUALIFIER = "hnb659fds"
"""What the CDK calls a bootstrap that nobody gave another name ("Customize bootstrapping", CDK
guide)."""

_STYLES = {State.OK: "green", State.PROBLEM: "bold red", State.UNKNOWN: "bold yellow"}


def run_doctor(options: Namespace, console: Console, _: Path) -> int:
    """Examine the account and Region of the credentials; return 0 if each check is ok, else 1."""
    settings = app_settings(PROJECT)
    qualifier = str(app_context(PROJECT).get(_QUALIFIER, _OUR_QUALIFIER))
    examined = doctor.look_at(session(options.region or settings.region), settings, qualifier, None)
    checked = doctor.examine(examined)
    if options.json:
        _print_json(examined.account, examined.region, settings.name, checked)
    else:
        where = f"{settings.name} in {examined.region} of account {examined.account}"
        console.print(escape(where), highlight=False)
        console.print(_table(checked))
    return int(any(row.finding.state is not State.OK for row in checked))


def _print_json(account: str, region: str, stack: str, checked: Sequence[Checked]) -> None:
    checks = [
        {"check": row.name, "state": row.finding.state.value, "words": row.finding.words}
        for row in checked
    ]
    told = {"account": account, "region": region, "stack": stack, "checks": checks}
    json.dump(told, sys.stdout)
    sys.stdout.write("\n")


def _table(checked: Sequence[Checked]) -> Table:
    table = Table("check", "state", "what was found", box=None, padding=(0, 2, 0, 0))
    for row in checked:
        state = row.finding.state
        style = _STYLES[state]
        table.add_row(row.name, f"[{style}]{state.value}[/]", escape(row.finding.words))
    return table
