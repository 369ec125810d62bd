"""How namespaces get their addresses, routes and kernel settings: by `ip` and `sysctl` in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.packets.namespaces import Namespace

_NO_IPV6 = ("net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
_FORWARD = (
    "net.ipv4.ip_forward=1",
    # A path may lead in by one interface and out by another, as in a VPC.
    "net.ipv4.conf.all.rp_filter=0",
    "net.ipv4.conf.default.rp_filter=0",
    "net.ipv4.conf.all.send_redirects=0",
    "net.ipv4.conf.default.send_redirects=0",
    # A VPC answers for each of its addresses, so that instances of one subnet reach each other.
    "net.ipv4.conf.default.proxy_arp=1",
    "net.ipv4.neigh.default.proxy_delay=0",
)
# A connection table has room for as many entries as the machine's own, which may be 4096, and only
# the machine can change that. The probes of two hosts, 400 a second, fill it unless what is over is
# forgotten sooner than after the kernel's 30 and 10 s: when no probe waits any more.
_FORGET = (
    "net.netfilter.nf_conntrack_udp_timeout=1",
    "net.netfilter.nf_conntrack_tcp_timeout_close=1",
)


def set_up(namespace: Namespace, *, forwards: bool) -> None:
    """Set what is inherited from the machine otherwise; before interfaces are made."""
    settings = _FORWARD if forwards else ("net.ipv4.ip_forward=0",)
    namespace.run("sysctl", "--quiet", "--ignore", "--write", *_NO_IPV6, *_FORGET, *settings)


def configure(namespace: Namespace, *lines: str) -> None:
    """Run lines of `ip -batch`, such as `address add 10.0.0.4/24 dev ens5`."""
    namespace.run("ip", "-batch", "-", given="\n".join(lines) + "\n")
