"""What an update in place knows."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lab.emulator.behaviour import Emulation
    from lab.emulator.services.cloudformation.ledger import Applied
    from lab.emulator.services.cloudformation.signals import Signals


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """A resource as it is, as it is wanted, and how to say something in the stack's events.

    `signals` begins a wait for signals to it.
    """

    aws: Emulation
    there: Applied
    wanted: Applied
    say: Callable[[str], None]
    signals: Callable[[], Signals]

    @property
    def old(self) -> Mapping[str, Any]:
        """Return the properties that the resource has."""
        return self.there.properties

    @property
    def new(self) -> Mapping[str, Any]:
        """Return a copy of the properties that it is to have; moto writes into what it is given."""
        return copy.deepcopy(self.wanted.properties)

    @property
    def id(self) -> str:
        """Return the physical id, which stays."""
        return self.there.physical_id

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes clients at run time
        """Return a client of a service."""
        return self.aws.client(service)

    def gone(self, name: str) -> list[Any]:
        """Return the elements of a list that are not wanted any more."""
        return [row for row in self.old.get(name, []) if row not in self.new.get(name, [])]

    def come(self, name: str) -> list[Any]:
        """Return the elements of a list that are wanted and not there."""
        return [row for row in self.new.get(name, []) if row not in self.old.get(name, [])]


@contextmanager
def done_already(*codes: str) -> Iterator[None]:
    """Let what an update that failed had done already, or had not, count as done."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in codes:
            raise


Handler = Callable[[Update], Any]
"""Changes one or more properties; returns the resource if it is another object from now on."""
