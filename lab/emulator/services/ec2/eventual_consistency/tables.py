"""Eventual consistency: who learns late of a write to a route table, readers or packets.

What moto holds is what was written, and further writes are judged by it. Beside it stands what a
reader is shown, and what packets follow.
"""
# ruff: noqa: SLF001, ANN401 - moto gives no other access to its state, and types little of it

from __future__ import annotations

import copy
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.ec2.models.route_tables import Route, RouteBackend, RouteTable
from moto.ec2.responses.route_tables import RouteTables
from moto.ec2.utils import generic_filter

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.services.ec2.associations import SubnetsHaveOneTable
from lab.emulator.services.ec2.eventual_consistency.history import History, history_of, value_of
from lab.emulator.services.ec2.propagation import GatewaysPropagateRoutes
from lab.emulator.services.ec2.routes import FOLLOWED_ROUTES, FOLLOWED_TABLES
from lab.emulator.services.ec2.targets import SeveralInterfacesAreNamed
from lab.emulator.side_tables import SideTable
from lab.emulator.time import delays

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

_WRITES = (
    "create_route",
    "replace_route",
    "delete_route",
    "associate_route_table",
    "disassociate_route_table",
    "replace_route_table_association",
    "propagate_route",  # not moto's own
)


@dataclass(frozen=True, slots=True)
class Content:
    """What a route table holds: copies of its routes, and the subnet of each association."""

    routes: Mapping[str, Route]
    subnets: Mapping[str, str]

    @property
    def facts(self) -> tuple[object, ...]:
        """Return all that it says, for comparison."""
        return {id_: vars(route) for id_, route in self.routes.items()}, self.subnets


_SHOWN: SideTable[RouteTable, History[Content]] = SideTable()
"""What readers are shown."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one write made of one table."""

    table: RouteTable
    before: Content
    after: Content


class _LearnsLate(Behaviour):
    """Records what each write to a route table changed."""

    def install(self, patches: Patches) -> None:
        """Look before and after each write."""
        for name in (name for name in _WRITES if hasattr(RouteBackend, name)):
            patches.method(RouteBackend, name, self._recording(getattr(RouteBackend, name)))

    def _recording(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def write_and_record(ec2: RouteBackend, *args: Any, **given: Any) -> Any:
            before = _contents(ec2)
            result = write(ec2, *args, **given)
            if changes := _changes(ec2, before):
                self._record(ec2, changes)
            return result

        return write_and_record

    @abstractmethod
    def _record(self, ec2: RouteBackend, changes: Collection[Change]) -> None:
        """Record one write."""


class TablesAreDescribedLate(_LearnsLate):
    """DescribeRouteTables may show for a while what a table was before it was written.

    To all callers alike, and never an earlier write after a later one. moto shows writes at once.
    """

    source = "EC2 API developer guide, 'Eventual consistency in the Amazon EC2 API'"
    after = (GatewaysPropagateRoutes, SeveralInterfacesAreNamed, SubnetsHaveOneTable)

    def install(self, patches: Patches) -> None:
        """Describe tables as they are shown."""
        super().install(patches)
        patches.method(RouteTables, "describe_route_tables", self._describe)

    def _record(self, ec2: RouteBackend, changes: Collection[Change]) -> None:
        del ec2
        moment = self._aws.clock.now() + self._aws.clock.draw(delays.READ_LAGS)
        for change in changes:
            history_of(_SHOWN, change.table, change.before).write(moment, change.after)

    def _describe(self, response: RouteTables) -> ActionResult:
        tables = response.ec2_backend.describe_route_tables(
            response._get_param("RouteTableIds", [])
        )
        shown = [self._shown(table) for table in tables]
        filters = response._filters_from_querystring()
        return ActionResult({"RouteTables": generic_filter(filters, shown)})

    def _shown(self, table: RouteTable) -> RouteTable:
        content = value_of(_SHOWN, table, self._aws.clock.now(), _content(table))
        shown = copy.copy(table)
        shown._routes, shown._associations = dict(content.routes), dict(content.subnets)
        return shown


class WritesTakeEffectLate(_LearnsLate):
    """Packets follow a written route or association a moment after the write was answered.

    moto has no packets.
    """

    source = "github.com/nowakeai/betternat, research 040"
    after = (TablesAreDescribedLate,)

    def _record(self, ec2: RouteBackend, changes: Collection[Change]) -> None:
        moment = self._aws.clock.now() + self._aws.clock.draw(delays.ROUTE_TAKES_EFFECT)
        for change in changes:
            followed = history_of(FOLLOWED_ROUTES, change.table, change.before.routes)
            followed.write(moment, change.after.routes)
        was = {subnet: row.table.id for row in changes for subnet in row.before.subnets.values()}
        now = {subnet: row.table.id for row in changes for subnet in row.after.subnets.values()}
        for subnet in was.keys() | now.keys():
            history_of(FOLLOWED_TABLES[ec2], subnet, was.get(subnet)).write(moment, now.get(subnet))
        self._aws.clock.at(moment, _look_again)


def _look_again() -> None:
    """Do nothing: those who look after each step see what has changed."""


def _contents(ec2: RouteBackend) -> dict[str, Content]:
    return {id_: _content(table) for id_, table in ec2.route_tables.items()}


def _content(table: RouteTable) -> Content:
    routes = {id_: copy.copy(route) for id_, route in table._routes.items()}
    return Content(routes, dict(table._associations))


def _changes(ec2: RouteBackend, before: Mapping[str, Content]) -> list[Change]:
    """Return what changed; the local route that a new table gets is no change."""
    after = _contents(ec2)
    return [
        Change(ec2.route_tables[id_], before[id_], after[id_])
        for id_ in after
        if before[id_].routes and before[id_].facts != after[id_].facts
    ]
