"""A door to moto that lets in what IAM allows; callers are known by their access key ids."""

from __future__ import annotations

import io
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from lab.emulator.iam.refusals import refusal
from lab.emulator.iam.requests import parse, signer
from lab.emulator.isolation import ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from lab.emulator.iam.callers import Caller
    from lab.emulator.iam.permissions import Permissions

    Client = Callable[[str, str], Any]


@contextmanager
def guarded(permissions: Permissions, callers: Mapping[str, Caller]) -> Iterator[Client]:
    """Serve on the loopback; yield what makes a boto3 client from a service and a key id."""
    services = DomainDispatcherApplication(create_backend_app)

    def door(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        key, call = signer(environ), parse(environ, body, ACCOUNT)
        assert key is not None
        refused = permissions.refused(callers[key], call)
        if refused is None:
            passed = {**environ, "wsgi.input": io.BytesIO(body)}
            answer: Iterable[bytes] = services(passed, start_response)
            return answer
        reply = refusal(call, callers[key], refused)
        start_response(reply.status, reply.headers)
        return [reply.body]

    server = make_server("localhost", 0, door, threaded=True, request_handler=MotoRequestHandler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield lambda service, key: client_of(f"http://localhost:{server.server_port}", service, key)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


SESSION = boto3.Session(region_name=REGION)


def client_of(endpoint: str, service: Any, key: str) -> Any:  # noqa: ANN401 - the caller names it
    """Return a boto3 client that signs with a key id."""
    return SESSION.client(
        service,
        endpoint_url=endpoint,
        aws_access_key_id=key,
        aws_secret_access_key="any",  # noqa: S106 - the lab knows no secrets
    )
