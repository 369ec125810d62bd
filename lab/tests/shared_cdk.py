"""The CDK CLI for tests that need a deployed app and not its synthesis, which takes 12 s of CPU.

Tests of the deployment itself run the CLI as it is: `lab/tests/drills/test_story.py` and those of
the command.
"""

from __future__ import annotations

import fcntl
import shutil
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING

from lab.drills.cdk import Cdk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class SharedCdk(Cdk):
    """The CLI, for which the app is synthesized once in a run of the tests with each context.

    The assemblies are kept in a directory that all processes of the run share.
    """

    def __init__(
        self,
        endpoint: str,
        directory: Path,
        *,
        kept: Path,
        app: str | None = None,
        context: tuple[str, ...] = (),
    ) -> None:
        super().__init__(endpoint, directory, app=app, context=context)
        self._kept = kept / sha256(repr(context).encode()).hexdigest()

    def synth(self) -> None:
        """Take the assembly that a test has made before, or make it."""
        with _alone(self._kept.with_suffix(".lock")):
            if not self._kept.exists():
                self._keep()
        shutil.copytree(self._kept, self.assembly, dirs_exist_ok=True)
        self._app = str(self.assembly)

    def _keep(self) -> None:
        """Keep the assembly under its name only when it is whole."""
        super().synth()
        parts = self._kept.with_suffix(".parts")
        shutil.rmtree(parts, ignore_errors=True)
        shutil.copytree(self.assembly, parts)
        parts.rename(self._kept)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Let one process of the run at a time into the block."""
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
