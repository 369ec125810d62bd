"""The settings as README lists them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import BaseModel

from cdk_nat_failover.options.section import allowed
from stacks.settings.app import AppSettings

if TYPE_CHECKING:
    from collections.abc import Iterator


def table() -> str:
    """Return the table of all settings: key, default, what it decides, what is allowed."""
    head = "| key | default | what it decides | allowed |\n|---|---|---|---|\n"
    return head + "".join(_rows(AppSettings))


def _rows(model: type[BaseModel], section: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        default = field.get_default()
        if isinstance(default, BaseModel):
            yield from _rows(type(default), f"{section}{name}.")
        else:
            shown = json.dumps(default, default=str)
            yield f"| `{section}{name}` | `{shown}` | {field.description} | {allowed(field)} |\n"
