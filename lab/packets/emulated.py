"""What the emulated region wants of packets, read as values from what moto holds.

Routes count from when they take effect, and an instance lets packets through from its boot until
seconds after it was told to end, and has an Elastic IP when it takes effect: the models of the
region know that.
"""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any

from moto.ec2.models import ec2_backends

from lab.drills.boots.forwarding import has_internet, runs
from lab.drills.boots.peers import STATES, WatchState, between
from lab.drills.topology import DEFAULT
from lab.emulator.isolation import ACCOUNT, REGION
from lab.emulator.services.ec2.elastic_ips import public_address
from lab.emulator.services.ec2.routes import effective_table, target_instance
from lab.packets.values import INTERNET_GATEWAY, Host, Ingress, Nat, Subnet, Wanted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from moto.ec2.models.instances import Instance
    from moto.ec2.models.route_tables import Route

    from lab.emulator.behaviour import Emulation

_HOST = 10  # the number of the private host in its subnet; instances of the region are elsewhere


def instances() -> dict[str, Instance]:
    """Return all instances that exist, by their ids."""
    found = ec2_backends[ACCOUNT][REGION].all_instances()
    return {str(row.id): row for row in found if row.state not in ("pending", "terminated")}


def cidrs(vpc: str) -> tuple[str, ...]:
    """Return the CIDRs of a VPC."""
    associations = ec2_backends[ACCOUNT][REGION].vpcs[vpc].cidr_block_association_set
    return tuple(str(row["cidr_block"]) for row in associations)


def private_hosts(vpc: str, now: float) -> tuple[Host, ...]:
    """Return one host for each private subnet of a VPC, called as the subnet is."""
    subnets = (row for row in _subnets(vpc) if _target(row.name, now) != INTERNET_GATEWAY)
    return tuple(Host(row.name, row, str(IPv4Network(row.cidr)[_HOST])) for row in subnets)


def nat(instance: Instance, uplink: str) -> Nat:
    """Return an instance as a NAT."""
    interface = instance.nics[0]
    return Nat(
        name=str(instance.id),
        subnet=_subnet(interface.subnet),
        address=str(interface.private_ip_address),
        public=interface.public_ip,
        uplink=uplink,
    )


def watch_state(instance: Instance) -> WatchState:
    """Return what becomes of the watch of an instance, which ends with it."""
    return STATES[instance] if instance.state == "running" else WatchState.STOPPED


def wanted(aws: Emulation, vpc: str, nats: Collection[str]) -> Wanted:
    """Return how packets are to flow in a VPC now, as far as it concerns these NATs."""
    now, cut = aws.clock.now(), between(aws).cut
    known = {name: row for name, row in instances().items() if name in nats}
    targets = {row.name: _target(row.name, now) for row in _subnets(vpc)}
    there = {*known, INTERNET_GATEWAY}
    return Wanted(
        default_routes={
            subnet: target if target in there else None for subnet, target in targets.items()
        },
        checked=frozenset(name for name, row in known.items() if row.source_dest_check),
        silent=frozenset(name for name in nats if name not in known or not runs(known[name], now)),
        offline=frozenset(name for name, row in known.items() if not has_internet(row)),
        apart=frozenset(name for name, row in known.items() if row.availability_zone == cut),
        ingress={name: tuple(_ingress(row)) for name, row in known.items()},
        public={name: public_address(row.nics[0], now) for name, row in known.items()},
    )


def _subnets(vpc: str) -> list[Subnet]:
    rows = ec2_backends[ACCOUNT][REGION].describe_subnets()
    return sorted((_subnet(row) for row in rows if row.vpc_id == vpc), key=lambda row: row.name)


def _subnet(row: Any) -> Subnet:  # noqa: ANN401 - moto types little of its state
    return Subnet(str(row.id), str(row.cidr_block))


def _target(subnet: str, now: float) -> str | None:
    """Return the instance or the gateway that a subnet's default route leads to."""
    table = effective_table(subnet, now)
    routes = table.routes if table else ()
    route = next((row for row in routes if row.destination_cidr_block == DEFAULT), None)
    return _leads_to(route) if route else None


def _leads_to(route: Route) -> str | None:
    if route.gateway is not None:
        return INTERNET_GATEWAY
    target = target_instance(route)
    return str(target.id) if target else None


def _ingress(instance: Instance) -> Iterator[Ingress]:
    """Yield what the groups of an instance's interface let in; sources by group are not played."""
    for group in instance.nics[0].group_set:
        for rule in group.ingress_rules:
            if cidr := rule.ip_range.get("CidrIp"):
                ports = None if rule.from_port is None else (rule.from_port, rule.to_port)
                yield Ingress(cidr, rule.ip_protocol, ports)
