"""The catalogue of restored behaviours: each says its fact and who states it, in full."""

from __future__ import annotations

import ast
import inspect
from typing import TYPE_CHECKING

import pytest

from lab.emulator.behaviour import Behaviour
from lab.emulator.catalogue import ALL

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.parametrize("behaviour", ALL, ids=lambda behaviour: behaviour.__name__)
def test_behaviour_states_its_fact_and_its_source_in_full(behaviour: type[Behaviour]) -> None:
    """`lab fidelity` prints both; a text that goes on outside of its brackets would be cut off."""
    assert inspect.getdoc(behaviour)
    assert behaviour.source.strip()
    (body,) = ast.parse(inspect.getsource(behaviour)).body
    assert isinstance(body, ast.ClassDef)
    loose = [row for row in body.body[1:] if isinstance(row, ast.Expr)]
    assert loose == []


def test_catalogue_lists_every_behaviour_once() -> None:
    """What is written and not listed would never be installed."""
    assert len(set(ALL)) == len(ALL)
    assert set(concrete(Behaviour)) == set(ALL)  # type: ignore[type-abstract]  # only asked


def concrete(owner: type[Behaviour]) -> Iterator[type[Behaviour]]:
    """Yield the classes of the lab below another that are meant to be installed."""
    for row in owner.__subclasses__():
        yield from concrete(row)
        if row.__module__.startswith("lab.") and not row.__name__.startswith("_"):
            yield row
