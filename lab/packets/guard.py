"""What AWS enforces at the interfaces of NATs: source/destination check, security groups, silence.

Written as nftables rules for the VPC's router. They track flows in a set of their own, and not in
the connection table: what a rule of a security group lets in needs no tracking, so that a segment
in the middle of a flow that moved to another NAT reaches it, as it does on AWS. What leaves is let
out, and its answers in again, by address and ports, for as long as AWS remembers an idle flow. A
silent instance still reaches its metadata, as one does whose network is in trouble.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.packets.router import METADATA
from lab.packets.values import ANY_PROTOCOL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lab.packets.values import Ingress, Nat, Wanted

# "Idle connection tracking timeout" of Nitro v6 instances, EC2 user guide; for ICMP ours.
_RULES = f"""
table ip vpc {{
    set nats {{
        type ifname
    }}
    set checked {{
        type ifname
    }}
    set silent {{
        type ifname
    }}
    set own {{
        type ifname . ipv4_addr
    }}
    set flows {{
        type ipv4_addr . inet_proto . inet_service . ipv4_addr . inet_service
        flags dynamic,timeout
        timeout 350s
        size 1000000
    }}
    set pings {{
        type ipv4_addr . ipv4_addr
        flags dynamic,timeout
        timeout 30s
        size 100000
    }}
    chain granted {{
    }}
    chain leaves {{
        meta l4proto {{ tcp, udp }} \\
            update @flows {{ ip saddr . meta l4proto . th sport . ip daddr . th dport }}
        icmp type echo-request update @pings {{ ip saddr . ip daddr }}
    }}
    chain enters {{
        meta l4proto {{ tcp, udp }} \\
            ip daddr . meta l4proto . th dport . ip saddr . th sport @flows accept
        icmp type echo-reply ip daddr . ip saddr @pings accept
        icmp type {{ destination-unreachable, time-exceeded, parameter-problem }} accept
        jump granted
        drop
    }}
    chain forward {{
        type filter hook forward priority filter; policy accept;
        iifname @silent drop
        oifname @silent drop
        iifname @checked iifname . ip saddr != @own drop
        oifname @checked oifname . ip daddr != @own drop
        iifname @nats jump leaves
        oifname @nats jump enters
    }}
    chain input {{
        type filter hook input priority filter; policy drop;
        iifname @nats ip daddr {METADATA} tcp dport 80 accept
    }}
}}
"""


def rules() -> str:
    """Return the rules before there is any NAT."""
    return _RULES


def state(wanted: Wanted, ports: Mapping[str, tuple[str, Nat]]) -> str:
    """Return the transaction after which the rules are as wanted.

    `ports` has the router's interface of each NAT, and the NAT.
    """
    lines = [f"flush set ip vpc {name}" for name in ("nats", "checked", "silent", "own")]
    lines.append("flush chain ip vpc granted")
    for name, (port, nat) in sorted(ports.items()):
        lines += _elements("nats", [f'"{port}"'])
        lines += _elements("own", [f'"{port}" . {address}' for address in nat.addresses])
        lines += _elements("checked", [f'"{port}"'] if name in wanted.checked else [])
        lines += _elements("silent", [f'"{port}"'] if name in wanted.silent else [])
        lines += _granted(port, wanted.ingress.get(name, ()))
    return "\n".join(lines) + "\n"


def _elements(name: str, elements: Iterable[str]) -> Iterator[str]:
    for element in elements:
        yield f"add element ip vpc {name} {{ {element} }}"


def _granted(port: str, ingress: Iterable[Ingress]) -> Iterator[str]:
    for row in ingress:
        match = f'oifname "{port}" ip saddr {row.cidr}'
        if row.protocol != ANY_PROTOCOL:
            match += f" meta l4proto {row.protocol}"
        if row.ports is not None and row.protocol in ("tcp", "udp"):
            match += " th dport {}-{}".format(*row.ports)
        yield f"add rule ip vpc granted {match} accept"
