"""Whose function is drilled: the deployed one, or somebody else's in its place.

Another handler runs in an execution environment of its own, with the deployed function's memory and
timeout, its own code and its own variables. It is told what the topic is told, except for the
claims of NATs, which only the deployed function knows; of EC2's events and the schedule it hears
only where that is asked for. Its calls are not held against the deployed role, which was written
for another function.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from lab.drills.baselines import recipe_2016
from lab.drills.boots import peers
from lab.drills.topology import DEFAULT
from lab.drills.zones import ZONES
from lab.emulator.isolation import CREDENTIALS, REGION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lab.drills.testbed import AppTestbed

LARGEST = 50 * 2**20  # bytes, zipped; Lambda developer guide, "Lambda quotas"
_IMPORT_LIMIT = 30.0  # seconds on the wall
_SKIPPED = frozenset({"__pycache__", "node_modules", "venv", "tests"})
_NAME = re.compile(r"\{([a-z_.0-9]+)\}")
_OTHER_ZONE = re.compile(r"\.[c-z](\.|$)")

RESOURCES = frozenset(
    {"stack", "vpc", "topic", "group", "route_tables"}
    | {f"{kind}.{zone}" for kind in ("zone", "route_table", "subnet") for zone in ZONES}
    | {f"nat.{zone}.{part}" for part in ("instance", "interface") for zone in ZONES}
)
"""What a variable's value can name in braces; the letters are those of the zones deployed to."""


class HandlerError(ValueError):
    """A handler cannot be used; the message says why and what to do."""


class Trigger(StrEnum):
    """What invokes a handler besides the topic."""

    STATE_CHANGE = "state-change"
    SCHEDULE = "schedule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """A function in a file: `variables` may name emulated resources in braces."""

    path: Path
    function: str
    variables: Mapping[str, str] = field(default_factory=dict)
    triggers: frozenset[Trigger] = frozenset()

    def __str__(self) -> str:
        """Return the handler as it is written on the command line."""
        return f"{self.path.name}:{self.function}"

    @property
    def root(self) -> Path:
        """Return the folder that is deployed: that of the file, or the one above its package."""
        folder = self.path.parent
        while (folder / "__init__.py").exists():
            folder = folder.parent
        return folder

    @property
    def module(self) -> str:
        """Return the name under which Lambda imports the file."""
        parts = self.path.relative_to(self.root).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


RECIPE_2016 = Handler(
    path=Path(recipe_2016.__file__),
    function="do",
    variables={"ROUTE_TABLES": "{route_tables}"},
)
"""The baseline of comparisons."""


def read_handler(
    written: str, variables: Sequence[str] = (), triggers: Sequence[Trigger] = ()
) -> Handler:
    """Return a handler that is written FILE:FUNCTION, with variables written KEY=VALUE.

    Raises:
        HandlerError: when it cannot be understood, found or imported.

    """
    file, _, function = written.rpartition(":")
    path = Path(file).resolve()
    if not file or not function.isidentifier():
        message = f"{written!r} is not a handler: write FILE:FUNCTION, such as failover.py:handler"
        raise HandlerError(message)
    if not path.is_file():
        message = f"the handler's file {file} does not exist"
        raise HandlerError(message)
    pairs = [pair.partition("=") for pair in variables]
    if wrong := [key for key, equals, _ in pairs if not equals or not key]:
        message = (
            f"{wrong[0]!r} is not a variable: write KEY=VALUE, such as TABLE={{route_table.a}}"
        )
        raise HandlerError(message)
    named = (name for _, _, value in pairs for name in _NAME.findall(value))
    if unknown := [name for name in named if name not in RESOURCES]:
        known = ", ".join(sorted(name for name in RESOURCES if not _OTHER_ZONE.search(name)))
        message = (
            f"there is no resource {{{unknown[0]}}}; there are {known}, and the same of other zones"
        )
        raise HandlerError(message)
    handler = Handler(
        path=path,
        function=function,
        variables={key: value for key, _, value in pairs},
        triggers=frozenset(triggers),
    )
    _import(handler)
    return handler


def install(testbed: AppTestbed, handler: Handler | None) -> None:
    """Put a handler in the place of the deployed function; None leaves that where it is."""
    if handler is None:
        return
    functions = testbed.region.client("lambda")
    name = _output(testbed, "FailoverFunction")
    names = _resources(testbed)
    values = {key: _filled(value, names) for key, value in handler.variables.items()}
    functions.update_function_code(FunctionName=name, ZipFile=packed(handler))
    functions.update_function_configuration(
        FunctionName=name,
        Handler=f"{handler.module}.{handler.function}",
        Environment={"Variables": values},
    )
    testbed.handler = str(handler)
    testbed.region.aws.permissions.exempt = True
    peers.silence(testbed.region.aws)
    _silence(testbed, handler.triggers)


def _import(handler: Handler) -> None:
    """See that the module can be imported where Lambda would import it."""
    code = f"import importlib; importlib.import_module({handler.module!r}).{handler.function}"
    with tempfile.TemporaryDirectory(prefix="nat-lab-") as directory:
        zipfile.ZipFile(io.BytesIO(packed(handler))).extractall(directory)
        tried = subprocess.run(  # noqa: S603 - our own interpreter; the person's own file
            [sys.executable, "-c", code],
            cwd=directory,
            env={**CREDENTIALS, **handler.variables, "AWS_DEFAULT_REGION": REGION},
            capture_output=True,
            text=True,
            timeout=_IMPORT_LIMIT,
            check=False,
        )
    if tried.returncode:
        last = (tried.stderr.strip().splitlines() or ["no reason given"])[-1]
        message = (
            f"the handler {handler} cannot be imported: {last}. Put what it imports beside it;"
            " what it reads from its environment is given with --env KEY=VALUE"
        )
        raise HandlerError(message)


def packed(handler: Handler) -> bytes:
    """Return the handler's folder as Lambda takes it."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as content:
        for path in sorted(handler.root.rglob("*")):
            parts = path.relative_to(handler.root).parts
            hidden = any(part.startswith(".") or part in _SKIPPED for part in parts)
            if path.is_file() and not hidden:
                content.write(path, "/".join(parts))
                if archive.tell() > LARGEST:
                    message = (
                        f"the folder {handler.root} is larger than Lambda takes (50 MB zipped):"
                        " put the handler into a folder of its own"
                    )
                    raise HandlerError(message)
    return archive.getvalue()


