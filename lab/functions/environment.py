"""An execution environment: the deployed zip, unzipped, in a process of its own.

The process sees what a function sees on AWS (its deployed variables, Lambda's own variables, the
credentials of nobody) and nothing of the person's environment. Its AWS calls go to the lab.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import threading
import zipfile
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.functions.runtime_api import Answer, Invocation, RuntimeApi, failure
from lab.isolation import CREDENTIALS, end_process_group

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_INIT_LIMIT = 10.0  # seconds; Lambda developer guide, "Init phase"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """A function as it is deployed: everything that an execution environment is made of."""

    name: str
    arn: str
    region: str
    handler: str
    runtime: str
    memory: int
    timeout: float
    log_group: str
    log_format: str
    variables: Mapping[str, str]
    code: bytes

    def environment(self, endpoint: str, runtime_api: str, task_root: str) -> dict[str, str]:
        """Return the variables that Lambda sets, which win over the deployed ones."""
        return {
            **self.variables,
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{self.runtime}",
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_FORMAT": self.log_format,
            "AWS_LAMBDA_LOG_GROUP_NAME": self.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": "lab",
            "AWS_LAMBDA_RUNTIME_API": runtime_api,
            "LAMBDA_TASK_ROOT": task_root,
            "_HANDLER": self.handler,
            "HOME": task_root,
            "LANG": "en_US.UTF-8",
            "PATH": os.defpath,
            "PYTHONDONTWRITEBYTECODE": "1",
            "TZ": ":UTC",
        }


class ExecutionEnvironment:
    """One warm process that handles one event at a time."""

    def __init__(self, function: Deployed, endpoint: str, log: Callable[[str], None]) -> None:
        self._function = function
        self._api = RuntimeApi()
        self._directory = tempfile.TemporaryDirectory(prefix="nat-lab-function-")
        with zipfile.ZipFile(io.BytesIO(function.code)) as code:
            code.extractall(self._directory.name)
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, no shell
            [sys.executable, "-m", "awslambdaric", function.handler],
            cwd=self._directory.name,
            env=function.environment(endpoint, self._api.address, self._directory.name),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, args=(log,), daemon=True).start()

    @property
    def usable(self) -> bool:
        """Return whether the process is still there for another event."""
        return self._process.poll() is None

    @property
    def process_id(self) -> int:
        """Return the id of the process, which leads a process group of its own."""
        return self._process.pid

    def invoke(self, payload: bytes) -> Answer:
        """Handle one event within the function's timeout, which counts from the end of the init."""
        timeout = self._function.timeout
        invocation = Invocation(payload=payload, function_arn=self._function.arn, timeout=timeout)
        self._api.offer(invocation)
        if not self.usable:
            self._gone()
        invocation.fetched.wait(_INIT_LIMIT)
        try:
            return invocation.answer.result(timeout=timeout)
        except FutureTimeoutError:
            self.close()
            message = f"{invocation.request_id} Task timed out after {timeout:.2f} seconds"
            return failure("Sandbox.Timedout", message)

    def close(self) -> None:
        """End the process and remove its files."""
        end_process_group(self._process)
        self._api.close()
        self._directory.cleanup()

    def _read(self, log: Callable[[str], None]) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe, see above
        for line in self._process.stdout:
            log(line.rstrip("\n"))
        self._process.wait()
        self._gone()

    def _gone(self) -> None:
        status = self._process.poll()
        message = f"Error: Runtime exited with error: exit status {status}"
        self._api.fail(failure("Runtime.ExitError", message))
