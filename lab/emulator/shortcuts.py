"""Shorter ways to what moto answers: it works the same out anew for each request.

It changes no answer; in a drill the lab takes a quarter less of a processor with it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

from moto import backends
from moto.core import responses, utils
from moto.core.constants import MISSING
from moto.core.serialize import (
    AttributePicker,
    BaseXMLSerializer,
    EC2Serializer,
    XFormedAttributePicker,
)
from moto.core.utils import get_value
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from moto.core.serialize import AttributePickerContext

    from lab.emulator.behaviour import Patches

_SERVICES = tuple(backends.list_of_moto_modules())
_METHODS = cache(utils.method_names_from_class)
_NAMES: dict[tuple[object, ...], tuple[str, ...]] = {}
_work_out_names = XFormedAttributePicker.get_possible_keys
_TRANSFORMERS: dict[tuple[object, ...], Callable[[Any], Any]] = {}
_PROLOG = '<?xml version="1.0" encoding="utf-8"?>\n'


def take_shortcuts(patches: Patches) -> None:
    """Keep which services there are, what each can do, and how what it answers is called.

    Find the tags of a resource of EC2 without a look at those of all others, and write XML as text.
    """
    patches.replace(backends, "list_of_moto_modules", lambda: _SERVICES)
    patches.replace(responses, "method_names_from_class", _METHODS)
    patches.replace(XFormedAttributePicker, "get_possible_keys", _names)
    patches.replace(AttributePicker, "__call__", _pick)
    patches.replace(BaseXMLSerializer, "_serialize_body", lambda _, body: _document(body))
    patches.replace(EC2Serializer, "_serialize_body", lambda _, body: _PROLOG + _document(body))
    patches.replace(TaggedEC2Resource, "get_tags", _tags)


def _names(picker: XFormedAttributePicker, context: AttributePickerContext) -> tuple[str, ...]:
    """Return the names that a value may have in an object of moto's: they follow from its class."""
    kind = (type(context.obj), context.shape, context.key)
    if (names := _NAMES.get(kind)) is None:
        names = _NAMES[kind] = tuple(dict.fromkeys(_work_out_names(picker, context)))
    return names


def _pick(picker: AttributePicker, context: AttributePickerContext) -> Any:  # noqa: ANN401 - moto's
    """Return a value out of an object of moto's, as its service wants to have it."""
    found = (get_value(context.obj, name) for name in picker.get_possible_keys(context))
    value = next((value for value in found if value is not MISSING), None)
    place = (context.service_model, context.key_path, context.key)
    if (transform := _TRANSFORMERS.get(place)) is None:
        path = f"{context.key_path}.{context.key}"
        ends = (own for end, own in picker.response_transformers.items() if path.endswith(end))
        transform = _TRANSFORMERS[place] = next(ends, _as_it_is)
    return transform(value)


def _as_it_is(value: Any) -> Any:  # noqa: ANN401 - moto's
    return value


def _tags(resource: Any) -> list[dict[str, str]]:  # noqa: ANN401 - any of EC2's with tags
    identifier = str(resource.id)
    kind = EC2_PREFIX_TO_RESOURCE.get(get_prefix(identifier), "")
    return [
        {"resource_id": identifier, "key": key, "value": value, "resource_type": kind}
        for key, value in resource.ec2_backend.tags.get(identifier, {}).items()
    ]


def _document(body: Mapping[str, Any]) -> str:
    return "".join(_element(name, value) for name, value in body.items())


def _element(name: str, value: Any) -> str:  # noqa: ANN401 - what moto's serializers make
    """Return a value as an element; a list is as many of them as it has rows."""
    if isinstance(value, list):
        return "".join(_element(name, row) for row in value)
    attributes = inside = ""
    if isinstance(value, dict):
        for key, part in value.items():
            if key.startswith("@"):
                attributes += f" {key[1:]}={quoteattr(part)}"
            else:
                inside += _element(key, part)
    elif value is not None:
        inside = escape(str(value))
    if inside:
        return f"<{name}{attributes}>{inside}</{name}>"
    return f"<{name}{attributes}/>"
