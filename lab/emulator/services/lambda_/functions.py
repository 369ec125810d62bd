"""Lambda: functions run for real, keep what they were deployed with, and retry."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from moto.awslambda.exceptions import LambdaClientError, UnknownFunctionException
from moto.awslambda.models import LambdaBackend, LambdaFunction
from moto.awslambda.utils import get_backend
from moto.core.exceptions import JsonRESTError, ServiceException
from moto.sqs.models import sqs_backends

from lab.emulator.behaviour import Behaviour, Emulation, Patches
from lab.emulator.lambda_runtime.asynchronous import Event
from lab.emulator.lambda_runtime.environment import Deployed
from lab.emulator.services.lambda_.invocations import retry_policy_of
from lab.emulator.side_tables import SideTable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_REFUSED = (JsonRESTError, ServiceException)


DEAD_LETTERS: SideTable[LambdaFunction, str] = SideTable(str)
"""The ARN of a function's dead-letter queue; empty if it has none."""

_LOGGING: SideTable[LambdaFunction, dict[str, str]] = SideTable(dict)
"""The LoggingConfig of a function."""


def deployed(function: LambdaFunction) -> Deployed:
    """Return a function of moto as an execution environment needs it."""
    return Deployed(
        name=function.function_name,
        arn=function.function_arn,
        role=str(function.role),
        region=function.region,
        handler=str(function.handler),
        runtime=str(function.run_time),
        memory=int(function.memory_size),
        timeout=float(function.timeout),
        log_group=function.logs_group_name,
        log_format="JSON" if _LOGGING[function].get("LogFormat") == "JSON" else "TEXT",
        variables={name: str(value) for name, value in function.environment_vars.items()},
        code=function.code_bytes,
    )


def find(aws: Emulation, name_or_arn: str) -> LambdaFunction | None:
    """Return a function by its name or ARN; None if it does not exist."""
    try:
        return get_backend(aws.account, aws.region).get_function(name_or_arn)
    except UnknownFunctionException:
        return None


def invoke_later(aws: Emulation, name_or_arn: str, event: Mapping[str, Any]) -> None:
    """Invoke a function asynchronously; if it was deleted meanwhile, the event is dropped."""
    function = find(aws, name_or_arn)
    if function is None:
        return
    payload, queue = json.dumps(event), DEAD_LETTERS[function]
    aws.functions.queue.put(
        Event(
            payload=payload,
            function=lambda: deployed(function),
            log=log_of(function),
            retry_policy=retry_policy_of(function),
            give_up=lambda: keep_dead_letter(aws, queue, payload),
        )
    )


def keep_dead_letter(aws: Emulation, queue_arn: str, body: str) -> None:
    """Put what was given up into a dead-letter queue, if there is one."""
    if queue_arn:
        sqs_backends[aws.account][aws.region].send_message(queue_arn.rsplit(":", 1)[-1], body)


def log_of(function: LambdaFunction) -> Callable[[str], None]:
    """Return what writes a line to the function's log group.

    Lambda makes the group if need be, but not one that the function was told to use.
    """
    group, logs = function.logs_group_name, function.logs_backend
    own = "LogGroup" not in _LOGGING[function]

    def write(line: str) -> None:
        event = {"timestamp": round(time.time() * 1000), "message": line}
        with suppress(*_REFUSED):
            if own:
                logs.ensure_log_group(group)
            with suppress(*_REFUSED):
                logs.create_log_stream(group, "lab")
            logs.put_log_events(group, "lab", [event])

    return write


class TooManyRequestsError(LambdaClientError):
    """The account's concurrency is used up (Lambda API reference, Invoke)."""

    code = 429

    def __init__(self) -> None:
        super().__init__("TooManyRequestsException", "Rate Exceeded.")


class RunsFunctions(Behaviour):
    """A function runs from its deployed zip under AWS's runtime client, in its own process.

    The first event of an environment waits for a cold start, and so does one that comes when the
    environment has been idle for too long. An invocation of type Event is answered at once, and
    retried twice when it fails; then the event goes to the dead-letter queue. moto runs functions
    in Docker, and Event invocations at once.
    """

    source = "Lambda developer guide, 'Asynchronous invocation' and 'Lambda execution environment'"

    def install(self, patches: Patches) -> None:
        """Replace moto's invocation of functions."""
        self._moto_delete = LambdaBackend.delete_function
        patches.method(LambdaFunction, "invoke", self._invoke)
        patches.method(LambdaBackend, "delete_function", self._delete)

    def _invoke(
        self,
        function: LambdaFunction,
        body: str | bytes,
        request_headers: dict[str, str],
        response_headers: dict[str, str],
    ) -> bytes:
        payload = (body.encode() if isinstance(body, str) else body) or b"{}"
        kind = request_headers.get("X-Amz-Invocation-Type", "RequestResponse")
        if kind == "DryRun":
            return b""
        if kind == "Event":
            invoke_later(self._aws, function.function_name, json.loads(payload))
            return b""
        if self._aws.functions.saturated:
            raise TooManyRequestsError
        answer = self._aws.functions.invoke(deployed(function), payload, log_of(function))
        if answer.failed:
            response_headers["x-amz-function-error"] = "Unhandled"
        return answer.payload

    def _delete(self, backend: LambdaBackend, name: str, qualifier: str | None = None) -> None:
        function = find(self._aws, name)
        self._moto_delete(backend, name, qualifier)
        if function and not qualifier:
            self._aws.functions.forget(function.function_name)


class KeepsFunctionConfiguration(Behaviour):
    """A function keeps its dead-letter queue, log group, log format and architecture.

    moto's CloudFormation drops these properties.
    """

    source = "CloudFormation template reference, AWS::Lambda::Function"

    def install(self, patches: Patches) -> None:
        """Read the properties that moto leaves out."""
        patches.creation(LambdaFunction, after=keep_configuration)


def keep_configuration(function: LambdaFunction, properties: dict[str, Any]) -> None:
    """Give a function the configuration that moto's CloudFormation drops."""
    logging = properties.get("LoggingConfig", {})
    function.architectures = properties.get("Architectures", ["x86_64"])
    function.logs_group_name = logging.get("LogGroup", function.logs_group_name)
    _LOGGING[function] = logging
    DEAD_LETTERS[function] = properties.get("DeadLetterConfig", {}).get("TargetArn", "")
