"""The NATs as judged, what a default route leads to, and whether that is a way out.

Pure, like the planner that asks.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from ipaddress import IPv4Network, collapse_addresses
from typing import TYPE_CHECKING

from nat_failover import ring
from nat_failover.actions import DEFAULT_ROUTE_CIDR, DisableSourceDestCheck
from nat_failover.addresses import Addresses
from nat_failover.claims import TOGETHER_S, Claims, without_watch
from nat_failover.history import Histories
from nat_failover.model import BLACKHOLE, Health, InstanceState, judge, leaves_by_plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nat_failover.model import DefaultRoute, Judgement, Nat, Observation, Table

_PEERING = "pcx-"
_NO_WAY_OUT = ("igw-", "cagw-", _PEERING, BLACKHOLE)
"""Targets through which a host without a public address reaches no internet: an internet gateway
translates for hosts that have one ("Enable internet access", VPC user guide), a carrier gateway for
those with a carrier address ("Carrier gateways", Wavelength developer guide), and a peering leads
to neither the gateways nor the NAT devices of the peer ("How VPC peering connections work", VPC
peering guide). Any other kind of target may work, and is taken to."""

_FOREIGN = "that is not one of the group's NATs"
_GATEWAY_ENDPOINT = "vpce-"
_EVERYWHERE = IPv4Network(DEFAULT_ROUTE_CIDR)

_NOT_THE_INTERNET = tuple(
    map(
        IPv4Network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
            *("172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3"),
        ),
    )
)
"""Networks in which no host of the internet is (RFC 6890; RFC 1112 for 224.0.0.0/3)."""


class Fleet:
    """The NATs as judged, and how many tables each one serves while a plan is being made.

    `mended` are those that served until somebody switched their source/destination check on: the
    next look finds them usable.
    """

    def __init__(
        self, observation: Observation, *, settle: bool = True, standby: str | None = None
    ) -> None:
        self.claims = claims = Claims(observation)
        self.judged: dict[Nat, Judgement] = {
            nat: judge(nat, observation, claims) for nat in sorted(observation.nats)
        }
        self.usable = [nat for nat, said in self.judged.items() if said.health is Health.USABLE]
        self.doubted = [nat for nat, said in self.judged.items() if said.by_claims]
        self.leaving = [nat for nat in self.judged if leaves_by_plan(nat, observation, claims)]
        self.load: Counter[Nat] = Counter()
        self.histories = Histories(observation)
        self.mended = [
            nat
            for nat in self.judged
            if nat.source_dest_check
            and self.histories.was_usable(nat.instance)
            and judge(replace(nat, source_dest_check=False), observation, claims).health
            is Health.USABLE
        ]
        self.unwatched = without_watch(observation)
        self.addresses = Addresses(observation, self.histories, self.unwatched)
        self.peers = ring.wanted(self.judged.values(), self.unwatched)
        self.waits_until = ring.waits_until(observation, self.claims, self.peers)
        self._now = observation.now
        self._zones = observation.zones
        self._settle = settle
        self._refused = observation.refused
        self._standbys, self._standby = observation.standbys, standby
        asked = observation.gateways
        self._gateways = None if asked is None else {each.id for each in asked if each.serves}
        self._led = observation.led

    def target(self, route: DefaultRoute | None) -> Nat | None:
        """Return the NAT of ours that a written route points to, alive or dead."""
        if route is None or route.dynamic:
            return None
        for nat in self.judged:
            if route.interface is not None and route.interface == nat.interface:
                return nat
        named = (nat for nat in self.judged if nat.instance == route.instance)
        return next((nat for nat in named if not (route.interface and nat.interface)), None)

    def server(self, table: Table) -> Nat | None:
        """Return the usable NAT through which a table reaches the internet now."""
        nat = self.target(table.route)
        blackhole = table.route is not None and table.route.blackhole
        return nat if nat in self.usable and not blackhole and not is_overridden(table) else None

    def is_foreign(self, table: Table) -> bool:
        """Say whether a table leads, and not into a blackhole, to something that is not ours.

        A route whose target EC2 does not name is ours to repair: a dead instance's id vanishes
        first.
        """
        route = table.route
        if is_overridden(table):
            return True
        if route is None or route.blackhole or self._is_ours(route) or self._was_led(table):
            return False
        return bool(route.interface or route.instance or route.other)

    def is_on_standby(self, table: Table) -> bool:
        """Say whether the standby gateway serves a table because the function led it there."""
        to = table.route.other if table.route else None
        serves = self._gateways is None or to in self._gateways
        return serves and self._was_led(table)

    def _was_led(self, table: Table) -> bool:
        """Say whether a table leads to the standby gateway because the function led it there.

        While that is not known, the gateway's tables are taken to be on standby, and stay.
        """
        route = table.route
        if route is None or route.blackhole or route.dynamic or is_overridden(table):
            return False
        if (table.id, route.other) in self._led:
            return True
        if self._standbys is None:
            return self._standby is not None and route.other == self._standby
        return any((s.table, s.gateway) == (table.id, route.other) for s in self._standbys)

    def _is_ours(self, route: DefaultRoute) -> bool:
        """Say whether a route leads to a NAT, be it to an interface that forwards nothing."""
        members = {nat.instance for nat in self.judged}
        return bool(self.target(route)) or (not route.dynamic and route.instance in members)

    def egress(self, table: Table) -> bool:
        """Say whether a host without a public address has egress by a table, as far as routes say.

        What a prefix list holds is not read, so that a default in one does not count.
        """
        if self.server(table) or self.is_on_standby(table) or self.waits(table):
            return True
        if is_overridden(table):
            ways = table.other_routes
            return _cover_the_internet(cidr for cidr, to in ways if not to.startswith(_NO_WAY_OUT))
        other = (table.route and table.route.other) or ""
        return self.is_foreign(table) and not other.startswith(_NO_WAY_OUT)

    def candidates(self, table: Table) -> list[Nat]:
        """Return the usable NATs except those that AWS refused the table, unless it refused all.

        A refusal says nothing of the NAT's health, and is forgotten when the run ends. Those that
        others know by their address come before those that have it not yet.
        """
        left = [nat for nat in self.fit if (table.id, nat.instance) not in self._refused]
        return self.addresses.reliable(left or self.fit)

    @property
    def fell_silent(self) -> bool:
        """Whether several NATs that are usable fell silent together, and no other one speaks."""
        last = [self.claims.last(nat.instance) for nat in self.usable]
        return len(last) > 1 and not self.heard and max(last) - min(last) <= TOGETHER_S

    @property
    def heard(self) -> list[Nat]:
        """The usable NATs but those that fell silent."""
        return [nat for nat in self.usable if not self.claims.fell_silent(nat.instance)]

    @property
    def fit(self) -> list[Nat]:
        """The usable NATs; where the NATs call each one sick, those of which AWS knows no ill.

        What NATs say makes a choice among them, and leaves no table without any. Where there are
        none of these, either, those that leave by plan serve on.
        """
        return self.usable or self.doubted or self.leaving

    def is_lost(self, table: Table) -> bool:
        """Say whether a table leads to no NAT that may serve; one that only NATs doubt may."""
        blackhole = table.route is not None and table.route.blackhole
        return blackhole or self.target(table.route) not in (*self.fit, *self.leaving)

    def at_home(self, table: Table) -> list[Nat]:
        """Return the candidates in a table's home zone: an unstable one only where all are."""
        candidates = self.candidates(table)
        stable = [nat for nat in candidates if not self.histories.is_unstable(nat.instance)]
        return [nat for nat in stable or candidates if self.is_home(nat, table)]

    def has_home(self, table: Table) -> bool:
        """Say whether the group launches NATs in a table's zone, of which there may be several."""
        return table.zone in self._zones

    def is_home(self, nat: Nat, table: Table) -> bool:
        """Say whether a NAT is at a table's home; to one without a home each is as good."""
        return nat.zone == table.zone or not self.has_home(table)

    def has_settled(self, nat: Nat) -> bool:
        """Say whether a usable NAT is stable, and usable for long enough for a failback."""
        accused = self.claims.is_accused(nat.instance) or self.claims.fell_silent(nat.instance)
        return not accused and self._has_lasted(nat)

    def _has_lasted(self, nat: Nat) -> bool:
        settled = not self._settle or self.histories.settles_at(nat.instance) <= self._now
        return settled and not self.histories.is_unstable(nat.instance)

    def _has_recovered(self, nat: Nat) -> bool:
        """Say whether a table may leave the standby gateway for a usable NAT.

        Whoever accuses it: NATs that only do not hear each other may both serve.
        """
        awaited = self.addresses.settles(self.judged.values()) and not self.addresses.of(nat)
        return self._has_lasted(nat) and self.claims.speaks_well(nat.instance) and not awaited

    def settled(self, table: Table) -> list[Nat]:
        """Return the NATs to which a table may fail back: those at home, or else all others."""
        has_settled = self._has_recovered if self.is_on_standby(table) else self.has_settled
        settled = [nat for nat in self.usable if has_settled(nat)]
        home = [nat for nat in self.at_home(table) if nat in settled]
        return home or [nat for nat in self.candidates(table) if nat in settled]

    def may_fail_back(self, table: Table) -> bool:
        """Say whether subnets may fail back to a table that works."""
        server = self.server(table)
        return server is not None and self.has_settled(server) and self.waits_until is None

    def may_evacuate(self, table: Table) -> bool:
        """Say whether a table's route may be written at once: nothing serves it by plan."""
        if not self._serves_by_plan(table):
            return True
        return self.waits_until is None and not self.waits_for_address(table)

    def waits(self, table: Table) -> bool:
        """Say whether a NAT that leaves serves a table until another one may."""
        return self._serves_by_plan(table) and not (self.usable and self.may_evacuate(table))

    def waits_for_address(self, table: Table) -> bool:
        """Say whether a NAT that leaves serves a table until another one has its Elastic IP."""
        nat = self.target(table.route)
        return (
            nat is not None
            and self._serves_by_plan(table)
            and self.addresses.must_wait(nat, self.usable)
        )

    def _serves_by_plan(self, table: Table) -> bool:
        route, nat = table.route, self.target(table.route)
        return nat in self.leaving and route is not None and not route.blackhole

    def assign(self, nats: list[Nat]) -> Nat:
        """Choose the NAT that serves the fewest tables, and count the table to it.

        One that turned sick too often is the last resort.
        """
        nat = min(
            nats,
            key=lambda nat: (
                self.histories.is_unstable(nat.instance),
                self.load[nat],
                nat.instance,
            ),
        )
        self.load[nat] += 1
        return nat

    def finding(self, table: Table) -> str:
        """Say in words what a table's way to everywhere was found to be."""
        route, nat = table.route, self.target(table.route)
        if not table.exists:
            return "EC2 does not describe it"
        if is_overridden(table):
            return "more specific routes than the default cover every address"
        if route is None:
            return f"there is no default route{_unless_hidden(table)}"
        if nat in self.usable and not route.blackhole:
            return f"{nat.instance} in {nat.zone} serves it"
        if nat:
            return f"{_use(route)}, {self.judged[nat].health}: {self.judged[nat].reason}"
        return f"{_use(route)}{_unless_hidden(table) if route.dynamic else ''}"

    def why_not_ours(self, table: Table) -> str:
        """Say in words why a table that leads elsewhere is left alone."""
        if is_overridden(table):
            return "those routes are not the function's"
        if table.route and table.route.dynamic:
            return "that route was not written but propagated"
        if not self.egress(table):
            return f"{_FOREIGN}, and no way out for a host without a public address"
        return _FOREIGN

    def source_dest_check_fixes(self) -> Iterator[DisableSourceDestCheck]:
        """Switch the check off on every instance that serves or is going to serve."""
        for nat, said in self.judged.items():
            serves = said.health in {Health.BOOTING, Health.SICK}
            running = nat.state is InstanceState.RUNNING
            if serves and running and nat.source_dest_check and nat.interface:
                yield DisableSourceDestCheck(
                    instance=nat.instance,
                    interface=nat.interface,
                    reason="a NAT forwards packets that are not addressed to it",
                )


