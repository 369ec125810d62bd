"""What AWS enforces at the interfaces of NATs: source/destination check, security groups, silence.

Written as nftables rules for the VPC's router. Tracked is only what passes between NATs and the
internet, by addresses that no two NATs share: what a rule of a security group lets in needs no
tracking, so that a segment in the middle of a flow that moved to another NAT reaches it, as it does
on AWS. What a NAT sends to the internet is let out, and its answers in again. A silent instance
still reaches its metadata, as one does whose network is in trouble.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.packets.internet import UPLINK
from lab.packets.router import METADATA
from lab.packets.values import ANY_PROTOCOL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lab.packets.values import Ingress, Nat, Wanted

TRACKING = (
    # "Idle connection tracking timeout", EC2 user guide: Nitro v6 instances.
    "net.netfilter.nf_conntrack_tcp_timeout_established=350",
    # A security group does not look at the numbers of segments.
    "net.netfilter.nf_conntrack_tcp_be_liberal=1",
)
"""What the kernel of the router needs to be told for these rules."""

_STATES = ("checked", "silent", "offline", "apart")
"""Fields of what is wanted, and sets of the NATs' interfaces."""

_SETS = ("nats", "own", *_STATES)

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
    set offline {{
        type ifname
    }}
    set apart {{
        type ifname
    }}
    set own {{
        type ifname . ipv4_addr
    }}
    set vpc {{
        type ipv4_addr
        flags interval
    }}
    chain track {{
        type filter hook prerouting priority raw; policy accept;
        iifname != @nats iifname != "{UPLINK}" notrack
        iifname @nats ip daddr @vpc notrack
    }}
    chain granted {{
    }}
    chain enters {{
        ct state established,related accept
        jump granted
        drop
    }}
    chain forward {{
        type filter hook forward priority filter; policy accept;
        iifname @silent drop
        oifname @silent drop
        iifname @offline oifname "{UPLINK}" drop
        iifname "{UPLINK}" oifname @offline drop
        iifname @apart oifname @nats oifname != @apart drop
        iifname @nats iifname != @apart oifname @apart drop
        iifname @checked iifname . ip saddr != @own drop
        oifname @checked oifname . ip daddr != @own drop
        oifname @nats jump enters
    }}
    chain input {{
        type filter hook input priority filter; policy drop;
        iifname @nats ip daddr {METADATA} tcp dport 80 accept
    }}
}}
"""


def rules(vpc: Iterable[str]) -> str:
    """Return the rules of a VPC, given by its CIDRs, before there is any NAT."""
    return "\n".join((_RULES, *_elements("vpc", vpc), ""))


def state(wanted: Wanted, ports: Mapping[str, tuple[str, Nat]]) -> str:
    """Return the transaction after which the rules are as wanted.

    `ports` has the router's interface of each NAT, and the NAT.
    """
    lines = [f"flush set ip vpc {name}" for name in _SETS]
    lines.append("flush chain ip vpc granted")
    for name, (port, nat) in sorted(ports.items()):
        lines += _elements("nats", [f'"{port}"'])
        lines += _elements("own", [f'"{port}" . {address}' for address in nat.addresses])
        for states in _STATES:
            lines += _elements(states, [f'"{port}"'] if name in getattr(wanted, states) else [])
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
