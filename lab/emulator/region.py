"""The region in a box: a moto server on the loopback, with the restored AWS behaviours in it.

moto keeps its state per process, so a process has one region at a time; leaving the region takes
back what it changed in moto, ends what it started and forgets its resources.
"""

from __future__ import annotations

import gc
import logging
import os
import threading
import warnings
from contextlib import ExitStack
from functools import partial
from socketserver import BaseServer
from typing import TYPE_CHECKING, Any, Self

import boto3
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from lab.emulator.behaviour import Behaviour, Emulation, Patches, in_order
from lab.emulator.catalogue import ALL
from lab.emulator.direct import connect
from lab.emulator.iam.permissions import Permissions
from lab.emulator.iam.service import Simulator
from lab.emulator.ids import repeat_ids
from lab.emulator.isolation import ACCOUNT, REGION
from lab.emulator.journal import Journal
from lab.emulator.lambda_runtime.calls import Calls
from lab.emulator.lambda_runtime.service import Functions
from lab.emulator.readings import Readings
from lab.emulator.services.messaging.delivery import Delivery
from lab.emulator.shortcuts import take_shortcuts
from lab.emulator.side_tables import SideTable
from lab.emulator.throttling import Throttling
from lab.emulator.time.clock import Clock, VirtualClock

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import TracebackType

    from werkzeug.serving import BaseWSGIServer

_COLLECTIONS = (50_000, 20, 50)
"""How seldom Python looks for garbage in cycles: what is loaded here are 300 000 objects, and going
through them as often as it does otherwise takes longer than to make a client (`gc`)."""

_POLL = 0.05  # seconds after which the server notices that it is to stop
_SESSION = boto3.Session(
    aws_access_key_id="lab",
    aws_secret_access_key="lab",  # noqa: S106 - the lab knows no secrets
    region_name=REGION,
)
"""One for all regions of a process: it keeps the service models, which take long to load."""


class Region:
    """An emulated region while the `with` block lasts."""

    def __init__(
        self,
        behaviours: Collection[type[Behaviour]] = ALL,
        *,
        clock: Clock | None = None,
        port: int = 0,
        readings: Readings | None = None,
    ) -> None:
        self._port = port
        self.behaviours = in_order(behaviours)
        self._closing = ExitStack()
        self.clock = clock or VirtualClock()
        self.journal = Journal(self.clock)
        self.functions = Functions(self.clock, self.journal)
        self._simulator = Simulator()
        services = DomainDispatcherApplication(create_backend_app)
        self.calls = Calls(services, self.clock, self.journal, self.functions)
        self.aws = Emulation(
            account=ACCOUNT,
            region=REGION,
            clock=self.clock,
            journal=self.journal,
            functions=self.functions,
            client=self.client,
            calls=self.calls,
            delivery=Delivery(self.clock, self.journal),
            throttling=Throttling(self.clock),
            permissions=Permissions(self._simulator),
            readings=readings or Readings(),
            closing=self._closing,
        )
        self.endpoint = ""
        self._clients: dict[str, Any] = {}

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def _close(self) -> None:
        """Stop time first, so that nothing that is due needs what is being closed."""
        self.clock.stop()
        self._closing.close()

    def client(self, service: Any) -> Any:  # noqa: ANN401 - the caller names the client's type
        """Return a boto3 client of the region."""
        if service not in self._clients:
            client = _SESSION.client(service, endpoint_url=self.endpoint)
            connect(client, self.calls)
            self._clients[service] = client
        return self._clients[service]

    def _start(self) -> None:
        _quiet()
        self._closing.callback(gc.set_threshold, *gc.get_threshold())
        gc.set_threshold(*_COLLECTIONS)
        if isinstance(self.clock, VirtualClock):
            self.clock.on_stall(self.functions.presume_at_rest)
        patches = Patches()
        self._closing.callback(patches.undo)
        patches.put(os.environ, "MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
        moto_api_backend.reset()
        SideTable.forget()
        take_shortcuts(patches)
        repeat_ids(patches, self.clock.chance, ACCOUNT, REGION)
        self._closing.callback(self._simulator.close)
        self._closing.callback(self.functions.close)
        for behaviour in self.behaviours:
            behaviour(self.aws).install(patches)
        self._listen(self._port)
        self.resume()

    def rest(self) -> None:
        """End every thread, and what forks cannot share, so that this process can fork.

        The port stays this region's; `resume` goes on.
        """
        self._simulator.start()
        self.functions.rest()
        self._server.shutdown()
        self._clients.clear()

    def resume(self, *, elsewhere: bool = False) -> None:
        """Go on after `rest`: where it was, or elsewhere, as a fork must."""
        if elsewhere:
            self._listen(0)
        # Werkzeug's own way to serve closes the server at its end.
        serve = partial(BaseServer.serve_forever, self._server, _POLL)
        threading.Thread(target=serve, name="lab server", daemon=True).start()

    def _listen(self, port: int) -> None:
        self._server = _server(port, self.calls)
        self._closing.callback(self._server.server_close)
        self._closing.callback(self._server.shutdown)
        # S3 addresses buckets as hosts below this name: it must be a name, not a number.
        self.endpoint = f"http://localhost:{self._server.server_port}"
        self.functions.endpoint = self.endpoint


def _server(port: int, calls: Calls) -> BaseWSGIServer:
    try:
        return make_server(
            "localhost",
            port,
            calls,
            threaded=True,
            request_handler=MotoRequestHandler,
        )
    except SystemExit as error:  # werkzeug's way to say that the address is in use
        message = f"port {port} is not free: choose another, or leave --port out"
        raise PortError(message) from error


class PortError(Exception):
    """The port is not free; the message says what to do."""


def _quiet() -> None:
    """Silence the server's request log and moto's remarks; the journal tells what happens."""
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module="moto")
