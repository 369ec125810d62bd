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

from aws_constraints.cidrs import is_private, restricted
from cdk_nat_failover.network.address_plan import LETTERS, letter_of, longest_prefix
from stacks.settings import LARGEST_VPC, AppSettings, as_address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

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
    return AppSettings.model_validate_json(written)


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
    return field.description or f"an object with {', '.join(_model_of(field).model_fields)}"


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
    for keys, rule in _RULES:
        doubtful = any(
            f"{key}.".startswith(f"{other}.") or f"{other}.".startswith(f"{key}.")
            for key in keys
            for other in wrong
        )
        if not doubtful and (line := rule(settings)):
            yield line


def _environment_is_whole(settings: AppSettings) -> str | None:
    if (settings.account is None) == (settings.region is None):
        return None
    named, missing = ("account", "region") if settings.account else ("region", "account")
    value = settings.account or settings.region
    return f"{named} is {value!r}, but {missing} is null; allowed: both or neither"


def _zones_are_of_one_region(settings: AppSettings) -> str | None:
    zones = settings.network.zones or ()
    regions = sorted({zone[:-1] for zone in zones})
    if len(regions) <= 1:
        return None
    return (
        f"network.zones is {list(zones)}, zones of {' and '.join(regions)};"
        " allowed: zones of one Region"
    )


def _zones_are_of_the_region(settings: AppSettings) -> str | None:
    zones = [zone for zone in settings.network.zones or () if zone[:-1] != settings.region]
    if settings.region is None or not zones:
        return None
    return (
        f"network.zones has {', '.join(zones)}, but region is {settings.region!r};"
        " allowed: zones of the Region"
    )


def _zones_have_addresses(settings: AppSettings) -> str | None:
    zones = [zone for zone in settings.network.zones or () if letter_of(zone) not in LETTERS]
    if not zones:
        return None
    return (
        f"network.zones has {', '.join(zones)}, for which the address plan has no room;"
        f" allowed: zones with the letters {LETTERS[0]} to {LETTERS[-1]}"
    )


def _subnets_have_room(settings: AppSettings) -> str | None:
    network = settings.network
    if not set(network.letters) <= set(LETTERS):
        return None
    longest = longest_prefix(network.letters)
    if network.cidr.prefixlen <= longest:
        return None
    letters = " and ".join(sorted(network.letters))
    return (
        f"network.cidr is '{network.cidr}', too small for two subnets in each of the zones"
        f" {letters} (each letter has its own share, so that a zone can be added, dropped or"
        f" replaced later); allowed: /{LARGEST_VPC} to /{longest}"
    )


def _cidrs_are_apart(settings: AppSettings) -> str | None:
    network = settings.network
    for cidr in network.additional_cidrs:
        if cidr.overlaps(network.cidr):
            return (
                f"network.additional_cidrs has '{cidr}', which overlaps network.cidr,"
                f" '{network.cidr}'; allowed: networks without a common address"
            )
    return None


def _cidrs_may_be_together(settings: AppSettings) -> str | None:
    """Look both ways, since a block may be added to the settings, and so to the VPC, at any time.

    Except where the order decides: the stack adds private blocks before others.
    """
    network = settings.network
    for cidr in network.additional_cidrs:
        for there in (network.cidr, *network.additional_cidrs):
            later = there != network.cidr and is_private(cidr) and not is_private(there)
            reserved = None if cidr.overlaps(there) or later else restricted(cidr, there)
            if reserved:
                return (
                    f"network.additional_cidrs has '{cidr}', which EC2 refuses beside '{there}'"
                    f" (nothing of {reserved}); allowed: networks that the table 'IPv4 CIDR block"
                    " association restrictions' of the VPC user guide permits, such as"
                    " '100.64.0.0/16'"
                )
    return None


def _a_nat_fits_in_each_zone(settings: AppSettings) -> str | None:
    zones, most = settings.network.zone_count, settings.fleet.max
    if most >= zones:
        return None
    return (
        f"fleet.max is {most}, less than the {zones} zones of network.zones: a zone would never"
        f" have a NAT of its own; allowed: {zones} or more"
    )


def _targets_are_outside(settings: AppSettings) -> str | None:
    cidrs = (settings.network.cidr, *settings.network.additional_cidrs)
    for target in settings.fleet.self_test:
        address = as_address(target)
        inside = [cidr for cidr in cidrs if address and address in cidr]
        if inside:
            return (
                f"fleet.self_test has {target!r}, an address of the VPC ({inside[0]}), which a NAT"
                " does not forward to; allowed: addresses and names on the internet"
            )
    return None


def _min_is_not_more_than_desired(settings: AppSettings) -> str | None:
    fleet = settings.fleet
    if fleet.min <= fleet.desired:
        return None
    return (
        f"fleet.min is {fleet.min}, more than fleet.desired, {fleet.desired};"
        " allowed: min <= desired <= max"
    )


def _desired_is_not_more_than_max(settings: AppSettings) -> str | None:
    fleet = settings.fleet
    if fleet.desired <= fleet.max:
        return None
    return (
        f"fleet.desired is {fleet.desired}, more than fleet.max, {fleet.max};"
        " allowed: min <= desired <= max"
    )


def _instance_type_runs_the_image(settings: AppSettings) -> str | None:
    fleet = settings.fleet
    if fleet.instance_architecture == fleet.architecture:
        return None
    key, image = ("ami", fleet.ami.id) if fleet.ami else ("image", fleet.image)
    return (
        f"fleet.instance_type is {fleet.instance_type!r}, which is {fleet.instance_architecture} by"
        f" its name, but fleet.{key} is {image!r}, which is {fleet.architecture};"
        " allowed: the same architecture"
    )


def _image_has_the_agent(settings: AppSettings) -> str | None:
    fleet = settings.fleet
    # "Comparing packages installed on Amazon Linux 2023 images", Amazon Linux 2023 user guide.
    if not fleet.session_manager or fleet.ami or "-minimal-" not in fleet.image:
        return None
    return (
        f"fleet.session_manager is true, but fleet.image is {fleet.image!r}, which has no SSM"
        " Agent; allowed: an image without 'minimal', or fleet.session_manager false"
    )


_RULES: tuple[tuple[tuple[str, ...], Callable[[AppSettings], str | None]], ...] = (
    (("account", "region"), _environment_is_whole),
    (("network.zones",), _zones_are_of_one_region),
    (("network.zones", "region"), _zones_are_of_the_region),
    (("network.zones",), _zones_have_addresses),
    (("network.cidr", "network.zones"), _subnets_have_room),
    (("network.cidr", "network.additional_cidrs"), _cidrs_are_apart),
    (("network.cidr", "network.additional_cidrs"), _cidrs_may_be_together),
    (("network.cidr", "network.additional_cidrs", "fleet.self_test"), _targets_are_outside),
    (("fleet.min", "fleet.desired"), _min_is_not_more_than_desired),
    (("network.zones", "fleet.max"), _a_nat_fits_in_each_zone),
    (("fleet.desired", "fleet.max"), _desired_is_not_more_than_max),
    (("fleet.instance_type", "fleet.image", "fleet.ami"), _instance_type_runs_the_image),
    (("fleet.session_manager", "fleet.image", "fleet.ami"), _image_has_the_agent),
)
