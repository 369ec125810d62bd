"""The region in a box: a moto server on the loopback, with the restored AWS behaviours in it.

moto keeps its state per process, so a process has one region at a time; leaving the region takes
back what it changed in moto, ends what it started and forgets its resources.
"""

from __future__ import annotations

import logging
import socket
import warnings
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

import boto3
from moto.moto_api._internal.models import moto_api_backend
from moto.server import ThreadedMotoServer

from lab.aws.behaviour import Behaviour, Emulation, Patches
from lab.aws.catalogue import ALL
from lab.clock import Clock
from lab.functions.service import Functions
from lab.isolation import ACCOUNT, REGION
from lab.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import TracebackType


class Region:
    """An emulated region while the `with` block lasts."""

    def __init__(self, behaviours: Collection[type[Behaviour]] = ALL) -> None:
        self._behaviours = behaviours
        self._closing = ExitStack()
        self.clock = Clock()
        self.journal = Journal(self.clock)
        self.functions = Functions(self.clock, self.journal)
        self.endpoint = ""

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._closing.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.close()

    def client(self, service: Any) -> Any:  # noqa: ANN401 - the caller names the client's type
        """Return a boto3 client of the region."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id="lab",
            aws_secret_access_key="lab",  # noqa: S106 - the lab knows no secrets
        )

    def _start(self) -> None:
        _quiet()
        moto_api_backend.reset()
        self._closing.callback(self.clock.stop)
        patches = Patches()
        self._closing.callback(patches.undo)
        self._closing.callback(self.functions.close)
        emulation = Emulation(
            account=ACCOUNT,
            region=REGION,
            clock=self.clock,
            journal=self.journal,
            functions=self.functions,
            closing=self._closing,
        )
        for behaviour in self._behaviours:
            behaviour(emulation).install(patches)
        server = ThreadedMotoServer("localhost", _free_port(), verbose=False)
        server.start()
        self._closing.callback(server.stop)
        # S3 addresses buckets as hosts below this name: it must be a name, not a number.
        self.endpoint = f"http://localhost:{server.get_host_and_port()[1]}"
        self.functions.endpoint = self.endpoint


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port: int = probe.getsockname()[1]
        return port


def _quiet() -> None:
    """Silence the server's request log and moto's remarks; the journal tells what happens."""
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module="moto")