def _filled(value: str, names: Mapping[str, str]) -> str:
    if missing := [name for name in _NAME.findall(value) if name not in names]:
        known = ", ".join(sorted(names))
        message = f"what is deployed has no {{{missing[0]}}}; it has {known}"
        raise HandlerError(message)
    return _NAME.sub(lambda match: names[match[1]], value)


def _resources(testbed: AppTestbed) -> dict[str, str]:
    """Return the emulated resources that a variable can name."""
    ec2, names = testbed.region.client("ec2"), {"stack": testbed.stack}
    names |= {"vpc": _output(testbed, "Vpc"), "topic": _output(testbed, "NatFailedTopic")}
    names["route_tables"] = ",".join(home.table for home in testbed.monitor.homes)
    for home in testbed.monitor.homes:
        zone, nat = home.zone[-1], testbed.monitor.now(home).through
        names |= {f"zone.{zone}": home.zone, f"route_table.{zone}": home.table}
        names |= {f"subnet.{zone}": home.subnets[0], f"nat.{zone}.instance": str(nat)}
        table = ec2.describe_route_tables(RouteTableIds=[home.table])["RouteTables"][0]
        routes = (r for r in table["Routes"] if r.get("DestinationCidrBlock") == DEFAULT)
        names[f"nat.{zone}.interface"] = next(routes)["NetworkInterfaceId"]
    groups = testbed.region.client("autoscaling").describe_auto_scaling_groups()[
        "AutoScalingGroups"
    ]
    return {**names, "group": groups[0]["AutoScalingGroupName"]}


def _output(testbed: AppTestbed, key: str) -> str:
    stacks = testbed.region.client("cloudformation").describe_stacks(StackName=testbed.stack)[
        "Stacks"
    ]
    return next(str(r["OutputValue"]) for r in stacks[0]["Outputs"] if r["OutputKey"] == key)


def _silence(testbed: AppTestbed, heard: frozenset[Trigger]) -> None:
    """Disable the rules that invoke the function, except those that it shall hear."""
    events = testbed.region.client("events")
    for rule in events.list_rules()["Rules"]:
        kind = Trigger.SCHEDULE if rule.get("ScheduleExpression") else Trigger.STATE_CHANGE
        if kind not in heard:
            events.disable_rule(Name=rule["Name"])
