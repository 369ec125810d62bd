"""The faults that a drill can inject, one row each: what happens, what comes of it, and where.

Data alone: how a fault is injected into the emulated region is in `lab.drills.injectors`, how into
a real account is in `lab.account`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from lab.drills.zones import ZONES
from nat_failover.contract import Strategy

STRATEGIES = frozenset(strategy.value for strategy in Strategy)
NEVER: frozenset[str] = frozenset()


class Effect(Enum):
    """Whether a fault does harm by itself."""

    HARM = "harm"
    CONDITION = "condition: drilled alone, a NAT is terminated under it"


class ActionKind(Enum):
    """What a drill does to a stack in a real account."""

    TERMINATE_NAT = "terminate a NAT"
    STOP_NAT = "stop a NAT"
    REFRESH_GROUP = "start an instance refresh"
    SWITCH_CHECK_ON = "switch the source/destination check of a NAT on"
    DELETE_DEFAULT_ROUTE = "delete the default route of a private table"


@dataclass(frozen=True, slots=True, kw_only=True)
class InAccount:
    """How a real account gets a fault: the action, the calls that execute and revert it."""

    kind: ActionKind
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault: what happens, in words, and how a drill of it ends with the deployed function.

    `seconds` is how long it lasts where a drill does not say (None: it happens at once, or has no
    end), `lead` how long before a NAT's death it begins, `account` how a real account gets it (of
    its options a zone alone), `recovers` with which strategies each zone is at home in the
    end, `left_alone` with which options only if `failover.adopt` is on, `needs_watch` whether only
    if `fleet.watch` is.
    """

    name: str
    happens: str
    ends: str
    effect: Effect = Effect.HARM
    options: tuple[str, ...] = ()
    seconds: float | None = None
    lead: float = 0.0
    account: InAccount | None = None
    recovers: frozenset[str] = STRATEGIES
    left_alone: tuple[str, ...] = ()
    needs_watch: bool = False

    def ends_well(
        self, option: str | None, strategy: str, *, adopt: bool = False, watch: bool = True
    ) -> bool:
        """Return whether each zone is at home in the end, as documented."""
        repaired = (adopt or option not in self.left_alone) and (watch or not self.needs_watch)
        return strategy in self.recovers and repaired