def is_overridden(table: Table) -> bool:
    """Say whether more specific routes cover the internet, so that nothing uses the default.

    The most specific route wins ("How route priority works", VPC user guide), so two halves of the
    address space take everything from a default route.
    """
    return _cover_the_internet(cidr for cidr, _ in table.other_routes)


def _cover_the_internet(destinations: Iterable[str]) -> bool:
    nets = [IPv4Network(cidr) for cidr in destinations if _is_ipv4(cidr)]
    return _EVERYWHERE in collapse_addresses([*nets, *_NOT_THE_INTERNET])


def may_lead_out(table: Table) -> bool:
    """Say whether a table has a route by which a NAT may reach any of the internet.

    What a list of prefixes holds is not read, and a peering is no way out.
    """
    default = table.route
    leads = default and not default.blackhole and not (default.other or "").startswith(_PEERING)
    return bool(leads) or any(
        not target.startswith((BLACKHOLE, _PEERING))
        for destination, target in table.other_routes
        if destination in _lists(table) or is_public(destination)
    )


def _unless_hidden(table: Table) -> str:
    """Name the prefix lists that might hold a default.

    A written route to the same destination wins ("How route priority works", VPC user guide), so
    whatever they hold, a table with a default route of ours leads to our NAT.
    """
    lists = _lists(table)
    return f", unless {' or '.join(lists)} holds one" if lists else ""


def _lists(table: Table) -> list[str]:
    """Return the prefix lists that a table leads to, except those of gateway endpoints."""
    return sorted(
        destination
        for destination, target in table.other_routes
        if destination.startswith("pl-") and not target.startswith(_GATEWAY_ENDPOINT)
    )


def _use(route: DefaultRoute) -> str:
    return f"the default route is a blackhole to {route}" if route.blackhole else f"it uses {route}"


def is_public(destination: str) -> bool:
    """Say whether any of a network's addresses may be a host's of the internet."""
    if not _is_ipv4(destination):
        return False
    net = IPv4Network(destination)
    return not any(net.subnet_of(private) for private in _NOT_THE_INTERNET)


def _is_ipv4(destination: str) -> bool:
    return "/" in destination and ":" not in destination
