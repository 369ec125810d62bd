"""What an option is: its value, what it decides, and what is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic.config import JsonDict
    from pydantic.fields import FieldInfo

Rule = tuple[tuple[str, ...], "Callable[[Any, str], str | None]"]
"""The options that a rule is about, and what returns the line for a mistake: from the section, and
from what stands before its options' names where the reader set them."""


class OptionsError(ValueError):
    """The options cannot be used together; the message has one line for each mistake."""


if TYPE_CHECKING:
    _Model = BaseModel
else:

    class _Sentences(type(BaseModel)):
        """Says mistakes in Python as those in context are said; the reader has its own way."""

        def __call__(cls, **given: object) -> Section:
            try:
                return super().__call__(**given)
            except ValidationError as error:
                raise OptionsError("\n".join(_lines(cls, error))) from None

    class _Model(BaseModel, metaclass=_Sentences):
        """Makes options, or says in sentences what is wrong with them."""


class Section(_Model):
    """Options that belong together.

    Raises:
        OptionsError: when an option is unknown, or its value not allowed.

    """

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


def _lines(section: type[BaseModel], error: ValidationError) -> Iterator[str]:
    """Yield a line for each option that is wrong, once."""
    rows = {str(row["loc"][0]): row for row in reversed(error.errors())}
    for name, row in sorted(rows.items()):
        if field := section.model_fields.get(name):
            why = f": {row['ctx']['error']}" if row["type"] == "value_error" else ""
            yield f"{name}: {row['input']!r}{why}; allowed: {allowed(field)}"
        else:
            yield f"{name} is not an option; allowed: {', '.join(section.model_fields)}"


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