FAULTS: tuple[Fault, ...] = (
    Fault(
        name="terminate",
        happens="a NAT is terminated, not through its group",
        ends="its table goes to the other NAT at EC2's event, and fails back when a new one has"
        " forwarded for a minute",
        options=ZONES,
        account=InAccount(kind=ActionKind.TERMINATE_NAT, permissions=("ec2:TerminateInstances",)),
    ),
    Fault(
        name="stop",
        happens="a NAT is stopped, not through its group",
        ends="as terminate",
        options=ZONES,
        account=InAccount(kind=ActionKind.STOP_NAT, permissions=("ec2:StopInstances",)),
    ),
    Fault(
        name="hang",
        happens="a NAT runs, passes EC2's checks and forwards nothing",
        ends="the other NATs do not hear it any more: its table moves seconds later, and it is"
        " replaced",
        options=ZONES,
        needs_watch=True,
    ),
    Fault(
        name="impair",
        happens="a NAT fails EC2's status checks, and forwards nothing",
        ends="as hang",
        options=ZONES,
    ),
    Fault(
        name="lost-egress",
        happens="the internet behind a NAT is gone, and the NAT runs on",
        ends="it says so to the others: its table moves within ten seconds, and it is replaced",
        options=ZONES,
        needs_watch=True,
    ),
    Fault(
        name="flapping",
        happens="the internet behind a zone's NATs goes five times, for 20 s every 40 s",
        ends="its table moves once, and fails back when the zone's NAT has been well for a minute,"
        " or is another one",
        options=ZONES,
    ),
    Fault(
        name="internet-down",
        happens="no NAT has internet behind it (with a zone's letter: no NAT of that zone)",
        ends="nothing moves, because no NAT would serve better, and nothing when it is back",
        options=ZONES,
        seconds=300,
    ),
    Fault(
        name="link-cut",
        happens="the NAT of a zone and the others do not hear each other, and all of them forward",
        ends="each is accused and says the same of the other: nothing moves",
        options=ZONES,
        seconds=300,
    ),
    Fault(
        name="watch-dead",
        happens="somebody stops the watch of a NAT, which forwards on (`frozen`: the watch hangs)",
        ends="nothing moves, and it is told after twelve minutes; a NAT whose watch hangs is taken"
        " for one that hangs",
        options=(*ZONES, "frozen"),
        seconds=1800,
    ),
    Fault(
        name="planned",
        happens="an instance refresh replaces the NATs one by one",
        ends="each table moves when its NAT is to end, which serves the connections that it has"
        " for up to five minutes more, and fails back",
        account=InAccount(
            kind=ActionKind.REFRESH_GROUP,
            permissions=(
                "autoscaling:StartInstanceRefresh",
                "autoscaling:DescribeInstanceRefreshes",
                "autoscaling:CancelInstanceRefresh",
            ),
        ),
    ),
    Fault(
        name="renewal",
        happens="all NATs reach their maximum lifetime at the same time",
        ends="as planned: the group replaces one after the other",
    ),
    Fault(
        name="zone-outage",
        happens="the instances of a zone die, and none can be launched there",
        ends="the group launches in the other zone; the table fails back when the zone is back",
        options=ZONES,
        seconds=600,
    ),
    Fault(
        name="both",
        happens="both NATs are terminated at the same time",
        ends="no internet until the first replacement; then one NAT serves all, then each its own",
    ),
    Fault(
        name="no-capacity",
        happens="EC2 has no capacity for a replacement",
        ends="the other NAT serves until there is capacity again",
        effect=Effect.CONDITION,
        seconds=300,
    ),
    Fault(
        name="bad-boot",
        happens="the next instance that boots never forwards",
        ends="it abandons its launch and never gets a table; the table fails back to the next one",
        effect=Effect.CONDITION,
    ),
    Fault(
        name="check-reset",
        happens="somebody turns a NAT's source/destination check on",
        ends="the next sweep, a minute later at most, turns it off",
        options=ZONES,
        account=InAccount(
            kind=ActionKind.SWITCH_CHECK_ON, permissions=("ec2:ModifyInstanceAttribute",)
        ),
    ),
    Fault(
        name="tamper",
        happens="somebody deletes a default route (`elsewhere`: points it to an instance that is"
        " not of the group; `gateway`: to the internet gateway)",
        ends="the next sweep creates it again; one that leads to something foreign is told and left"
        " alone, unless failover.adopt is on",
        options=(*ZONES, "elsewhere", "gateway"),
        left_alone=("elsewhere", "gateway"),
        account=InAccount(
            kind=ActionKind.DELETE_DEFAULT_ROUTE,
            permissions=("ec2:DeleteRoute", "ec2:CreateRoute"),
        ),
    ),
    Fault(
        name="disassociate",
        happens="somebody takes a zone's private subnet out of its route table",
        ends="it is told at the next sweep; with swap-route-table the subnet is associated again,"
        " with replace-route a person must",
        options=ZONES,
        recovers=frozenset({Strategy.SWAP_ROUTE_TABLE.value}),
    ),
    Fault(
        name="delete-table",
        happens="somebody deletes a zone's private route table",
        ends="it is told, and the other zones are looked after; with swap-route-table another table"
        " takes its subnets, with replace-route a person must make one",
        options=ZONES,
        recovers=NEVER,
    ),
    Fault(
        name="standby",
        happens="somebody puts a NAT into standby, without another one in its place",
        ends="its table goes to the other NAT, and fails back when it is back in service",
        options=ZONES,
        seconds=300,
    ),
    Fault(
        name="protected",
        happens="somebody protects the NATs from scale-in",
        ends="as without; `--destroy` shows that the stack can be destroyed all the same",
        effect=Effect.CONDITION,
    ),
    Fault(
        name="lost-address",
        happens="a NAT loses its public address, and runs on",
        ends="its table goes to the other NAT within ten seconds, and fails back to another one",
        options=ZONES,
        seconds=300,
    ),
    Fault(
        name="lost-gateway",
        happens="somebody deletes the route to the internet gateway of a zone's public subnet",
        ends="the zone's table goes to the other NAT within ten seconds, and fails back when a"
        " person put the route back",
        options=ZONES,
        seconds=300,
    ),
    Fault(
        name="lost-key",
        happens="the key that encrypts volumes cannot be used, so that no launch succeeds",
        ends="as no-capacity; the group's activity has EC2's reason",
        effect=Effect.CONDITION,
        seconds=300,
    ),
    Fault(
        name="lost",
        happens="messages to the function are lost",
        ends="the look that is due every minute repairs",
        effect=Effect.CONDITION,
        seconds=180,
    ),
    Fault(
        name="doubled",
        happens="each message to the function comes twice",
        ends="as without: the second run finds nothing to do",
        effect=Effect.CONDITION,
        seconds=300,
    ),
    Fault(
        name="reordered",
        happens="messages to the function overtake each other",
        ends="as lost, or sooner: each run looks at what is, not at what a message says",
        effect=Effect.CONDITION,
        seconds=300,
    ),
    Fault(
        name="throttled",
        happens="others use up the account's API calls",
        ends="refused calls are made again; a look that fails leads to no write",
        effect=Effect.CONDITION,
        seconds=60,
    ),
    Fault(
        name="denied",
        happens="the function's role lacks the permission to write routes",
        ends="each write is refused and an alarm rings; the first look with the permission repairs",
        effect=Effect.CONDITION,
        seconds=180,
    ),
    Fault(
        name="slow-lambda",
        happens="the function's runs start ten times as slowly, cold and warm",
        ends="as terminate, later by the start",
        effect=Effect.CONDITION,
        seconds=300,
    ),
    Fault(
        name="during-deploy",
        happens="a stack update replaces the NATs when one of them dies",
        ends="the function repairs what the update or the death took; the update completes",
        effect=Effect.CONDITION,
        lead=30,
    ),
)


def written_options(fault: Fault) -> tuple[str, ...]:
    """Return what may follow a fault's name: ZONE for a zone's letter, and other words."""
    named = tuple(option for option in fault.options if option not in ZONES)
    return (("a zone's letter",) if set(ZONES) <= set(fault.options) else ()) + named
