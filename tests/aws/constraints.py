"""Whether what the function sends to AWS obeys what AWS documents of it, call by call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.model import ListShape, MapShape, StringShape, StructureShape

from aws_constraints.table import breaches, covers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.model import OperationModel, Shape


@dataclass
class Constraints:
    """What was sent through some clients, held against the table and against the API's models."""

    found: list[str] = field(default_factory=list)

    def watch(self, *clients: Any) -> None:  # noqa: ANN401 - any client of boto3
        """Look at every call of these clients."""
        for client in clients:
            client.meta.events.register("before-parameter-build", self._look)

    def _look(self, params: dict[str, Any], model: OperationModel, **_: object) -> None:
        self.found += mistakes(model, params)


def mistakes(model: OperationModel, params: dict[str, Any]) -> list[str]:
    """Return what breaks a row in the parameters of a call, and those that nothing constrains."""
    kind = f"{model.service_model.service_name}.{model.name}"
    unknown = [path for path in _open(model.input_shape, params) if not covers((kind, *path))]
    return [
        *map(str, breaches(kind, params)),
        *(f"nothing is documented of {'/'.join((kind, *path))}" for path in unknown),
    ]


def _open(shape: Shape | None, value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:  # noqa: ANN401 - JSON
    """Yield the paths of the parameters of which the model does not say which values they take."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        for name, inner in value.items():
            if name in shape.members:
                yield from _open(shape.members[name], inner, (*path, name))
    elif isinstance(shape, MapShape):
        for name, inner in value.items():
            yield from _open(shape.value, inner, (*path, name))
    elif isinstance(shape, ListShape):
        for inner in value:
            yield from _open(shape.member, inner, (*path, "*"))
    elif shape and not _is_precise(shape):
        yield path


def _is_precise(shape: Shape) -> bool:
    if shape.type_name == "boolean":
        return True
    if isinstance(shape, StringShape):
        return bool(shape.enum) or "pattern" in shape.metadata
    return {"min", "max"} <= shape.metadata.keys()
