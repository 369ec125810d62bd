"""The faults that a drill can play, one row each: what happens, and what comes of it.

`begin` and `end` are called on the lab's timeline, and must not wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from lab.drills import deeds, fault_actions
from lab.drills.lab_settings import LETTERS
from nat_failover.contract import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.drills.deeds import Scene

ZONES = tuple(LETTERS)


STRATEGIES = frozenset(strategy.value for strategy in Strategy)
NEVER: frozenset[str] = frozenset()


class Kind(Enum):
    """Whether a fault does harm by itself."""

    HARM = "harm"
    CONDITION = "condition: drilled alone, a NAT is terminated under it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault: what it plays, in words, and how a drill of it ends with the deployed function.

    `seconds` is how long it lasts where a drill does not say, `lead` how long before a NAT's death
    it begins, `real` whether a real account lets it be played, `recovers` with which strategies
    each zone is at home in the end, `left_alone` with which options only if `failover.adopt` is on.
    """

    name: str
    plays: str
    ends: str
    begin: Callable[[Scene, str | None], None]
    end: Callable[[Scene], None] | None = None
    kind: Kind = Kind.HARM
    options: tuple[str, ...] = ()
    seconds: float | None = None
    lead: float = 0.0
    real: bool = False
    recovers: frozenset[str] = STRATEGIES
    left_alone: tuple[str, ...] = ()

    def ends_well(self, option: str | None, strategy: str, *, adopt: bool = False) -> bool:
        """Return whether each zone is at home in the end, as documented."""
        return strategy in self.recovers and (adopt or option not in self.left_alone)


