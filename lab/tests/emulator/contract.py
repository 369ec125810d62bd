"""What a contract test is: it holds with a behaviour, and fails when moto is alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.emulator.readings import every

if TYPE_CHECKING:
    from enum import Enum

    from lab.emulator.behaviour import Behaviour

LIMIT = 900.0
"""Seconds of the lab's clock that a test waits for what is to happen."""


def contract_of(*behaviours: type[Behaviour]) -> pytest.MarkDecorator:
    """Run a test in the whole region, and with all else in one where it must fail: without these.

    When it no longer fails there, moto has learnt the behaviour, and the lab's piece can go.
    """
    alone = [
        pytest.mark.xfail(strict=True),
        pytest.mark.exhaustive("it changes with the version of moto alone, or with the test"),
    ]
    cases = [
        pytest.param((), id="restored"),
        pytest.param(behaviours, id="moto-alone", marks=alone),
    ]
    return pytest.mark.parametrize("region", cases, indirect=True)


def under_each(*questions: type[Enum]) -> pytest.MarkDecorator:
    """Run a test under each reading of some open questions, in the full cross, or of all of them.

    The test's `readings`, and with them its `region`, play them.
    """
    chosen = list(every(*questions))
    open_ones = questions or tuple(type(answer) for answer in chosen[0].answers)
    names = [
        " ".join(answer.name for answer in row.answers if type(answer) in open_ones)
        for row in chosen
    ]
    return pytest.mark.parametrize("readings", chosen, ids=names)
