"""The default template, and how each variant differs from it, as the last reviewer saw them.

A difference is a merge patch: what is gone is null, a list that differs stands there whole. After a
wanted change, `pytest tests/synth --snapshot-update`, and review the difference.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from syrupy.extensions.json import JSONSnapshotExtension

from tests.merge_patch import difference
from tests.synth.template import VARIANTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from syrupy.assertion import SnapshotAssertion

    from tests.synth.template import Template


def test_template_is_what_was_reviewed(default: Template, snapshot: SnapshotAssertion) -> None:
    """The template differs from the reviewed one in asset hashes at most."""
    assert _readable(default.body) == snapshot(extension_class=JSONSnapshotExtension)


@pytest.mark.parametrize("variant", [name for name in VARIANTS if name != "default"])
def test_variant_differs_as_was_reviewed(
    variant: str,
    synthesize: Callable[[str], Template],
    default: Template,
    snapshot: SnapshotAssertion,
) -> None:
    """What a setting changes, and nothing else."""
    patch = difference(_readable(default.body), _readable(synthesize(variant).body))
    assert patch == snapshot(extension_class=JSONSnapshotExtension)


def _readable(part: Any) -> Any:  # noqa: ANN401 - any part of a template
    """Mask the asset's hash, which the function's source decides, and show scripts line by line."""
    if isinstance(part, dict):
        return {key: _readable(value) for key, value in part.items()}
    if isinstance(part, list):
        return [_readable(item) for item in part]
    if isinstance(part, str):
        lines = re.sub(r"[0-9a-f]{64}", "<asset hash>", part).splitlines()
        return lines if len(lines) > 1 else "".join(lines)
    return part
