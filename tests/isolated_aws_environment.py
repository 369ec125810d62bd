"""Tests of the lab must not see the AWS environment that they are started in."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from lab.emulator.isolation import CREDENTIALS, REGION

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def isolated_aws_environment() -> Iterator[None]:
    """Take AWS settings out of the environment, and put those of the lab there."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in {**CREDENTIALS, "AWS_DEFAULT_REGION": REGION}.items():
            patch.setenv(name, value)
        yield
