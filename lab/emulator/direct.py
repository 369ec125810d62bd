"""The way of the lab's own boto3 clients to the region: a call of its server, without a socket.

The CDK CLI, the app's functions and whoever else has a process of its own come over HTTP. A client
in the region's own process takes half the time without, and drills and tests ask it all the time.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from botocore.awsrequest import AWSPreparedRequest

    Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def connect(client: Any, application: Application) -> None:  # noqa: ANN401 - any client of boto3
    """Let what a client sends go to an application of WSGI."""

    def carry(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        return _answer(application, request)

    client.meta.events.register("before-send", carry)


class _Body(io.BytesIO):
    """A body as urllib3 hands it over."""

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.read()


def _answer(application: Application, request: AWSPreparedRequest) -> AWSResponse:
    status, headers = 0, HTTPHeaders()

    def start_response(said: str, rows: list[tuple[str, str]], *_: object) -> None:
        nonlocal status
        status = int(said.partition(" ")[0])
        for name, value in rows:
            headers.add_header(name, value)

    body = b"".join(application(_environ(request), start_response))
    return AWSResponse(request.url, status, headers, _Body(body))


def _environ(request: AWSPreparedRequest) -> dict[str, Any]:
    """Return a request as a server of WSGI hands it on (PEP 3333)."""
    url, body = urlsplit(request.url), _body_of(request)
    target = f"{url.path}?{url.query}" if url.query else url.path
    environ = {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": url.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(url.path).encode().decode("latin-1"),
        "QUERY_STRING": url.query,
        "REQUEST_URI": target,
        "RAW_URI": target,
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": url.hostname,
        "SERVER_PORT": str(url.port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": url.netloc,
    }
    for name, value in request.headers.items():
        text = value.decode() if isinstance(value, bytes) else str(value)
        environ["HTTP_" + name.upper().replace("-", "_")] = text
    environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
    environ["CONTENT_LENGTH"] = str(len(body))
    return environ


def _body_of(request: AWSPreparedRequest) -> bytes:
    body: Any = request.body
    if hasattr(body, "read"):
        body = body.read()
    return body.encode() if isinstance(body, str) else bytes(body or b"")
