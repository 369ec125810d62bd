"""The wire between the function and AWS: it records every call and can fail, edit or hold one.

Everything goes through botocore's own events, so that botocore's parsing, retries and pagination
are part of what is tested.
"""

from __future__ import annotations

import io
import math
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto.core.models import botocore_stubber

from tests.aws.constraints import Constraints

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.awsrequest import AWSPreparedRequest
    from botocore.model import OperationModel

_EC2_ERROR = (
    "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
    "<RequestID>any-request</RequestID></Response>"
)
_QUERY_ERROR = (
    "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>"
    "</Error><RequestId>any-request</RequestId></ErrorResponse>"
)
_JSON_ERROR = '{{"__type": "any-namespace#{code}", "message": "{message}"}}'
_PROTOCOLS = {
    "GetItem": _JSON_ERROR,
    "PutItem": _JSON_ERROR,
    "UpdateItem": _JSON_ERROR,
    "ResumeProcesses": _QUERY_ERROR,
    "SetInstanceProtection": _QUERY_ERROR,
    "TerminateInstanceInAutoScalingGroup": _QUERY_ERROR,
    "DescribeAutoScalingGroups": _QUERY_ERROR,
    "CompleteLifecycleAction": _QUERY_ERROR,
    "RecordLifecycleActionHeartbeat": _QUERY_ERROR,
    "Publish": _QUERY_ERROR,
}
"""An error's body where it is not that of EC2 (AWS query and JSON protocols)."""

_STATUS = {"RequestLimitExceeded": 503, "Unavailable": 503, "InternalError": 500}
"""HTTP status codes other than 400 (EC2 API guide, "error codes")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of the AWS API, as the function made it."""

    operation: str
    parameters: dict[str, Any]

    @property
    def is_write(self) -> bool:
        """Whether the call changes the network; notifying and remembering it do not."""
        beside = {"Publish", "GetItem", "PutItem", "UpdateItem"}
        return not self.operation.startswith("Describe") and self.operation not in beside


@dataclass(kw_only=True)
class _Fault:
    """An answer instead of AWS's own, for an operation whose request mentions a text."""

    operation: str
    mentions: str
    times: float
    status: int
    body: str

    def fits(self, operation: str, request: AWSPreparedRequest) -> bool:
        return self.times > 0 and operation == self.operation and self.mentions in str(request.body)


@dataclass
class Wire:
    """What goes over the wire, and what is done to it."""

    calls: list[Call] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    """The operation of every HTTP request, retries included."""

    constraints: Constraints = field(default_factory=Constraints)
    """What AWS documents of the values that the calls carry."""

    _faults: list[_Fault] = field(default_factory=list)
    _edits: dict[str, Callable[[Any], None]] = field(default_factory=dict)
    _holds: dict[str, Callable[[], object]] = field(default_factory=dict)
    _late_rows: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def reads(self) -> list[Call]:
        """The calls that observe the network."""
        return [call for call in self.calls if call.operation.startswith("Describe")]

    @property
    def writes(self) -> list[Call]:
        """The calls that change the network."""
        return [call for call in self.calls if call.is_write]

    def written(self) -> list[str]:
        """Return the operations of the writes, sorted."""
        return sorted(call.operation for call in self.writes)

    def count(self, operation: str) -> int:
        """Return how many calls of an operation were made."""
        return sum(call.operation == operation for call in self.calls)

    def plug_into(self, *clients: Any) -> None:  # noqa: ANN401 - any client of boto3
        """Let everything that these clients send go over this wire."""
        self.constraints.watch(*clients)
        for client in clients:
            events = client.meta.events
            events.unregister("before-send", botocore_stubber)
            events.register("before-send", self._carry)
            events.register("before-parameter-build", self._record)
            events.register("after-call", self._edit)

    def fail(
        self, operation: str, code: str, *, mentions: str = "", times: float = math.inf
    ) -> None:
        """Let AWS refuse an operation, always or some times, in the way of its service."""
        body = _PROTOCOLS.get(operation, _EC2_ERROR).format(code=code, message="any words of AWS")
        status = _STATUS.get(code, 400)
        self._faults.append(
            _Fault(operation=operation, mentions=mentions, times=times, status=status, body=body)
        )

    def garble(self, operation: str, body: str, *, status: int = 200) -> None:
        """Let something that is not AWS answer an operation."""
        self._faults.append(
            _Fault(operation=operation, mentions="", times=math.inf, status=status, body=body)
        )

    def edit(self, operation: str, change: Callable[[Any], None]) -> None:
        """Change the parsed answers of an operation in place."""
        self._edits[operation] = change

    def hold(self, operation: str, until: Callable[[], object]) -> None:
        """Hold requests of an operation until a callable returns."""
        self._holds[operation] = until

    def second_page(self, operation: str, rows: str) -> None:
        """Let an operation answer with an empty page first, and with its rows on a second one."""
        self._late_rows[operation] = rows

    def _record(
        self,
        params: dict[str, Any],
        model: OperationModel,
        context: dict[str, Any],
        **_: object,
    ) -> None:
        self.calls.append(Call(operation=model.name, parameters=dict(params)))
        if model.name in self._late_rows:
            context["page"] = params.pop("NextToken", "first")

    def _carry(
        self, request: AWSPreparedRequest, event_name: str, **_: object
    ) -> AWSResponse | None:
        operation = event_name.rpartition(".")[2]
        self.requests.append(operation)
        if held := self._holds.get(operation):
            held()
        with self._lock:
            fault = next((f for f in self._faults if f.fits(operation, request)), None)
            if fault:
                fault.times -= 1
                body = _Raw(fault.body.encode())
                return AWSResponse(request.url, fault.status, HTTPHeaders(), body)
            return botocore_stubber(event_name, request)

    def _edit(
        self, parsed: dict[str, Any], model: OperationModel, context: dict[str, Any], **_: object
    ) -> None:
        if change := self._edits.get(model.name):
            change(parsed)
        if context.get("page") == "first":
            parsed.update({self._late_rows[model.name]: [], "NextToken": "second"})


class _Raw(io.BytesIO):
    """A body as urllib3 hands it over."""

    def stream(self, **_: object) -> list[bytes]:
        return [self.read()]
