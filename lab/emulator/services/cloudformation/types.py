"""Which resource types the lab knows; every other type fails its stack."""
# ruff: noqa: ANN401 - moto types little of its state

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from moto.cloudformation import parsing
from moto.core.common_models import CloudFormationModel
from moto.ec2.models import ec2_backends
from moto.ec2.models.core import TaggedEC2Resource

from lab.emulator.behaviour import Behaviour, Patches

if TYPE_CHECKING:
    from collections.abc import Mapping

Properties = dict[str, Any]

HARMLESS: Mapping[str, str] = {
    "AWS::CDK::Metadata": "version statistics of the CDK; it creates nothing",
}
"""Types that the lab accepts and does nothing for, each with its reason."""

_REFUSED = ("AWS::CloudFormation::Stack",)
"""Types that moto knows, and that do not fit the lab's stacks."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a resource is created, and what CloudFormation says of it."""

    account: str
    region: str
    facts: Mapping[str, str]


class Resource(CloudFormationModel):
    """A resource of a type that moto lacks: a physical id, and what Fn::GetAtt returns."""

    type: ClassVar[str]
    updatable: ClassVar[frozenset[str]] = frozenset()
    """The properties that `updated` can change."""

    def __init__(self, physical_id: str, attributes: Mapping[str, Any] | None = None) -> None:
        self.physical_resource_id = physical_id
        self.attributes = dict(attributes or {})

    @classmethod
    @abstractmethod
    def create(cls, name: str, given: Properties, place: Place) -> Self:
        """Create the resource from its properties; `name` is one that CloudFormation made up."""

    @abstractmethod
    def delete(self, account_id: str, region_name: str) -> None:
        """Delete the resource."""

    def refuse_to_change(self, names: frozenset[str]) -> None:
        """Raise NotImplementedError if the lab cannot change one of these properties in place."""
        if unknown := sorted(names - self.updatable):
            message = (
                f"the lab cannot change {', '.join(unknown)} of a resource of type {self.type}"
            )
            raise NotImplementedError(message)

    def updated(self, given: Properties, old: Properties, place: Place) -> Self:
        """Change the resource from its old properties to others; return what stands for it then."""
        raise NotImplementedError

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **kwargs: Any,
    ) -> Self:
        """Create the resource; moto calls this."""
        place = Place(account_id, region_name, kwargs)
        return cls.create(resource_name, cloudformation_json["Properties"], place)

    def get_cfn_attribute(self, name: str) -> Any:
        """Return what Fn::GetAtt returns; moto calls this."""
        if name not in self.attributes:
            message = f"the lab knows no attribute {name} of {self.physical_resource_id}"
            raise NotImplementedError(message)
        return self.attributes[name]

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        """Return True: `get_cfn_attribute` refuses what does not exist."""
        del attr
        return True


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
            ec2.create_tags([vars(resource)["id"]], tags)
        return resource
