"""What keeps the lab on this machine and away from the person's AWS account.

Every process that the lab starts gets its whole environment from here (the credentials of nobody,
no profile, no configuration file, no instance metadata, a home directory of its own), and is ended
from here.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCOUNT = "123456789012"
REGION = "us-east-1"
PROJECT = Path(__file__).resolve().parents[2]

CREDENTIALS: Mapping[str, str] = {
    "AWS_ACCESS_KEY_ID": "lab",
    "AWS_SECRET_ACCESS_KEY": "lab",
    "AWS_SESSION_TOKEN": "lab",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""The credentials of nobody, and no way to anybody else's."""

_KEPT = ("LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "SYSTEMROOT")
_GRACE = 3.0  # seconds that a process gets to end by itself


def credentials_of_a_person() -> str | None:
    """Return a variable that holds AWS credentials of somebody, if there is one."""
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    return next((n for n in names if os.environ.get(n, CREDENTIALS[n]) != CREDENTIALS[n]), None)


def forget_credentials() -> None:
    """Remove the person's AWS settings from this process, before anything of AWS is imported."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(CREDENTIALS)
    os.environ["AWS_DEFAULT_REGION"] = REGION


def tool_environment(endpoint: str, home: Path) -> dict[str, str]:
    """Return the environment in which the CDK CLI and the app run."""
    virtual_env = str(Path(sys.executable).parent)
    jsii_cache = Path.home() / ".cache" / "aws" / "jsii" / "package-cache"
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {
        **kept,
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_HOME": str(home),
        "CI": "true",
        "HOME": str(home),
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(jsii_cache),
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
        "NO_COLOR": "1",
        "PATH": os.pathsep.join([virtual_env, os.environ.get("PATH", os.defpath)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(PROJECT / "lambda_src"),
    }


class Process(Protocol):
    """A process that this one may end."""

    pid: int

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, and return how it ended."""


def end_process_group(process: Process) -> None:
    """End a process that leads its own group, and all that it started."""
    _signal(process, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=_GRACE)
    _signal(process, signal.SIGKILL)
    process.wait(timeout=_GRACE)


def _signal(process: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
