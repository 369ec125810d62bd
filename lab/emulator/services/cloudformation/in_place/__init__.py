"""Updates in place: which properties of which types the lab can change, and how.

CloudFormation calls the services' own APIs for it, and so do these. Every other property fails its
resource.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.emulator.services.cloudformation.in_place import compute, identity, messaging, network
from lab.emulator.services.cloudformation.schemas import changed
from lab.emulator.services.resource import Place, Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.emulator.services.cloudformation.in_place.update import Handler, Update

TABLE: Mapping[str, Mapping[str, Handler]] = {
    **network.TABLE,
    **compute.TABLE,
    **messaging.TABLE,
    **identity.TABLE,
}
"""What changes each property, by type; one that changes several is called once."""


def update(given: Update) -> Any:  # noqa: ANN401 - a resource of moto
    """Change a resource in place, and return what stands for it from now on.

    Raises:
        NotImplementedError: the lab cannot change one of the properties; it changed nothing.

    """
    names, resource = changed(given.old, given.new), given.there.resource
    if isinstance(resource, Resource):
        resource.refuse_to_change(names)
        place = Place(given.aws.account, given.aws.region, {})
        return resource.updated(dict(given.new), dict(given.old), place)
    for handler in _handlers(given.there.kind, names):
        resource = handler(given) or resource
    return resource


def _handlers(kind: str, names: frozenset[str]) -> list[Handler]:
    known = TABLE.get(kind, {})
    if unknown := sorted(names - known.keys()):
        message = f"the lab cannot change {', '.join(unknown)} of a resource of type {kind}"
        raise NotImplementedError(message)
    return list(dict.fromkeys(handler for name, handler in known.items() if name in names))
