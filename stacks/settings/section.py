"""What a setting is: its value, what it decides, and what is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from pydantic.config import JsonDict
    from pydantic.fields import FieldInfo


class Section(BaseModel):
    """Settings that belong together."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def setting(*, decides: str, allowed: str, default: object = ..., **bounds: Any) -> Any:  # noqa: ANN401 - of the field's own type
    """Return the field of a setting; one without a default must be given.

    README's table says what it decides and what is allowed, and mistakes quote what is allowed.
    """
    extra: JsonDict = {"allowed": allowed}
    return Field(default=default, description=decides, json_schema_extra=extra, **bounds)


def allowed(field: FieldInfo) -> str | None:
    """Return what is allowed for a setting, None for a section."""
    extra = field.json_schema_extra
    return str(extra["allowed"]) if isinstance(extra, dict) else None
