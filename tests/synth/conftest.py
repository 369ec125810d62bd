"""Each variant of the stack, synthesized once per process."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
import pytest

from stacks.nat_stack import NatStack
from stacks.settings.reader import read_settings
from tests.synth.template import VARIANTS, Template

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def synthesize(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Template]:
    """Return a function that synthesizes a variant as the CDK CLI would, feature flags included."""
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]

    @cache
    def synthesize_variant(variant: str) -> Template:
        directory = tmp_path_factory.mktemp(variant)
        app = cdk.App(context=context, outdir=str(directory))
        settings = read_settings(VARIANTS[variant])
        NatStack(app, settings.name, settings=settings)
        stack = app.synth().get_stack_by_name(settings.name)
        return Template(body=stack.template, app=app, directory=directory)

    return synthesize_variant


@pytest.fixture(params=VARIANTS)
def template(request: pytest.FixtureRequest, synthesize: Callable[[str], Template]) -> Template:
    """Each variant in turn."""
    return synthesize(cast("str", request.param))


@pytest.fixture
def default(synthesize: Callable[[str], Template]) -> Template:
    """The stack with default settings."""
    return synthesize("default")
