"""The instance metadata service, version 2: a token for a PUT, then what AWS tells an instance.

It answers on the router's interface to the instance, so that what an instance forwards reaches it
too: only the instance's own rules keep others from it.
"""

from __future__ import annotations

import json
import socket
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

from lab.packets.http_server import HttpServer

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from lab.packets.namespaces import Namespace
    from lab.packets.values import Nat

_ROOT = "/latest/meta-data/"
_TOKEN = "lab-token"  # noqa: S105 - the lab knows no secrets
_TTL_HEADER = "X-aws-ec2-metadata-token-ttl-seconds"
_TOKEN_HEADER = "X-aws-ec2-metadata-token"  # noqa: S105 - the name of a header
_IP_TRANSPARENT = 19  # include/uapi/linux/in.h
_ROLE = "nat"


class Metadata:
    """Serves an instance's metadata on an interface of the router until it is closed."""

    def __init__(self, router: Namespace, interface: str, told: Mapping[str, str]) -> None:
        self._server = _Server(_listener(router, interface), _Handler)
        self._server.told = told
        self._server.begin()

    def close(self) -> None:
        """Serve no more."""
        self._server.close()


def told_to(nat: Nat, mac: str, region: str, vpc: Collection[str]) -> dict[str, str]:
    """Return what the service tells a NAT in a VPC with some CIDRs, by path."""
    interface = f"network/interfaces/macs/{mac}"
    told = {
        "instance-id": nat.name,
        "placement/region": region,
        "services/domain": "amazonaws.com",
        f"iam/security-credentials/{_ROLE}": _credentials(nat.name),
        "mac": mac,
        "local-ipv4": nat.address,
        f"{interface}/local-ipv4s": "\n".join(nat.addresses),
        f"{interface}/vpc-ipv4-cidr-blocks": "\n".join(vpc),
    }
    if nat.public:
        told["public-ipv4"] = nat.public
    for address, public in nat.associations.items():
        told[f"{interface}/ipv4-associations/{public}"] = address
    return told


def _credentials(nat: str) -> str:
    """Return credentials of a role as the service tells them; the key's id is the NAT's name."""
    return json.dumps(
        {
            "Code": "Success",
            "Type": "AWS-HMAC",
            "AccessKeyId": nat,
            "SecretAccessKey": "lab",
            "Token": "lab",
            "LastUpdated": "2026-01-01T00:00:00Z",
            "Expiration": "2099-01-01T00:00:00Z",
        }
    )


class _Server(HttpServer):
    told: Mapping[str, str]


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_PUT(self) -> None:
        """Give a token to clients that say for how long."""
        if self.path != "/latest/api/token" or not self.headers[_TTL_HEADER]:
            self._answer(HTTPStatus.BAD_REQUEST)
        else:
            self._answer(HTTPStatus.OK, _TOKEN)

    def do_GET(self) -> None:
        """Tell what is asked for, to clients that have a token."""
        path = self.path.removeprefix(_ROOT)
        if self.headers[_TOKEN_HEADER] != _TOKEN:
            self._answer(HTTPStatus.UNAUTHORIZED)
        elif path in self.server.told:
            self._answer(HTTPStatus.OK, self.server.told[path])
        elif found := self._listing(path):
            self._answer(HTTPStatus.OK, "\n".join(found))
        else:
            self._answer(HTTPStatus.NOT_FOUND)

    def log_message(self, *_: object) -> None:
        """Stay silent."""

    def _listing(self, folder: str) -> list[str]:
        below = (path[len(folder) :] for path in self.server.told if path.startswith(folder))
        names = (rest.partition("/") for rest in below)
        return sorted({name + slash for name, slash, _ in names})

    def _answer(self, status: HTTPStatus, text: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())


def _listener(router: Namespace, interface: str) -> socket.socket:
    listener = router.socket(socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    # The service's address belongs to no interface here: it is local to what instances send.
    listener.setsockopt(socket.SOL_IP, _IP_TRANSPARENT, 1)
    listener.bind(("", 80))
    listener.listen()
    return listener