FAULTS: tuple[Fault, ...] = (
    Fault(
        name="terminate",
        plays="a NAT is terminated, not through its group",
        ends="its table goes to the other NAT at EC2's event, and home when a new one forwards",
        begin=deeds.terminate,
        options=ZONES,
        real=True,
    ),
    Fault(
        name="stop",
        plays="a NAT is stopped, not through its group",
        ends="as terminate",
        begin=deeds.stop,
        options=ZONES,
        real=True,
    ),
    Fault(
        name="hang",
        plays="a NAT runs, passes EC2's checks and forwards nothing",
        ends="nobody notices: the zone has no internet until a person acts",
        begin=deeds.hang,
        options=ZONES,
        recovers=NEVER,
    ),
    Fault(
        name="impair",
        plays="a NAT fails EC2's status checks, and forwards nothing",
        ends="its table moves when the group ends it, minutes later, and comes home",
        begin=deeds.impair,
        options=ZONES,
    ),
    Fault(
        name="planned",
        plays="an instance refresh replaces the NATs one by one",
        ends="each table moves as its NAT is ended, and comes home",
        begin=deeds.planned,
        real=True,
    ),
    Fault(
        name="zone-outage",
        plays="the instances of a zone die, and none can be launched there",
        ends="the group launches in the other zone; the table comes home when the zone is back",
        begin=deeds.zone_outage,
        end=deeds.capacity_is_back,
        options=ZONES,
        seconds=600,
    ),
    Fault(
        name="both",
        plays="both NATs are terminated at the same time",
        ends="no internet until the first replacement; then one NAT serves all, then each its own",
        begin=deeds.both,
    ),
    Fault(
        name="no-capacity",
        plays="EC2 has no capacity for a replacement",
        ends="the other NAT serves until there is capacity again",
        begin=deeds.no_capacity,
        end=deeds.capacity_is_back,
        kind=Kind.CONDITION,
        seconds=300,
    ),
    Fault(
        name="bad-boot",
        plays="the next instance that boots never forwards",
        ends="it abandons its launch and never gets a table; the table goes home to the next one",
        begin=deeds.bad_boot,
        kind=Kind.CONDITION,
    ),
    Fault(
        name="check-reset",
        plays="somebody turns a NAT's source/destination check on",
        ends="the next look, a minute later at most, turns it off",
        begin=deeds.check_reset,
        options=ZONES,
        real=True,
    ),
    Fault(
        name="tamper",
        plays="somebody deletes a default route (`elsewhere`: points it to an instance that is not"
        " of the group; `gateway`: to the internet gateway)",
        ends="the next sweep creates it again; one that leads to something foreign is told and left"
        " alone, unless failover.adopt is on",
        begin=fault_actions.tamper,
        options=(*ZONES, "elsewhere", "gateway"),
        left_alone=("elsewhere", "gateway"),
        real=True,
    ),
    Fault(
        name="disassociate",
        plays="somebody takes a zone's private subnet out of its route table",
        ends="it is told at the next sweep; with swap-route-table the subnet is associated again,"
        " with replace-route a person must",
        begin=fault_actions.disassociate,
        options=ZONES,
        recovers=frozenset({Strategy.SWAP_ROUTE_TABLE.value}),
    ),
    Fault(
        name="delete-table",
        plays="somebody deletes a zone's private route table",
        ends="it is told, and the other zones are looked after; with swap-route-table another table"
        " takes its subnets, with replace-route a person must make one",
        begin=fault_actions.delete_table,
        options=ZONES,
        recovers=NEVER,
    ),
    Fault(
        name="standby",
        plays="somebody puts a NAT into standby, without another one in its place",
        ends="its table goes to the other NAT, and home when it is back in service",
        begin=fault_actions.stand_by,
        end=fault_actions.back_in_service,
        options=ZONES,
        seconds=300,
    ),
    Fault(
        name="protected",
        plays="somebody protects the NATs from scale-in",
        ends="as without; `--destroy` shows that the stack can be destroyed all the same",
        begin=fault_actions.protect,
        kind=Kind.CONDITION,
    ),
    Fault(
        name="lost-address",
        plays="a NAT loses its public address, and runs on",
        ends="its table goes to the other NAT at the next look, and home when a person ended it",
        begin=fault_actions.lose_address,
        end=fault_actions.end_addressless,
        options=ZONES,
        seconds=300,
    ),
    Fault(
        name="lost-gateway",
        plays="somebody deletes the route to the internet gateway of a zone's public subnet",
        ends="the zone's table goes to the other NAT at the next look, and home when a person put"
        " the route back",
        begin=fault_actions.lose_gateway,
        end=fault_actions.restore_gateway,
        options=ZONES,
        seconds=300,
    ),
    Fault(
        name="lost-key",
        plays="the key that encrypts volumes cannot be used, so that no launch succeeds",
        ends="as no-capacity; the group's activity has EC2's reason",
        begin=fault_actions.lose_volume_key,
        end=fault_actions.restore_volume_key,
        kind=Kind.CONDITION,
        seconds=300,
    ),
    Fault(
        name="lost",
        plays="messages to the function are lost",
        ends="the look that is due every minute repairs",
        begin=deeds.lost,
        end=deeds.delivered,
        kind=Kind.CONDITION,
        seconds=180,
    ),
    Fault(
        name="doubled",
        plays="each message to the function comes twice",
        ends="as without: the second run finds nothing to do",
        begin=deeds.doubled,
        end=deeds.delivered,
        kind=Kind.CONDITION,
        seconds=300,
    ),
    Fault(
        name="reordered",
        plays="messages to the function overtake each other",
        ends="as lost, or sooner: each run looks at what is, not at what a message says",
        begin=deeds.reordered,
        end=deeds.delivered,
        kind=Kind.CONDITION,
        seconds=300,
    ),
    Fault(
        name="throttled",
        plays="others use up the account's API calls",
        ends="refused calls are made again; a look that fails leads to no write",
        begin=deeds.throttled,
        end=deeds.not_throttled,
        kind=Kind.CONDITION,
        seconds=60,
    ),
    Fault(
        name="denied",
        plays="the function's role lacks the permission to write routes",
        ends="each write is refused and an alarm rings; the first look with the permission repairs",
        begin=deeds.denied,
        end=deeds.permitted,
        kind=Kind.CONDITION,
        seconds=180,
    ),
    Fault(
        name="slow-lambda",
        plays="the function's runs start ten times as slowly, cold and warm",
        ends="as terminate, later by the start",
        begin=deeds.slow_lambda,
        end=deeds.lambda_is_fast,
        kind=Kind.CONDITION,
        seconds=300,
    ),
    Fault(
        name="during-deploy",
        plays="a stack update replaces the NATs when one of them dies",
        ends="the function repairs what the update or the death took; the update completes",
        begin=deeds.update_the_stack,
        kind=Kind.CONDITION,
        lead=30,
    ),
)


def written_options(fault: Fault) -> tuple[str, ...]:
    """Return what may follow a fault's name: ZONE for a zone's letter, and other words."""
    named = tuple(option for option in fault.options if option not in ZONES)
    return (("a zone's letter",) if set(ZONES) <= set(fault.options) else ()) + named
