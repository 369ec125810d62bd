"""Which NAT has which Elastic IP, who gets a free one, and which NATs others may rely on. Pure.

The set is constant, and a NAT has one of it or the address of its launch. Nothing is taken from
anybody: an address is free when it is associated with nothing, which it is when EC2 has terminated
the instance that had it. So a NAT that drains keeps its own to its last flow, and its replacement
waits for it; its zone uses a neighbour meanwhile, whose address is in the set too. Where all NATs
that have one drain, they go on serving until one that stays has one, and a drain that no table
needs ends for that.

What is associated with a NAT replaces the public address that it had, and breaks its flows. So a
NAT from before the setting is not given one: a deployment replaces it. Nor is one that people have
attached to the group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nat_failover.actions import AssociateAddress
from nat_failover.model import Health, InstanceState

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from nat_failover.history import Histories
    from nat_failover.model import ElasticIp, Judgement, Nat, Observation

SETTLES_S = 20.0
"""How long an address is seen with a NAT before tables may rely on it.

AWS publishes no figure. Of an address that moves, NGINX's tests with keepalived say five to six
seconds in most cases, and others wait for 20 (github.com/sebdah/aws-ec2-assign-elastic-ip, pull
request 25)."""


class Addresses:
    """The Elastic IPs at the time of an observation."""

    def __init__(
        self, observation: Observation, histories: Histories, attached: Container[str] = ()
    ) -> None:
        self._all = sorted(observation.elastic_ips or ())
        self._of: dict[tuple[str | None, str | None], ElasticIp] = {
            (each.interface, each.address): each for each in self._all if each.interface
        }
        self._interfaces = {nat.interface for nat in observation.nats}
        self._histories = histories
        self._now = observation.now
        self._refused = observation.refused
        self._attached = attached

    def of(self, nat: Nat) -> ElasticIp | None:
        """Return the Elastic IP of a NAT: that of its primary private address."""
        return self._of.get((nat.interface, nat.address))

    def has_settled(self, nat: Nat) -> bool:
        """Say whether a NAT has its Elastic IP for long enough for packets to leave by it."""
        since = self._histories.stable_since(nat.instance)
        return self.of(nat) is not None and since is not None and since + SETTLES_S <= self._now

    def reliable(self, nats: list[Nat]) -> list[Nat]:
        """Return those of some NATs that others know by their address; all, if none is so.

        One that turned sick too often is none to rely on.
        """
        unstable = self._histories.is_unstable
        return [n for n in nats if self.has_settled(n) and not unstable(n.instance)] or nats

    def must_wait(self, server: Nat, usable: list[Nat]) -> bool:
        """Say whether a NAT that leaves goes on serving, because no other has an Elastic IP yet."""
        return self.has_settled(server) and not any(map(self.has_settled, usable))

    def is_needed(self, leaving: Nat, usable: list[Nat]) -> bool:
        """Say whether the Elastic IP of a NAT that serves no table is waited for, and none free."""
        free = any(each.interface is None for each in self._all)
        waiting = any(map(self._is_stable, usable)) and not any(map(self.of, usable))
        return self.of(leaving) is not None and waiting and not free

    def settles_at(self, usable: list[Nat]) -> float | None:
        """Return when the first Elastic IP of a NAT will have settled; None if none is about to."""
        known = (self._histories.stable_since(nat.instance) for nat in usable if self.of(nat))
        moments = ((self._now if since is None else since) + SETTLES_S for since in known)
        return min((moment for moment in moments if moment > self._now), default=None)

    def associations(self, health: Iterable[Judgement]) -> Iterator[AssociateAddress]:
        """Yield an association for each NAT that lacks its Elastic IP, as long as some are free."""
        free = [each for each in self._all if each.interface is None]
        for said in health:
            nat = said.nat
            usual = (each for each in free if (each.allocation, nat.instance) not in self._refused)
            if self._lacks(said) and nat.interface and nat.address and (one := next(usual, None)):
                free.remove(one)
                yield AssociateAddress(
                    allocation=one.allocation,
                    interface=nat.interface,
                    address=nat.address,
                    instance=nat.instance,
                    reason="the NAT has no Elastic IP of the set yet",
                )

    def unstable(self, health: Iterable[Judgement]) -> Iterator[tuple[str, str]]:
        """Yield the usable NATs that lack their Elastic IP, with what stands in the way."""
        held = [
            f"{each.allocation} is associated with {each.interface}, which is no NAT's"
            for each in self._all
            if each.interface and each.interface not in self._interfaces
        ]
        free = any(each.interface is None for each in self._all)
        why = "; ".join(held) or ("one is free" if free else "NATs that leave have the others")
        for said in health:
            if said.health is Health.USABLE and self._lacks(said):
                yield said.nat.instance, f"it has no Elastic IP of the set yet: {why}"

    def settles(self, health: Iterable[Judgement]) -> bool:
        """Say whether a usable NAT has its Elastic IP, or may have one, and not for long enough."""
        free = any(each.interface is None for each in self._all)
        return any(
            said.health is Health.USABLE
            and self._is_stable(said.nat)
            and not self.has_settled(said.nat)
            and (free or self.of(said.nat) is not None)
            for said in health
        )

    def _is_stable(self, nat: Nat) -> bool:
        return nat.stable and nat.instance not in self._attached

    def _lacks(self, said: Judgement) -> bool:
        """Say whether a NAT that serves, or would if it had a public address, has none of the set.

        One that boots needs the address of its launch for that.
        """
        nat = said.nat
        serves = nat.state is InstanceState.RUNNING and nat.lifecycle == "InService" and nat.healthy
        fit = said.health is Health.USABLE or (said.health is Health.SICK and not nat.addressed)
        return self._is_stable(nat) and serves and fit and self.of(nat) is None
