"""What the modules of the watch may be made of: what Amazon Linux 2023 has."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from cdk_nat_failover.instances import watch

MODULES = sorted(Path(watch.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_module_is_python_3_9_and_imports_the_standard_library_alone(module: Path) -> None:
    """The system's Python is 3.9, and has nothing else that is ours."""
    tree = ast.parse(module.read_text(encoding="utf-8"), feature_version=(3, 9))
    imported = {name.partition(".")[0] for node in ast.walk(tree) for name in _names(node)}
    assert set() == imported - sys.stdlib_module_names


def _names(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=str(name), level=0):
            return [name]
    return []
