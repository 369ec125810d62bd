"""An execution environment: the deployed zip, unzipped, in a process of its own.

The process sees what a function sees on AWS (its deployed variables, Lambda's own variables,
temporary credentials of its role) and nothing of the person's environment. Its AWS calls go to the
lab, which knows it by its access key.
"""

from __future__ import annotations

import io
import itertools
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.emulator.isolation import CREDENTIALS, end_process_group
from lab.emulator.lambda_runtime.activity import Activity
from lab.emulator.lambda_runtime.output import Output
from lab.emulator.lambda_runtime.runtime_api import Answer, Invocation, RuntimeApi, failure
from lab.emulator.lambda_runtime.template import Start, template

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lab.emulator.lambda_runtime.link import Link
    from lab.emulator.lambda_runtime.template import FunctionProcess
    from lab.emulator.time.clock import Clock

_INIT_LIMIT = 60.0
"""Seconds on the wall. Lambda gives 10 (Lambda developer guide, "Init phase"), and a machine:
on one that is busy with many drills, a start takes several times as long."""

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """A function as it is deployed: everything that an execution environment is made of."""

    name: str
    arn: str
    role: str
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
    """One warm process that handles one event at a time; `key` is its access key id."""

    def __init__(
        self,
        function: Deployed,
        endpoint: str,
        clock: Clock,
        link: Link,
        log: Callable[[str], None],
    ) -> None:
        self.key = f"ASIALAB{next(_numbers):013d}"
        self.activity = Activity(clock)
        self._function = function
        self._clock = clock
        self._link = link
        self._started = False
        link.meet(self.key, self.activity)
        self._api = RuntimeApi()
        self._directory = tempfile.TemporaryDirectory(prefix="nat-lab-function-")
        with zipfile.ZipFile(io.BytesIO(function.code)) as code:
            code.extractall(self._directory.name)
        self._process = self._start(endpoint)
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe, see above
        self._output = Output(self._process.stdout.fileno(), log, self._ended)

    @property
    def usable(self) -> bool:
        """Return whether the process is still there for another event."""
        return self._process.poll() is None

    @property
    def process_id(self) -> int:
        """Return the id of the process, which leads a process group of its own."""
        return self._process.pid

    @property
    def function(self) -> str:
        """Return the name of the function."""
        return self._function.name

    @property
    def role(self) -> str:
        """Return the ARN of the role that the function's calls are made with."""
        return self._function.role

    def invoke(self, payload: bytes, run: int) -> Answer:
        """Handle one event within the function's timeout, which counts from the end of the init."""
        timeout = self._function.timeout
        deadline = self._clock.calendar() + timeout
        invocation = Invocation(payload=payload, function_arn=self._function.arn, deadline=deadline)
        self.activity.begin(run)
        invocation.answer.add_done_callback(lambda _: self.activity.end())
        self._api.offer(invocation)
        if not self.usable:
            self._gone()
        self._started = invocation.fetched.wait(_INIT_LIMIT)
        answered = self._clock.wait_until(invocation.answer.done, timeout)
        self._output.catch_up()
        if answered:
            return invocation.answer.result()
        self.close()
        message = f"{invocation.request_id} Task timed out after {timeout:.2f} seconds"
        return failure("Sandbox.Timedout", message)

    def presume_at_rest(self) -> None:
        """Let time go on although the process, which has its event, has not said that it waits."""
        if self._started:
            self.activity.presume_at_rest()

    def close(self) -> None:
        """End the process and remove its files."""
        self.activity.close()
        self._link.forget(self.key)
        end_process_group(self._process)
        self._api.close()
        self._directory.cleanup()

    def _start(self, endpoint: str) -> subprocess.Popen[str] | FunctionProcess:
        function, directory = self._function, self._directory.name
        variables = function.environment(endpoint, self._api.address, directory)
        variables["AWS_ACCESS_KEY_ID"] = self.key
        if self._clock.virtual:
            return template().start(
                Start(
                    handler=function.handler,
                    directory=directory,
                    environment=variables,
                    name=self.key,
                    address=self._link.address,
                    seed=self._clock.chance.seed,
                )
            )
        return subprocess.Popen(  # noqa: S603 - our own interpreter, no shell
            [sys.executable, "-m", "awslambdaric", function.handler],
            cwd=directory,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def _ended(self) -> None:
        self._process.wait()
        self._gone()

    def _gone(self) -> None:
        status = self._process.poll()
        message = f"Error: Runtime exited with error: exit status {status}"
        self._api.fail(failure("Runtime.ExitError", message))
