"""What a template would change in a stack, as far as that can be known before it is done."""
# ruff: noqa: SLF001 - moto gives no other access to its state

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.cloudformation.parsing import ResourceMap, clean_json

from lab.emulator.services.cloudformation import listing
from lab.emulator.services.cloudformation.ledger import Applied, ledger
from lab.emulator.services.cloudformation.operation import given_or_default
from lab.emulator.services.cloudformation.order import creation_order, references
from lab.emulator.services.cloudformation.schemas import changed, schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from moto.cloudformation.models import Stack

UNKNOWN = "{{changeSet:KNOWN_AFTER_APPLY}}"
"""What CloudFormation says of a value that only the execution will show."""


class _ToBeMade:
    """A resource that does not exist yet."""

    physical_resource_id = UNKNOWN

    def get_cfn_attribute(self, _: str) -> str:
        return UNKNOWN


class _ToBeChanged:
    """A resource that stays, and with it what identifies it; other attributes may change."""

    def __init__(self, applied: Applied) -> None:
        self.physical_resource_id = applied.physical_id
        self._resource = applied.resource

    def get_cfn_attribute(self, name: str) -> Any:  # noqa: ANN401 - whatever moto has
        if name.endswith(("Arn", "Id", "Name", "Url")):
            return self._resource.get_cfn_attribute(name)
        return UNKNOWN


@dataclass(frozen=True, slots=True)
class Preview:
    """The changes of one template, which is parsed, with its parameters."""

    stack: Stack
    template: Mapping[str, Any]
    parameters: Mapping[str, str]

    def changes(self) -> list[dict[str, Any]]:
        """Return the changes as DescribeChangeSet lists them, with all values.

        Raises:
            ValueError: the template is one that the stack cannot be updated to.

        """
        values: Any = self._values()
        wanted = {
            name: body
            for name, body in self.template["Resources"].items()
            if "Condition" not in body or values.lazy_condition_map[body["Condition"]]
        }
        found = []
        for name in creation_order(wanted):
            change = self._change(name, wanted[name], values)
            found += [change] if change else []
        gone = (row for row in ledger(self.stack).items() if row[0] not in wanted)
        return [*found, *(listing.removal(name, applied) for name, applied in gone)]

    def _values(self) -> ResourceMap:
        values = ResourceMap(
            self.stack.stack_id,
            self.stack.name,
            given_or_default(self.template, self.parameters),
            {},
            account_id=self.stack.account_id,
            region_name=self.stack.region_name,
            template=dict(self.template),
            cross_stack_resources=self.stack.cross_stack_resources,
        )
        values.load_mapping()
        values.load_parameters()
        values.load_conditions()
        return values

    def _change(
        self, name: str, body: Mapping[str, Any], values: ResourceMap
    ) -> dict[str, Any] | None:
        made, there = values._parsed_resources, ledger(self.stack).get(name)
        new = {key: _known(value, values) for key, value in body.get("Properties", {}).items()}
        new = {key: value for key, value in new.items() if value is not None}
        if there is None:
            made[name] = _ToBeMade()
            return listing.addition(name, body, new)
        if there.kind != body["Type"]:
            message = (
                "Update of resource type is not permitted. The new template modifies resource type"
                f" of the following resources: [{name}]"
            )
            raise ValueError(message)
        details = [
            *self._details(there, body, new, values),
            *listing.attribute_details(there.body, body),
        ]
        if not details:
            made[name] = there.resource
            return None
        replacement = listing.replacement(details)
        made[name] = _ToBeMade() if replacement == "True" else _ToBeChanged(there)
        return listing.modification(name, there, new, replacement, details)

    def _details(
        self,
        there: Applied,
        body: Mapping[str, Any],
        new: Mapping[str, Any],
        values: ResourceMap,
    ) -> Iterator[dict[str, Any]]:
        rules = schema(there.kind)
        always = rules.recreates(there.properties, new)
        for name in sorted(changed(there.properties, new)):
            target = {
                "Attribute": "Properties",
                "Name": name,
                "RequiresRecreation": "Always"
                if name in always
                else "Conditionally"
                if rules.may_recreate(name)
                else "Never",
                **listing.values_of(name, there.properties.get(name), new.get(name)),
            }
            for cause in self._causes(name, there, body, values):
                yield {"Target": target, **cause}

    def _causes(
        self, name: str, there: Applied, body: Mapping[str, Any], values: ResourceMap
    ) -> list[dict[str, str]]:
        """Return why a property changes, each cause once."""
        before = there.body.get("Properties", {}).get(name)
        after = body.get("Properties", {}).get(name)
        direct = {"Evaluation": "Static", "ChangeSource": "DirectModification"}
        causes = [direct] if before != after else []
        for to, attribute in references(after):
            cause = self._cause(to, attribute, values)
            causes += [cause] if cause and cause not in causes else []
        return causes or [direct]

    def _cause(self, to: str, attribute: str, values: ResourceMap) -> dict[str, str] | None:
        known = self.stack.resource_map.resolved_parameters
        if to in values.resolved_parameters:
            if known.get(to) == values.resolved_parameters[to]:
                return None
            return _cause("Static", "ParameterReference", to)
        made: Any = values._parsed_resources.get(to)
        if not isinstance(made, (_ToBeMade, _ToBeChanged)):
            return None
        if attribute and made.get_cfn_attribute(attribute) == UNKNOWN:
            return _cause("Dynamic", "ResourceAttribute", f"{to}.{attribute}")
        if made.physical_resource_id == UNKNOWN:
            return _cause("Static", "ResourceReference", to)
        return None


def _cause(evaluation: str, source: str, entity: str) -> dict[str, str]:
    return {"Evaluation": evaluation, "ChangeSource": source, "CausingEntity": entity}


def _known(value: object, values: ResourceMap) -> Any:  # noqa: ANN401 - JSON
    """Return a value with all that is known in place; a part of what is not known is not known."""
    try:
        return clean_json(value, values)
    except (AttributeError, IndexError, KeyError, TypeError):
        return UNKNOWN
