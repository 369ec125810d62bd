"""Somebody else's handler: how it is named, packed, told of resources, and refused."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pytest

from lab.drills.handlers import HandlerError, Trigger, packed, read_handler

if TYPE_CHECKING:
    from pathlib import Path

DO = "import other\ndef do(event, context):\n    return other.VALUE\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a handler, a module beside it, and things that are not deployed."""
    (tmp_path / "any.py").write_text(DO)
    (tmp_path / "other.py").write_text("VALUE = 1\n")
    for skipped in (".venv", "__pycache__", "tests"):
        (tmp_path / skipped).mkdir()
        (tmp_path / skipped / "x.py").write_text("")
    return tmp_path


def names(archive: bytes) -> list[str]:
    """Return what is in a zip."""
    return zipfile.ZipFile(io.BytesIO(archive)).namelist()


def test_handler_is_deployed_with_what_lies_beside_it(folder: Path) -> None:
    """And without hidden files, caches and tests."""
    handler = read_handler(f"{folder}/any.py:do", ["A=1=2", "B="], [Trigger.SCHEDULE])
    assert names(packed(handler)) == ["any.py", "other.py"]
    assert handler.variables == {"A": "1=2", "B": ""}
    assert handler.triggers == {Trigger.SCHEDULE}
    assert (handler.module, str(handler)) == ("any", "any.py:do")


def test_handler_in_a_package_is_imported_by_its_full_name(folder: Path) -> None:
    """What is deployed is the folder above the package, as Lambda would need it."""
    package = folder / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "any.py").write_text("from package import __name__ as name\ndef do(e, c): ...\n")
    handler = read_handler(f"{package}/any.py:do")
    assert handler.module == "package.any"
    assert "package/any.py" in names(packed(handler))


@pytest.mark.parametrize(
    ("written", "variables", "said"),
    [
        ("any.py", (), "'any.py' is not a handler: write FILE:FUNCTION"),
        ("{folder}/any.py:", (), "is not a handler"),
        ("{folder}/nowhere.py:do", (), "nowhere.py does not exist"),
        ("{folder}/any.py:undo", (), "cannot be imported: AttributeError.*undo"),
        ("{folder}/broken.py:do", (), "cannot be imported: ModuleNotFoundError.*nowhere"),
        ("{folder}/any.py:do", ("A",), "'A' is not a variable: write KEY=VALUE"),
        ("{folder}/any.py:do", ("=1",), "is not a variable"),
        ("{folder}/any.py:do", ("A={route_table.z}",), r"no resource \{route_table.z\}; there are"),
    ],
)
def test_handler_that_cannot_be_used_is_refused_with_what_to_do(
    folder: Path, written: str, variables: tuple[str, ...], said: str
) -> None:
    """Before anything is deployed, in one sentence."""
    (folder / "broken.py").write_text("import nowhere_to_be_found\n")
    with pytest.raises(HandlerError, match=said):
        read_handler(written.format(folder=folder), variables)


def test_handler_may_read_its_variables_when_it_is_imported(folder: Path) -> None:
    """As on Lambda, where they are set before the module is loaded."""
    (folder / "any.py").write_text("import os\nT = os.environ['T']\ndef do(e, c): ...\n")
    assert read_handler(f"{folder}/any.py:do", ["T={route_table.a}"])
    with pytest.raises(HandlerError, match=r"KeyError: 'T'\. Put what it imports beside it"):
        read_handler(f"{folder}/any.py:do")


def test_handler_is_refused_when_its_folder_is_larger_than_lambda_takes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home directory is not a function."""
    monkeypatch.setattr("lab.drills.handlers.LARGEST", 100)
    with pytest.raises(HandlerError, match="larger than Lambda takes"):
        read_handler(f"{folder}/any.py:do")
