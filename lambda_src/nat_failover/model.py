"""What the function sees and what it decides, as values.

Everything here is frozen and free of AWS, clocks and chance; time and messages enter as data. What
was observed (`Observation`) is a different type from what is wanted (`Plan`), and what is wanted is
a different type from what was done (`apply.Result`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

if TYPE_CHECKING:
    from nat_failover.actions import Planned
    from nat_failover.claims import Claims


class Health(StrEnum):
    """The one word that says whether a NAT may carry traffic."""

    USABLE = "usable"
    BOOTING = "booting"
    LEAVING = "leaving"
    SICK = "sick"
    GONE = "gone"


class InstanceState(StrEnum):
    """The instance states of the EC2 API, and `UNKNOWN` for one that EC2 does not describe."""

    PENDING = "pending"
    RUNNING = "running"
    STOPPING = "stopping"
    SHUTTING_DOWN = "shutting-down"
    STOPPED = "stopped"
    TERMINATED = "terminated"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Nat:
    """One NAT instance, as the EC2 and the Auto Scaling API describe it.

    `interface` is the id of the primary network interface, `lifecycle` the lifecycle state in the
    group. Either is None when the API does not say. `healthy` is the group's opinion.
    `source_dest_check` is that of the primary interface. `addressed` says whether EC2 shows a
    public address: an internet gateway forwards for nobody else (VPC user guide, "Enable internet
    access for a VPC using an internet gateway"), `routed` whether the routes of its subnet may lead
    to the internet. `address` is its private one, `launched` when EC2 launched it. `stable` says
    that it was launched to have an Elastic IP: one from before leaves with the address that it has.
    `profile` is the ARN of its instance profile, by which it may say something of itself.
    """

    instance: str
    interface: str | None
    zone: str
    state: InstanceState
    lifecycle: str | None
    healthy: bool = True
    source_dest_check: bool = False
    addressed: bool = True
    routed: bool = True
    address: str | None = None
    launched: float = 0.0
    stable: bool = False
    profile: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ElasticIp:
    """An Elastic IP of the set that the NATs have, by its allocation's id.

    `interface` and `address`, a private one, are what it is associated with; None if with nothing.
    """

    allocation: str
    interface: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Accusation:
    """A peer that a NAT does not hear, and since when, by the function's clock."""

    peer: str
    began: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The newest claim of a NAT: what it says of itself and of its peers.

    `received` is when the function received it, `ailment` what it says is wrong with itself,
    `silent` are the peers that it does not hear, `ill` those that say themselves that they are.
    `ring` is the version of the ring that it knows, `flows` how many it carries while it leaves.
    """

    instance: str
    received: float
    ailment: str | None = None
    silent: frozenset[Accusation] = frozenset()
    ill: frozenset[str] = frozenset()
    ring: int | None = None
    flows: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Peer:
    """A NAT as its peers know it; `state` is its health in a word."""

    instance: str
    address: str
    state: str


UNREADABLE = -1
"""The version of a ring that is none: whatever there is, it is written over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """The NATs that know each other, in the order of their ids, as it was written last.

    A ring that was never written has version 0 and no members.
    """

    members: tuple[Peer, ...] = ()
    version: int = 0
    written: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class NatHistory:
    """How a NAT fared: since when it is usable, and when it turned sick in the last hour.

    `stable_since` says since when it is seen with an Elastic IP of the set.
    """

    instance: str
    usable_since: float | None = None
    stable_since: float | None = None
    sick: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class DefaultRoute:
    """The 0.0.0.0/0 route of a table.

    An instance target shows as `interface` and `instance`, either of which may vanish after its
    death; `other` is any other kind of target (a NAT gateway, say). `dynamic` routes were not
    written into the table but propagated or advertised to it; a written one wins over them.
    """

    interface: str | None = None
    instance: str | None = None
    other: str | None = None
    blackhole: bool = False
    dynamic: bool = False

    def __str__(self) -> str:
        """Return the target as a person would name it."""
        return self.instance or self.interface or self.other or "a target without a name"


BLACKHOLE = "blackhole"
"""The target of a route that leads nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Association:
    """A subnet's association with a table."""

    id: str
    subnet: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A route table: its home zone, the subnets at home in it, and what was observed.

    `associations` are the subnets that use it now; `other_routes` are all routes but the default
    route and the local ones, as (destination, target), where what leads nowhere is BLACKHOLE.
    `zone` names several where the subnets of an existing network are in several.
    `exists` is False of a private table that EC2 does not describe. `main` is the table of every
    subnet that has no association. A table that is not the stack's has no zone and no subnet at
    home.
    """

    id: str
    zone: str
    home_subnets: frozenset[str]
    route: DefaultRoute | None
    associations: frozenset[Association] = frozenset()
    other_routes: frozenset[tuple[str, str]] = frozenset()
    exists: bool = True
    main: bool = False

    @property
    def has_written_route(self) -> bool:
        """Whether a default route was written into it, which ReplaceRoute can replace."""
        return self.route is not None and not self.route.dynamic


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Subnet:
    """A private subnet of the stack, which is what must be served, and the table that it uses now.

    `home` is its home table. `association` is None where it has none, so that `table` is the VPC's
    main one.
    """

    id: str
    zone: str
    home: str
    table: str
    association: str | None


PROPAGATED = "propagated"
"""What a table led to that had no written default route, but a propagated or advertised one."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Takeover:
    """What is remembered of a table whose default route was not ours.

    `target` is the id of what it led to, or PROPAGATED, `times` how often it was taken over from
    there since the last deployment, and `done` that a NAT was seen to serve it since. `written` is
    the time of the observation for which it was written.
    """

    table: str
    target: str
    times: int
    done: bool
    written: float


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Gateway:
    """A NAT gateway of the VPC and its state (EC2 API reference, data type NatGateway).

    `routed` says whether a route leads from its subnet to the internet; a regional one is in none.
    """

    id: str
    state: str
    routed: bool = True

    @property
    def serves(self) -> bool:
        """Whether hosts that are led to it may reach the internet."""
        return self.state == "available" and self.routed


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Standby:
    """What is remembered of a table that the function led to the standby gateway.

    `written` is the time of the observation for which it was written.
    """

    table: str
    gateway: str
    written: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Everything that a plan is made of: one complete view of AWS, and what is known beside it.

    `tables` are the private tables of the stack, `foreign` those others that its `subnets` use.
    `leaving` are the ids of instances that messages say are leaving, whatever EC2 still says; `now`
    is the time of the reads in seconds since 1970, `zones` are those in which the group launches,
    so that tables of other zones have no home; `memory_readable` says whether it is known what
    other runs remembered. `claims` are the newest of each NAT, none if they could not be read, and
    `ring` is None if that could not be. `history` says how the NATs fared, `replaced` when the
    group was last told that one is unhealthy. `desired` is the group's size as it is wanted,
    `deleting` says that the group is being deleted. `elastic_ips` is the set that the NATs have,
    empty if they keep the addresses of their launch, None if it could not be read. `refused` are
    the targets that AWS refused in this run: a NAT to a table, a table to a subnet, or an Elastic
    IP to a NAT, by their ids; `gone` those that AWS says do not exist; `held` are the instances
    whose termination it has prolonged, `led` the tables that it has led to a gateway, with that.
    `takeovers` are remembered of tables that were not ours, `standbys` of those on the standby
    gateway, None if that is not known; `gateways` are the NAT gateways of the VPC, None if they
    were not asked for or could not be read. `quiet_since` is since when runs have seen that NATs
    say nothing, None if they do. `ending` says that the stack is being deleted, so that what was
    taken over is given back.
    """

    nats: frozenset[Nat]
    tables: frozenset[Table]
    subnets: frozenset[Subnet] = frozenset()
    foreign: frozenset[Table] = frozenset()
    leaving: frozenset[str] = frozenset()
    now: float = 0.0
    zones: frozenset[str] = frozenset()
    memory_readable: bool = True
    claims: frozenset[Claim] = frozenset()
    ring: Ring | None = None
    history: frozenset[NatHistory] = frozenset()
    replaced: float | None = None
    desired: int = 1
    deleting: bool = False
    elastic_ips: frozenset[ElasticIp] | None = frozenset()
    refused: frozenset[tuple[str, str]] = frozenset()
    gone: frozenset[str] = frozenset()
    led: frozenset[tuple[str, str]] = frozenset()
    held: frozenset[str] = frozenset()
    takeovers: frozenset[Takeover] | None = frozenset()
    standbys: frozenset[Standby] | None = frozenset()
    gateways: frozenset[Gateway] | None = None
    ending: bool = False
    quiet_since: float | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """A NAT's health with the reason in words; `by_claims` if only NATs say that it is sick."""

    nat: Nat
    health: Health
    reason: str
    by_claims: bool = False


def judge(nat: Nat, observation: Observation, claims: Claims) -> Judgement:
    """Say whether a NAT may carry traffic, and why; all that was observed may speak for it or not.

    The first answer holds of: what the EC2 API says of the instance, what the group says of its
    life cycle, what messages say, what the group says of its health, what the instance needs to
    forward packets, and what the NATs say of each other.
    """
    match nat.state:
        case InstanceState.PENDING:
            return Judgement(nat, Health.BOOTING, "EC2 is starting it")
        case InstanceState.STOPPING | InstanceState.SHUTTING_DOWN:
            return Judgement(nat, Health.LEAVING, f"EC2 says {nat.state}")
        case InstanceState.STOPPED | InstanceState.TERMINATED:
            return Judgement(nat, Health.GONE, f"EC2 says {nat.state}")
        case InstanceState.UNKNOWN:
            return Judgement(nat, Health.GONE, "EC2 describes no such member in this VPC")
        case InstanceState.RUNNING:
            return _judge_running(nat, observation, claims.sickness(nat.instance))
        case _ as never:
            assert_never(never)


def _judge_running(nat: Nat, observation: Observation, sickness: str | None) -> Judgement:
    group = nat.lifecycle
    rows = (
        (group is None, Health.GONE, "it runs, but the group does not list it"),
        ((group or "").startswith(_BOOTING), Health.BOOTING, f"the group says {group}"),
        (group != "InService", Health.LEAVING, f"the group says {group}"),
        (nat.instance in observation.leaving, Health.LEAVING, "a message says that it is leaving"),
        (not nat.healthy, Health.SICK, "the group says Unhealthy"),
        (nat.interface is None, Health.SICK, "it has no network interface"),
        (not nat.addressed, Health.SICK, "it has no public address"),
        (not nat.routed, Health.SICK, "no route leads from its subnet to the internet"),
        (nat.source_dest_check, Health.SICK, "its source/destination check is on"),
        (True, Health.USABLE, "it runs, is in service and may forward"),
    )
    said = next(Judgement(nat, health, reason) for holds, health, reason in rows if holds)
    if said.health is Health.USABLE and sickness:
        return Judgement(nat, Health.SICK, sickness, by_claims=True)
    return said


_BOOTING = ("Pending", "Warmed")
"""How the life cycle states before InService begin (EC2 Auto Scaling user guide, life cycle)."""

_BY_PLAN = frozenset({"EnteringStandby", "Standby", "Terminating", "Terminating:Wait"})
"""The life cycle states in which an instance leaves and still runs: a hook holds its end."""


def leaves_by_plan(nat: Nat, observation: Observation, claims: Claims) -> bool:
    """Say whether a NAT that leaves would be usable otherwise, so that it still serves."""
    if nat.lifecycle not in _BY_PLAN or nat.instance in observation.leaving:
        return False
    in_service = replace(nat, lifecycle="InService")
    return judge(in_service, observation, claims).health is Health.USABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the stack's settings let a plan do.

    `swap`: move subnets between tables rather than routes between NATs. `failback`: fail back
    without a person's help. `adopt`: take over default routes that point to something that is
    not ours, of all tables or of these. `deployed`: a person has just deployed, which resets
    conflicts. `settle`: fail back only to a NAT that has been usable for a while. `watch`: the
    NATs watch each other and hand flows over. `group` is the name of the Auto Scaling group,
    whose lifecycle actions are completed. `releases`: the tables outlive the stack. `standby` is
    the id of the NAT gateway that serves while no NAT is usable. `prolongs`: this run is one of
    those, a minute apart, that let the time of a drain begin anew.
    """

    swap: bool = False
    failback: bool = True
    adopt: bool | frozenset[str] = False
    settle: bool = True
    watch: bool = False
    group: str = ""
    deployed: bool = False
    releases: bool = False
    standby: str | None = None
    prolongs: bool = False

    def adopts(self, table: str) -> bool:
        """Say whether a table may be taken over, or a subnet at home in it be taken back."""
        return self.adopt if isinstance(self.adopt, bool) else table in self.adopt


class Verdict(StrEnum):
    """What the plan says of one route table, or of a subnet that does not use its home table."""

    KEEP = "keep"
    WAIT = "wait"
    STANDBY = "on standby"
    FAIL_BACK = "fail back"
    REPAIR_AT_HOME = "repair at home"
    REPAIR_ELSEWHERE = "repair elsewhere"
    EVACUATE = "evacuate"
    TO_STANDBY = "to the standby gateway"
    NO_EGRESS = "no egress"
    GIVE_BACK = "give back"
    RELEASE = "release"
    LEFT = "left"
    NOT_OURS = "not ours"
    CONFLICT = "conflict"
    MISSING = "missing"
    AWAY = "away"


ROUTE_VERDICTS = frozenset({Verdict.FAIL_BACK, Verdict.REPAIR_AT_HOME, Verdict.REPAIR_ELSEWHERE})
"""The verdicts that are carried out by writing the table's default route."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Decision:
    """The verdict on one table with the reason in words; `nat` is the instance that shall serve."""

    table: str
    zone: str
    verdict: Verdict
    reason: str
    nat: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class SubnetDecision:
    """The verdict on one private subnet that does not use its home table, with the reason in words.

    `table` is the one that it uses now, `egress` whether it gets out by it, `destination` the table
    that it shall use instead.
    """

    subnet: str
    zone: str
    table: str
    verdict: Verdict
    reason: str
    egress: bool
    destination: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is wanted: a decision for each table, and the writes that carry the decisions out.

    `health` is what the plan takes each NAT for, so that nobody has to judge again. `subnets` has a
    decision for each private subnet that does not use its home table, `without_egress` are the ids
    of all that had no working way out when they were seen. `due` is when to observe again, by
    `Observation.now`, because an accusation will count soon; `waits_until` is when moves will be
    made that wait for the NATs to know the ring, if they do not say so before. `history` is what to
    remember of the NATs, `broken_links` are pairs of NATs that do not hear each other.
    `unstable` says of which usable NATs the address is not the stable one yet, and why; `settles`
    that it will be in a moment. `standby_lost` says in words why the standby gateway could not
    serve. A plan without actions is the statement that nothing is left to do.
    """

    health: tuple[Judgement, ...]
    decisions: tuple[Decision, ...]
    subnets: tuple[SubnetDecision, ...]
    without_egress: tuple[str, ...]
    actions: tuple[Planned, ...]
    due: float | None = None
    waits_until: float | None = None
    history: frozenset[NatHistory] = frozenset()
    broken_links: tuple[tuple[str, str], ...] = ()
    unstable: tuple[tuple[str, str], ...] = ()
    settles: bool = False
    standby_lost: str | None = None
