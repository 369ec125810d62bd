"""What a resource of a stack is, for types that moto lacks."""
# ruff: noqa: ANN401 - moto types little of its state

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from moto.core.common_models import CloudFormationModel

if TYPE_CHECKING:
    from collections.abc import Mapping

Properties = dict[str, Any]


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
