"""The app's settings as the lab deploys them, or the app's own sentence on what is wrong with them.

They deploy into the lab's own account and region, and into the zones with the letters that cdk.json
names. Everything else is what cdk.json says.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.drills.zones import ZONES
from lab.emulator.isolation import REGION
from nat_failover.contract import Strategy
from stacks.settings.reader import SettingsError, read_settings

if TYPE_CHECKING:
    from pathlib import Path

    from stacks.settings.app import AppSettings

_TWO = tuple(f"{REGION}{letter}" for letter in ZONES[:2])


class LabSettingsError(ValueError):
    """The app's settings cannot be read or used; the message says what is wrong, and where."""


@dataclass(frozen=True, slots=True)
class LabSettings:
    """What the CDK CLI is told: nothing when it is what cdk.json says; and what that says."""

    context: tuple[str, ...]
    strategy: str
    zones: tuple[str, ...]
    adopt: bool
    watch: bool


def lab_settings(project: Path, strategy: str | None) -> LabSettings:
    """Return the settings of a project's app, with another strategy where one is given.

    Raises:
        LabSettingsError: with the app's own words where the app would not take them.

    """
    given = _given(project)
    _read(given)
    network = given.get("network", {})
    zones = [REGION + zone[-1] for zone in network.get("zones") or ()] or None
    settings = {**given, "account": None, "region": None, "network": {**network, "zones": zones}}
    if strategy:
        settings["failover"] = {**given.get("failover", {}), "strategy": strategy}
    failover = settings.get("failover", {})
    return LabSettings(
        context=(f"nat={json.dumps(settings)}",) if settings != given else (),
        strategy=failover.get("strategy", Strategy.REPLACE_ROUTE.value),
        zones=tuple(zones or _TWO),
        adopt=failover.get("adopt", False) is True,
        watch=settings.get("fleet", {}).get("watch", True),
    )


def app_settings(project: Path) -> AppSettings:
    """Return the settings of a project's app.

    Raises:
        LabSettingsError: with the app's own words where the app would not take them.

    """
    return _read(_given(project))


def _read(given: dict[str, Any]) -> AppSettings:
    try:
        return read_settings(given)
    except SettingsError as error:
        message = f"the settings in cdk.json cannot be used: {error}"
        raise LabSettingsError(message) from error


def _given(project: Path) -> dict[str, Any]:
    """Return the context key `nat`: every key has a default, so that it may be missing."""
    given = app_context(project).get("nat")
    if given is not None and not isinstance(given, dict):
        file = project / "cdk.json"
        message = f"the context key nat in {file} is {given!r}; allowed: a JSON object"
        raise LabSettingsError(message)
    return given or {}


def app_context(project: Path) -> dict[str, Any]:
    """Return the context of a project's app.

    Raises:
        LabSettingsError: when its cdk.json cannot be read.

    """
    file = project / "cdk.json"
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"{file} cannot be read: {error.strerror}"
        raise LabSettingsError(message) from error
    except ValueError as error:
        message = f"{file} is not JSON: {error}"
        raise LabSettingsError(message) from error
    context = content.get("context", {}) if isinstance(content, dict) else {}
    return context if isinstance(context, dict) else {}
