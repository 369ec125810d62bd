"""Which faults a drill injects and when: from the command line, or from a file.

On the command line a fault is `NAME[:OPTION][@START][+SECONDS]`, such as `terminate:b@10` or
`lost@0+120`. A file is TOML: `seed`, `strategy`, and for each fault a `[[fault]]` table with `name`
and, where wanted, `option`, `start` and `seconds`.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lab.drills.faults import FAULTS, Effect, Fault, written_options
from lab.drills.zones import ZONES
from nat_failover.contract import Strategy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pydantic_core import ErrorDetails

_WRITTEN = re.compile(
    r"(?P<name>[a-z-]+)(:(?P<option>[a-z]+))?"
    r"(@(?P<start>\d+(\.\d+)?))?(\+(?P<seconds>\d+(\.\d+)?))?"
)
LATEST = 3600.0
"""The latest moment, in seconds, at which a fault may begin, and the longest that it may last."""


class ScenarioError(ValueError):
    """A fault or a file cannot be understood; the message says what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledFault:
    """A fault with its time: seconds after the drill's beginning, and how long it lasts."""

    fault: Fault
    option: str | None = None
    start: float = 0.0
    seconds: float | None = None

    @property
    def end(self) -> float:
        """Return when it is over; what lasts for ever or happens at once is over as it begins."""
        return self.start + (self.seconds or 0.0)

    def __str__(self) -> str:
        """Return the fault as it is written on the command line."""
        option = f":{self.option}" if self.option else ""
        start = f"@{self.start:g}" if self.start else ""
        lasts = self.seconds is not None and self.seconds != self.fault.seconds
        return f"{self.fault.name}{option}{start}" + (f"+{self.seconds:g}" if lasts else "")


class _WrittenFault(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=False)
    name: str = Field(description="a fault's name: `python -m lab faults` lists them")
    option: str | None = Field(default=None, description="an option of the fault, in quotes")
    start: float = Field(
        default=0.0, ge=0, le=LATEST, description=f"a number of seconds, 0 to {LATEST:g}"
    )
    seconds: Annotated[float, Field(gt=0, le=LATEST)] | None = Field(
        default=None, description=f"a number of seconds, more than 0, up to {LATEST:g}"
    )


class Scenario(BaseModel):
    """A scenario file."""

    model_config = ConfigDict(extra="forbid")
    seed: Annotated[int, Field(ge=0, strict=True)] | None = Field(
        default=None, description="a whole number, 0 or more"
    )
    strategy: Strategy | None = Field(
        default=None, description=" or ".join(repr(one.value) for one in Strategy)
    )
    fault: list[_WrittenFault] = Field(
        min_length=1, description="one [[fault]] table or more, each with a name"
    )

    @property
    def faults(self) -> tuple[ScheduledFault, ...]:
        """Return the faults with their times."""
        return _complete([_scheduled(row) for row in self.fault])


def read_faults(written: Sequence[str]) -> tuple[ScheduledFault, ...]:
    """Return the faults as they are written on the command line, with their times.

    Raises:
        ScenarioError: when one cannot be understood.

    """
    rows = []
    for text in written:
        match = _WRITTEN.fullmatch(text)
        if not match:
            message = (
                f"{text!r} is not a fault: write NAME[:OPTION][@START][+SECONDS], such as"
                " terminate:b@10, in lower case, START and SECONDS in seconds, 0 or more;"
                " `python -m lab faults` lists the names"
            )
            raise ScenarioError(message)
        rows.append(_scheduled(_checked(text, {k: v for k, v in match.groupdict().items() if v})))
    return _complete(rows)


def read_scenario(path: Path) -> Scenario:
    """Return the scenario in a file.

    Raises:
        ScenarioError: when it cannot be read or understood.

    """
    try:
        scenario = Scenario.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        message = f"the scenario {path} cannot be read: {error.strerror}"
        raise ScenarioError(message) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"the scenario {path} is not TOML: {error}"
        raise ScenarioError(message) from error
    except ValidationError as error:
        message = f"the scenario {path}: {_in_words(error)}"
        raise ScenarioError(message) from error
    for row in scenario.fault:
        _scheduled(row)
    return scenario


def must_have_zones(faults: Sequence[ScheduledFault], zones: Sequence[str]) -> None:
    """Look whether what the faults hit is deployed.

    Raises:
        ScenarioError: when one names a zone that is not.

    """
    letters = [zone[-1] for zone in zones]
    for scheduled in faults:
        if scheduled.option in ZONES and scheduled.option not in letters:
            message = (
                f"the fault {scheduled} names a zone that cdk.json does not deploy to; deployed to"
                f" are {', '.join(letters)}"
            )
            raise ScenarioError(message)


def _checked(text: str, fields: dict[str, str]) -> _WrittenFault:
    try:
        return _WrittenFault.model_validate(fields)
    except ValidationError as error:
        message = f"the fault {text!r}: {_in_words(error)}"
        raise ScenarioError(message) from error


def _in_words(error: ValidationError) -> str:
    """Say what each key holds and what is allowed; faults are counted from 1, as a reader does."""
    root = _WrittenFault if error.title == _WrittenFault.__name__ else Scenario
    return "; ".join(_mistake(row, root) for row in error.errors())


def _mistake(row: ErrorDetails, root: type[BaseModel]) -> str:
    *above, last = row["loc"]
    key = " ".join(str(part + 1 if isinstance(part, int) else part) for part in row["loc"])
    model, name = (root, "fault") if isinstance(last, int) else (_WrittenFault, last)
    fields = (model if above else root).model_fields
    if name not in fields:
        return f"{key} is no key; allowed here: {', '.join(fields)}"
    found = "missing" if row["type"] == "missing" else repr(row["input"])
    return f"{key} is {found}; allowed: {fields[name].description}"


def _scheduled(row: _WrittenFault) -> ScheduledFault:
    fault = next((fault for fault in FAULTS if fault.name == row.name), None)
    if fault is None:
        names = ", ".join(fault.name for fault in FAULTS)
        message = f"{row.name!r} is no fault; there are {names}"
        raise ScenarioError(message)
    if row.option and row.option not in fault.options:
        allowed = ", ".join(written_options(fault)) or "none"
        message = f"the fault {row.name} has no option {row.option!r}; allowed: {allowed}"
        raise ScenarioError(message)
    if row.seconds and fault.seconds is None:
        message = f"the fault {row.name} lasts as long as it lasts: leave +{row.seconds:g} out"
        raise ScenarioError(message)
    return ScheduledFault(
        fault=fault, option=row.option, start=row.start, seconds=row.seconds or fault.seconds
    )


def _complete(faults: list[ScheduledFault]) -> tuple[ScheduledFault, ...]:
    """Add the death of a NAT where there are only conditions, which alone harm nobody."""
    if all(scheduled.fault.effect is Effect.CONDITION for scheduled in faults):
        terminate = next(fault for fault in FAULTS if fault.name == "terminate")
        first = min(faults, key=lambda scheduled: scheduled.start)
        faults = [*faults, ScheduledFault(fault=terminate, start=first.start + first.fault.lead)]
    return tuple(sorted(faults, key=lambda scheduled: scheduled.start))
