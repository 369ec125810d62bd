"""The app is synthesized once in a run of the tests with each context."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lab.tests.shared_cdk import SharedCdk

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = {
    "version": "36.0.0",
    "artifacts": {
        "Any": {
            "type": "aws:cloudformation:stack",
            "environment": "aws://unknown-account/unknown-region",
            "properties": {"templateFile": "any.json"},
        }
    },
}


def test_app_is_synthesized_once_with_each_context(tmp_path: Path) -> None:
    """Each CLI has an assembly of its own, whether it was the first with its context or not."""
    made, log = tmp_path / "made", tmp_path / "log"
    made.mkdir()
    (made / "manifest.json").write_text(json.dumps(MANIFEST))
    (made / "any.json").write_text("{}")
    for number, value in enumerate("aba"):
        directory = tmp_path / str(number)
        directory.mkdir()
        app, context = f"echo ran >>{log}; cp {made}/* $CDK_OUTDIR", (f"any={value}",)
        cdk = SharedCdk("http://localhost:1", directory, kept=tmp_path, app=app, context=context)
        cdk.synth()
        assert (directory / "cdk.out" / "any.json").exists()
    assert ["ran"] * 2 == log.read_text().splitlines()
