"""The pinned CDK CLI, run as a person would run it, except that it sees only the lab."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.emulator.isolation import ACCOUNT, PROJECT, REGION, end_process_group, tool_environment
from lab.emulator.node import NotSetUpError, node

if TYPE_CHECKING:
    from pathlib import Path

_LIMIT = 180.0  # seconds for one command
_APP_FAILED = "Subprocess exited with error"
"""What the CLI says when the app ended by itself, after the app's own words."""

_ALWAYS = ("--no-notices", "--no-version-reporting", "--no-color", "--ci")


class CdkError(Exception):
    """A command of the CDK CLI failed; the message says which, and how it ended."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended."""

    status: int
    output: str


class Cdk:
    """The CLI for one app; everything that it writes goes to a directory of the lab's own."""

    def __init__(
        self,
        endpoint: str,
        directory: Path,
        *,
        project: Path = PROJECT,
        app: str | None = None,
        context: tuple[str, ...] = (),
    ) -> None:
        self._command = _command(project)
        self._endpoint = endpoint
        self._directory = directory
        self._project = project
        self._app = app
        self._context = context
        self._running: set[subprocess.Popen[str]] = set()

    def bootstrap(self) -> None:
        """Create the toolkit stack, as in a new account. It does not need the app."""
        self._must("bootstrap", f"aws://{ACCOUNT}/{REGION}", cwd=self._directory)

    def synth(self) -> None:
        """Run the app once; the commands after it use what it made."""
        self._must("synth", "--quiet")
        self._app = str(self.assembly)

    def deploy(self, *options: str) -> Result:
        """Deploy every stack of the app; return what the CLI said."""
        never = ("--require-approval", "never")
        return self._must("deploy", "--all", *never, "--progress", "events", *options)

    def diff(self, *options: str) -> Result:
        """Compare the app with what is deployed; the status is 1 when they differ."""
        return self.run("diff", "--fail", *options)

    def destroy(self) -> None:
        """Destroy every stack of the app."""
        self._must("destroy", "--all", "--force")

    @property
    def assembly(self) -> Path:
        """Return the directory of the cloud assembly, cdk.out."""
        return self._directory / "cdk.out"

    def run(self, *arguments: str, cwd: Path | None = None) -> Result:
        """Run a command to its end, in the project or elsewhere."""
        process = subprocess.Popen(  # noqa: S603 - the pinned CLI, no shell
            [*self._command, *arguments, *_ALWAYS, *([] if cwd else self._about_the_app())],
            cwd=cwd or self._project,
            env=tool_environment(self._endpoint, self._directory),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._running.add(process)
        try:
            output, _ = process.communicate(timeout=_LIMIT)
        except subprocess.TimeoutExpired:
            message = f"cdk {arguments[0]} did not end within {_LIMIT:.0f} s"
            raise CdkError(message) from None
        finally:
            end_process_group(process)
            self._running.discard(process)
        return Result(process.returncode, output)

    def close(self) -> None:
        """End the commands that still run."""
        for process in tuple(self._running):
            end_process_group(process)

    def _must(self, *arguments: str, cwd: Path | None = None) -> Result:
        result = self.run(*arguments, cwd=cwd)
        if result.status:
            message = f"cdk {arguments[0]} failed:\n{_telling(result.output)}"
            raise CdkError(message)
        return result

    def _about_the_app(self) -> list[str]:
        app = ["--app", self._app] if self._app else []
        context = [part for value in self._context for part in ("--context", value)]
        return ["--output", str(self.assembly), *app, *context]


def _command(project: Path) -> list[str]:
    program = node()
    cli = project / "node_modules" / "aws-cdk" / "bin" / "cdk"
    if not cli.exists():
        message = "the CDK CLI is missing: run the lab with `make lab`, which installs it"
        raise NotSetUpError(message)
    return [program, str(cli)]


def _telling(output: str) -> str:
    """Return the lines that say what went wrong, or else the last ones."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    said = [line for line in lines if _APP_FAILED not in line]
    telling = [line for line in said if "_FAILED" in line or "rror" in line]
    return "\n".join((telling or said or lines)[-8:])
