"""Settings from context, or one line for each mistake in them.

A line names the key, the value it got, what is allowed, and, where it is not plain, how to mend it.
All mistakes are reported at once, those that take two settings to see included.
"""

from __future__ import annotations

import difflib
import json
import re
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from cdk_nat_failover.options.section import allowed
from stacks.settings.app import RULES, AppSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails


_MOST_SHOWN = 300
"""Characters of a mistaken value."""


class SettingsError(ValueError):
    """The settings cannot be used; the message has one line for each mistake."""


def read_app_context(context: Mapping[str, Any]) -> AppSettings:
    """Return the settings of an app's whole context, in which `nat` is a key.

    `--context nat.failover.strategy=…` makes a key of that name, which says nothing to anybody; it
    is a mistake here, and so is NAT.

    Raises:
        SettingsError: with one line for each mistake.

    """
    if stray := [key for key in context if key != "nat" and re.match(r"(?i)nats?(\W|$)", key)]:
        raise SettingsError("\n".join(map(_how_to_set, stray)))
    return read_settings(context.get("nat"))


def _how_to_set(key: str) -> str:
    """Return what to write for a key such as nat.failover.strategy."""
    *sections, name = [part for part in re.split(r"\W", key)[1:] if part] or ["name"]
    inner = json.dumps({name: "…"}, ensure_ascii=False)
    for section in reversed(sections):
        inner = f'{{"{section}": {inner}}}'
    shown = key if key.isprintable() else repr(key)
    return (
        f"context key {shown} sets nothing; allowed: one key, nat, with a JSON object:"
        f" --context nat='{inner}', or the key in cdk.json"
    )


def read_settings(context: object) -> AppSettings:
    """Return the settings that the context key `nat` holds; what it does not name has its default.

    On the command line (`--context nat='{"name": "Egress"}'`) the value arrives as a JSON string.

    Raises:
        SettingsError: with one line for each mistake.

    """
    given = _decode(context)
    try:
        settings = _validate(given)
    except ValidationError as error:
        if invalid := [row for row in error.errors() if row["type"] == "json_invalid"]:
            raise SettingsError(_no_json(given, invalid[0]["ctx"]["error"])) from None
        mistakes = _of_their_own(error.errors())
        wrong = [_field_path(mistake) for mistake in mistakes]
        lines = [_line(mistake) for mistake in mistakes]
        rest = _validate(_without(given, wrong)) if isinstance(given, dict) else AppSettings()
        lines += _conflicts(rest, {".".join(path) for path in wrong})
        raise SettingsError("\n".join(lines)) from None
    if conflicts := list(_conflicts(settings, set())):
        raise SettingsError("\n".join(conflicts))
    return settings


def _decode(context: object) -> object:
    if context is None:
        return {}
    if not isinstance(context, str):
        return context
    try:
        return json.loads(context)
    except (ValueError, RecursionError) as error:
        raise SettingsError(_no_json(context, error)) from None


def _no_json(given: object, why: object) -> str:
    return f"context key nat is {_shown(given)}: {why}; allowed: a JSON object"


def _validate(given: object) -> AppSettings:
    # Through JSON, because there, and only there, strict validation takes an array for a tuple and
    # a string for a network, yet "2" not for a number.
    try:
        written = json.dumps(given)
    except (ValueError, RecursionError) as error:
        message = f"context key nat holds what JSON cannot: {error}; allowed: a JSON object"
        raise SettingsError(message) from None
    return AppSettings.model_validate_json(written, strict=True)


def _without(given: dict[str, Any], wrong: Iterable[tuple[str, ...]]) -> dict[str, Any]:
    """Return what is given without the keys that are wrong, so that the others can be looked at."""
    right: dict[str, Any] = json.loads(json.dumps(given))
    for *sections, key in wrong:
        section = right
        for name in sections:
            section = section.get(name, {})
        section.pop(key, None)
    if isinstance(right.get("fleet"), dict) and any(path[:2] == ("fleet", "ami") for path in wrong):
        right["fleet"].pop("ami", None)
    return right


# --- One setting ------------------------------------------------------------------------------


def _of_their_own(mistakes: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Return the mistakes but for lists that are too short only because their items are wrong."""
    items = {_field_path(row) for row in mistakes if any(isinstance(p, int) for p in row["loc"])}
    return [row for row in mistakes if row["type"] != "too_short" or _field_path(row) not in items]


def _line(mistake: ErrorDetails) -> str:
    path, value = _field_path(mistake), mistake["input"]
    key = ".".join(path) or "context key nat"
    if mistake["type"] == "extra_forbidden":
        return _unknown(path)
    if mistake["type"] == "missing":
        return f"{key} is missing; allowed: {_allowed(path)}"
    index = "".join(f"[{part}]" for part in mistake["loc"] if isinstance(part, int))
    return f"{key}{index} is {_shown(value)}{_reason(mistake)}; allowed: {_allowed(path)}"


def _field_path(mistake: ErrorDetails) -> tuple[str, ...]:
    """Return the path of the setting: where an item of a list is wrong, that of the list."""
    return tuple(part for part in mistake["loc"] if isinstance(part, str))


def _reason(mistake: ErrorDetails) -> str:
    if mistake["type"] != "value_error":
        return ""
    context = mistake.get("ctx", {})
    return f": {context.get('reason') or context.get('error')}"


def _unknown(path: tuple[str, ...]) -> str:
    *section, key = path
    known = list(_model_at(section).model_fields)
    close = difflib.get_close_matches(key, known, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    # A key that nobody meant may hold anything, the end of a line included.
    shown = ".".join(part if part.isprintable() and part else repr(part) for part in path)
    return f"{shown} is not a setting; allowed here: {', '.join(known)}{hint}"


def _allowed(path: Iterable[str]) -> str:
    *section, key = path or ("",)
    if not key:
        return "a JSON object"
    field = _model_at(section).model_fields[key]
    return allowed(field) or f"an object with {', '.join(_model_of(field).model_fields)}"


def _model_at(section: Iterable[str]) -> type[BaseModel]:
    model: type[BaseModel] = AppSettings
    for key in section:
        model = _model_of(model.model_fields[key])
    return model


def _model_of(field: FieldInfo) -> type[BaseModel]:
    """Return the model of a section, whose field is a `Model` or a `Model | None`."""
    kinds = (field.annotation, *getattr(field.annotation, "__args__", ()))
    return next(kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel))


def _shown(value: object) -> str:
    as_json = value is None or isinstance(value, bool | dict)
    shown = json.dumps(value) if as_json else repr(value)
    return shown if len(shown) <= _MOST_SHOWN else f"{shown[:_MOST_SHOWN]}…"


# --- Two settings -----------------------------------------------------------------------------


def _conflicts(settings: AppSettings, wrong: set[str]) -> Iterator[str]:
    """Yield a line for each rule that the settings break, of the rules whose settings are right."""
    for keys, rule in RULES:
        doubtful = any(
            f"{key}.".startswith(f"{other}.") or f"{other}.".startswith(f"{key}.")
            for key in keys
            for other in wrong
        )
        if not doubtful and (line := rule(settings)):
            yield line
