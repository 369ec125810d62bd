"""What CloudFormation makes of a part of a template, for the intrinsic functions that we emit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def resolve(part: Any, values: Mapping[str, str]) -> Any:  # noqa: ANN401 - any part of a template
    """Return the part with its intrinsic functions replaced.

    Values are by logical id ("Topic"), by attribute ("Role.Arn") and by pseudo parameter
    ("AWS::Region"); what `Fn::GetAZs` returns is "AWS::AvailabilityZones", with commas.

    Raises:
        KeyError: for a reference without a value, and for an unknown function.

    """
    if isinstance(part, list):
        return [resolve(item, values) for item in part]
    if not isinstance(part, dict):
        return part
    for name, argument in part.items():
        if name == "Ref" or name.startswith("Fn::"):
            return _FUNCTIONS[name](argument, values)
    return {key: resolve(item, values) for key, item in part.items()}


_FUNCTIONS: dict[str, Callable[[Any, Mapping[str, str]], Any]] = {
    "Ref": lambda name, values: values[name],
    "Fn::GetAtt": lambda path, values: values[".".join(path)],
    "Fn::GetAZs": lambda _, values: values["AWS::AvailabilityZones"].split(","),
    "Fn::Join": lambda argument, values: argument[0].join(resolve(argument[1], values)),
    "Fn::Sub": lambda text, values: re.sub(r"\$\{(.+?)\}", lambda name: values[name[1]], text),
    "Fn::Select": lambda argument, values: resolve(argument[1], values)[argument[0]],
}
