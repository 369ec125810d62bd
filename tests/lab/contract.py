"""What a contract test is: it holds with a behaviour, and fails when moto is alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.aws.catalogue import ALL

if TYPE_CHECKING:
    from lab.aws.behaviour import Behaviour

LIMIT = 30.0
"""Seconds that a test waits for what is to happen, on the busiest of machines."""

LIMIT_ALONE = 2.0
"""The same where moto is alone and it should not happen."""

PACE = 5.0
"""How fast time goes where a contract does not depend on how long a delay is."""


def contract_of(*behaviours: type[Behaviour], pace: float = PACE) -> pytest.MarkDecorator:
    """Run a test in the whole region, and in one without these behaviours, where it must fail.

    When it no longer fails there, moto has learnt the behaviour, and the lab's piece can go.
    """
    without = tuple(behaviour for behaviour in ALL if behaviour not in behaviours)
    alone = pytest.mark.xfail(strict=True)
    cases = [
        pytest.param((ALL, pace), id="restored"),
        pytest.param((without, pace), id="moto-alone", marks=alone),
    ]
    return pytest.mark.parametrize("region", cases, indirect=True)
