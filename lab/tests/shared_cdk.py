"""The CDK CLI for tests that need a deployed app and not its synthesis, which takes 8 s of CPU.

The app is synthesized as `tests/synth` does it, in the test's process, which loads the CDK once.
That the CLI writes the same, `lab/tests/drills/test_shared_cdk.py` shows; `test_story.py` and those
of the command run the CLI for everything.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING

from lab.drills.cdk import Cdk
from lab.drills.lab_settings import app_context
from lab.emulator.isolation import PROJECT

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
        context: tuple[str, ...] = (),
    ) -> None:
        super().__init__(endpoint, directory, context=context)
        self._kept = kept / sha256(repr(context).encode()).hexdigest()

    def synth(self) -> None:
        """Take the assembly that a test has made before, or make it."""
        with _alone(self._kept.with_suffix(".lock")):
            if not self._kept.exists():
                self._keep()
        shutil.copytree(self._kept, self.assembly, dirs_exist_ok=True)
        self._app = str(self.assembly)

    def _keep(self) -> None:
        """Keep the assembly under its name only when it is whole.

        A process and its forks have one CDK, which does one thing at a time.
        """
        parts = self._kept.with_suffix(".parts")
        shutil.rmtree(parts, ignore_errors=True)
        loaded = os.environ.get("PYTEST_XDIST_WORKER", "here")
        with _alone(self._kept.with_name(f"cdk-{loaded}.lock")):
            _synthesize(self._context, parts)
        parts.rename(self._kept)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Let one process of the run at a time into the block."""
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _synthesize(given: tuple[str, ...], directory: Path) -> None:
    """Do as app.py does, with the context that the CLI would hand to it."""
    import aws_cdk  # noqa: PLC0415 - it takes seconds, and not every process of the run needs it

    from stacks.nat_stack import NatStack  # noqa: PLC0415 - it imports the CDK
    from stacks.settings.reader import read_app_context  # noqa: PLC0415 - as well

    context = app_context(PROJECT)
    context |= {name: json.loads(value) for name, _, value in (row.partition("=") for row in given)}
    app = aws_cdk.App(context=context, outdir=str(directory))
    settings = read_app_context(app.node.get_all_context())
    NatStack(app, settings.name, settings=settings)
    app.synth()
