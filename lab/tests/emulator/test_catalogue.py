"""The catalogues of behaviours, AWS's and drills': each states its fact and its source in full."""

from __future__ import annotations

import ast
import inspect
from typing import TYPE_CHECKING

import pytest

from lab.drills.catalogue import BEHAVIOURS
from lab.emulator.behaviour import Behaviour
from lab.emulator.catalogue import ALL

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour.__name__)
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
    assert set(concrete(Behaviour, "lab.emulator.")) == set(ALL)  # type: ignore[type-abstract]  # only asked


def test_catalogue_of_drills_adds_what_instances_do_and_nothing_else() -> None:
    """It is AWS's with that: no behaviour of AWS is known to drills alone."""
    boots = concrete(Behaviour, "lab.drills.boots.")  # type: ignore[type-abstract]  # only asked
    assert {*ALL, *boots} == set(BEHAVIOURS)
    assert len(set(BEHAVIOURS)) == len(BEHAVIOURS)


def concrete(owner: type[Behaviour], package: str) -> Iterator[type[Behaviour]]:
    """Yield the classes of a package below another that are meant to be installed."""
    for row in owner.__subclasses__():
        yield from concrete(row, package)
        if row.__module__.startswith(package) and not row.__name__.startswith("_"):
            yield row
