"""What an option is: its value, what it decides, and what is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic.config import JsonDict
    from pydantic.fields import FieldInfo

Rule = tuple[tuple[str, ...], "Callable[[Any, str], str | None]"]
"""The options that a rule is about, and what returns the line for a mistake: from the section, and
from what stands before its options' names where the reader set them."""


class OptionsError(ValueError):
    """The options cannot be used together; the message has one line for each mistake."""


class Section(BaseModel):
    """Options that belong together."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: ClassVar[tuple[Rule, ...]] = ()
    """Each rule about several options, or several values of one."""

    def check(self) -> None:
        """Raise for each rule that the options break.

        Raises:
            OptionsError: with one line for each mistake.

        """
        if lines := [line for _, rule in self.rules if (line := rule(self, ""))]:
            raise OptionsError("\n".join(lines))


def setting(*, decides: str, allowed: str, default: object = ..., **bounds: Any) -> Any:  # noqa: ANN401 - of the field's own type
    """Return the field of an option; one without a default must be given.

    README's table says what it decides and what is allowed, and mistakes quote what is allowed.
    """
    extra: JsonDict = {"allowed": allowed}
    return Field(default=default, description=decides, json_schema_extra=extra, **bounds)


def allowed(field: FieldInfo) -> str | None:
    """Return what is allowed for an option, None for a section."""
    extra = field.json_schema_extra
    return str(extra["allowed"]) if isinstance(extra, dict) else None
