"""A row of the table: which values it is about, its rule, AWS's error, and who states it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_constraints.rules import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A documented constraint.

    A place is a CloudFormation type with the path of a property
    (`AWS::EC2::VPC/CidrBlock`), an operation with the path of a parameter
    (`sns.Publish/Subject`), or `Template` with the path of a section. `*` stands for one part, the
    items of a list included.
    """

    places: tuple[str, ...]
    rule: Rule
    source: str
    code: str = "ValidationError"
    words: str = ""

    def says(self, path: str, value: object) -> str:
        """Return what AWS says of a value that breaks the rule; its own words where known."""
        if self.words:
            return self.words.replace("{value}", str(value))
        return f"{path} {self.rule.breach(value)}"
