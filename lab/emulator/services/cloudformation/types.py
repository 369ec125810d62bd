"""Which resource types the lab knows; every other type fails its stack."""
# ruff: noqa: ANN401 - moto types little of its state

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from moto.cloudformation import parsing
from moto.ec2.models import ec2_backends
from moto.ec2.models.core import TaggedEC2Resource

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.services.resource import Place, Properties, Resource
from lab.emulator.side_tables import Attribute

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moto.core.common_models import CloudFormationModel

HARMLESS: Mapping[str, str] = {
    "AWS::CDK::Metadata": "version statistics of the CDK; it creates nothing",
}
"""Types that the lab accepts and does nothing for, each with its reason."""

_ID: Attribute[TaggedEC2Resource, str] = Attribute("id", "")
"""moto's own, which the type that all these have in common does not declare."""

_REFUSED = ("AWS::CloudFormation::Stack",)
"""Types that moto knows, and that do not fit the lab's stacks."""


class Nothing(Resource):
    """A resource of a harmless type."""

    @classmethod
    def create(cls, name: str, given: Properties, place: Place) -> Self:
        """Create nothing."""
        del given, place
        return cls(name)

    def delete(self, account_id: str, region_name: str) -> None:
        """Delete nothing."""


class UnsupportedTypeError(Exception):
    """The lab does not emulate a resource type."""


class UnknownTypesFail(Behaviour):
    """A resource of a type that CloudFormation does not know fails the stack.

    moto skips such a resource with a warning in its log.
    """

    source = "CloudFormation user guide, 'Unrecognized resource types'"

    def install(self, patches: Patches) -> None:
        """Refuse what neither moto nor the lab emulates."""
        self._find = parsing.resource_class_from_type
        patches.replace(parsing, "resource_class_from_type", self._find_or_fail)

    def _find_or_fail(self, resource_type: str) -> type[CloudFormationModel]:
        if resource_type in HARMLESS:
            return Nothing
        custom = resource_type.startswith("Custom::")
        known = resource_type in parsing.get_model_map() and resource_type not in _REFUSED
        if not (custom or known):
            message = f"the lab does not emulate the resource type {resource_type}"
            raise UnsupportedTypeError(message)
        return self._find(resource_type)


class ResourcesAreTagged(Behaviour):
    """An EC2 resource of a stack carries its own tags, the stack's, and aws:cloudformation:*.

    moto forgets them for stacks that a change set creates, and for route tables always.
    """

    source = "CloudFormation user guide, 'Resource tag'"

    def install(self, patches: Patches) -> None:
        """Tag each resource after its creation."""
        self._create = parsing.parse_and_create_resource
        patches.replace(parsing, "parse_and_create_resource", self._create_tagged)

    def _create_tagged(
        self, logical_id: str, resource_json: dict[str, Any], resources_map: Any, **where: str
    ) -> Any:
        resource: Any = self._create(logical_id, resource_json, resources_map, **where)
        if isinstance(resource, TaggedEC2Resource):
            properties = parsing.clean_json(resource_json.get("Properties", {}), resources_map)
            own = {row["Key"]: row["Value"] for row in properties.get("Tags", [])}
            tags = {**resources_map.tags, "aws:cloudformation:logical-id": logical_id, **own}
            ec2 = ec2_backends[self._aws.account][self._aws.region]
            ec2.create_tags([_ID[resource]], tags)
        return resource
