"""The whole template of each variant, as the last reviewer saw it.

After a wanted change, `pytest tests/synth --snapshot-update`, and review the difference.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from syrupy.extensions.json import JSONSnapshotExtension

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from tests.synth.template import Template


def test_template_is_what_was_reviewed(template: Template, snapshot: SnapshotAssertion) -> None:
    """The template differs from the reviewed one in asset hashes at most."""
    assert _readable(template.body) == snapshot(extension_class=JSONSnapshotExtension)


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
