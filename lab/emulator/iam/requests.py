"""From a request of HTTP, as an SDK sends it, to the call that it makes and whose key signed it.

The models of botocore say how a service's operations look on the wire; moto reads requests by them
for its own services, with the same parsers.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from botocore.exceptions import UnknownServiceError
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from werkzeug.exceptions import NotFound

from lab.emulator.iam.calls import ApiCall

if TYPE_CHECKING:
    from collections.abc import Mapping

_SCOPE = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")
"""Source: IAM user guide, "Elements of an AWS API request signature"."""

_MODELS = {"monitoring": "cloudwatch", "email": "ses", "states": "stepfunctions"}
"""Services that botocore has under another name than they are signed for."""


def model_of(service: str) -> str:
    """Return botocore's name of the service that a request is signed for."""
    return _MODELS.get(service, service)


def signer(environ: Mapping[str, Any]) -> str | None:
    """Return the access key id that signed a request of WSGI; None without one."""
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    return scope[1] if scope else None


def parse(environ: Mapping[str, Any], body: bytes, account: str) -> ApiCall:
    """Return the call that a signed request of WSGI makes.

    Raises:
        ValueError: when it is no call of a service that botocore knows.

    """
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    if scope is None:
        message = "the request is not signed"
        raise ValueError(message)
    _, region, service = scope.groups()
    request = Request({**environ, "wsgi.input": io.BytesIO(body)})
    operation, protocol, parameters = _read(request, service)
    return ApiCall(
        service=service,
        operation=operation,
        parameters=parameters,
        account=account,
        region=region,
        protocol=protocol,
    )


def _read(request: Request, service: str) -> tuple[str, str, dict[str, Any]]:
    try:
        operation, in_path = get_service_router(model_of(service)).match(request)
        protocol = determine_request_protocol(operation.service_model, request.content_type)
    except (UnknownServiceError, NotFound, NotImplementedError) as error:
        message = f"{request.method} {request.path} is no call of {service} that the lab knows"
        raise ValueError(message) from error
    parameters: dict[str, Any] = PROTOCOL_PARSERS[protocol](operation).parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": request.data,
            "url_path": request.path,
            "url_params": in_path,
        }
    )
    return str(operation.name), protocol, parameters
