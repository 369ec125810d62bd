"""The CDK CLI for tests that need a deployed app, and not to see how it is prepared.

The app is synthesized as `tests/synth` does it, in the test's process, which loads the CDK once,
and the toolkit stack is created from the template that the CLI shows, which spares each test
seconds of CPU. That the CLI makes the same, `lab/tests/drills/test_shared_cdk.py` shows; the
tests of the command run the CLI for everything.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING

import boto3

from lab.drills.cdk import Cdk
from lab.drills.lab_settings import app_context
from lab.emulator.isolation import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


TOOLKIT = "CDKToolkit"
GIVEN = {"FileAssetsBucketKmsKeyId": "AWS_MANAGED_KEY", "PublicAccessBlockConfiguration": "true"}
"""The parameters of the toolkit stack that the CLI sets."""


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
        self._toolkit = kept / "toolkit.yaml"
        self._kept = kept / sha256(repr(context).encode()).hexdigest()

    def bootstrap(self) -> None:
        """Create the toolkit stack as the CLI does, which is asked for its template once."""
        with _alone(self._toolkit.with_suffix(".lock")):
            if not self._toolkit.exists():
                shown = self._must("bootstrap", "--show-template", cwd=self._directory).output
                self._toolkit.write_text(shown, encoding="utf-8")
        cloudformation = boto3.client("cloudformation", endpoint_url=self._endpoint)
        cloudformation.create_stack(
            StackName=TOOLKIT,
            TemplateBody=self._toolkit.read_text(encoding="utf-8"),
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value} for name, value in GIVEN.items()
            ],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        created = cloudformation.get_waiter("stack_create_complete")
        created.wait(StackName=TOOLKIT, WaiterConfig={"Delay": 1, "MaxAttempts": 180})

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
