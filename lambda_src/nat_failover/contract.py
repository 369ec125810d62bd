"""The contract of constructs and function: names that both use, and the function's environment.

It is all of the function that constructs import. They write the environment (`to_env`), the
function reads it (`from_env`), and nothing else in the package reads environment variables.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FLEET_TAG = "nat-failover:stack"
"""Tag key of NATs, their group, private subnets and tables; the value is `Settings.stack`."""

SWEEP_SOURCE = "nat-failover.sweep"
"""`source` of the event that the schedule sends every minute."""

DRAIN_HOOK = "drain"
"""Name of the group's lifecycle hook that holds a termination while the NAT drains."""

LAUNCH_VARIABLE = "NAT_LAUNCH"
"""The variable of `Settings.launch`, which is known when everything else about the function is."""

STANDBY_VARIABLE = "NAT_STANDBY_GATEWAY"
"""The variable of `Settings.standby_gateway`."""

CLAIM_MARK = "Claim"
"""Field that marks a message of the failover topic as a claim; its value is `CLAIM_FORMAT`."""

CLAIM_FORMAT = 1

MEMORY_KEY = "key"
"""Partition key, a string, of the table that keeps what must outlive a run."""

MEMORY_REPLACED = "replaced"
"""Attribute of the claims' item: when the group was last told that a NAT is unhealthy."""


MEMORY_ENDING = "ending"
"""Attribute of the takeovers' item: whether the stack is being deleted."""

MEMORY_STANDBYS = "standbys"
"""Attribute of the takeovers' item, a set: the tables that the function led to the standby
gateway."""


class Item(StrEnum):
    """The values of the partition key: the table has no other items."""

    INCIDENTS = "incidents"
    """What was notified, and how the NATs fared; the function's alone."""
    CLAIMS = "claims"
    """The newest claim of each NAT; the function's alone."""
    PEERS = "peers"
    """The ring of NATs, which the function writes and the watch on each NAT reads."""
    TAKEOVERS = "takeovers"
    """What tables led to before they were taken over, an attribute for each; the function's."""


MEMORY_EXPIRES = "expires"
"""Attribute of its items after which DynamoDB deletes them: seconds since 1970 (time to live)."""

METRIC_NAMESPACE = "NatFailover"
"""CloudWatch namespace of the function's metrics; their one dimension is `Stack`."""


class Metric(StrEnum):
    """The function's metrics, each a count, as CloudWatch knows them."""

    USABLE_NATS = "UsableNats"
    """NATs that may carry traffic."""
    NO_EGRESS = "NoEgress"
    """Private subnets without a working way out."""
    NOT_OURS = "NotOurs"
    """Tables and subnets that lead elsewhere, and tables that are missing."""
    REDUNDANCY_LOST = "RedundancyLost"
    """1 while one more loss would be the last, for longer than a replacement takes."""
    MOVES = "Moves"
    """Tables that came to use another NAT."""
    FAILURES = "Failures"
    """1 for a run that could not finish."""


METRICS = tuple(Metric)
"""All of them; those of the network are missing from a run that did not see it."""


class SettingsError(ValueError):
    """The environment cannot be used; the message has one line for each mistake."""


class Resource(StrEnum):
    """The types of the custom resources through which CloudFormation talks to the function."""

    DEFAULT_ROUTES = "Custom::DefaultRoutes"
    NETWORK = "Custom::Network"
    PRIVATE_ASSOCIATIONS = "Custom::PrivateAssociations"


class Strategy(StrEnum):
    """How a private subnet is moved to another NAT."""

    REPLACE_ROUTE = "replace-route"
    SWAP_ROUTE_TABLE = "swap-route-table"


class Failback(StrEnum):
    """Whether subnets fail back by themselves when their own zone's NAT is usable again."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class HomeTable:
    """A private route table of the stack: its zone, and the subnets whose home it is.

    Of a table that was there before the stack neither is known: they are empty, and observed.
    """

    id: str
    zone: str = ""
    subnets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that the function is given at deployment.

    `stack` is what metrics, tags and messages call it: the stack's name, and behind a hyphen where
    in the stack the construct is; `stack_id` is the stack's ARN, `group` the name of the Auto
    Scaling group, `wanted` how many NATs it has when nothing is wrong, `memory` the name of the
    DynamoDB table that keeps what must outlive a run, and `watch` says whether the NATs watch each
    other. `adopt` says whether foreign routes are taken over, of all tables or of these.
    `elastic_ips` are the allocations of the addresses that the NATs have, none if they keep
    those of their launch, and `launch` is the id of the launch template, or the name of the launch
    configuration, by which the group launches the NATs that have them. `standby_gateway` is the id
    of the NAT gateway that serves while no NAT is usable, None where there is none.
    """

    stack: str
    stack_id: str
    vpc: str
    group: str
    wanted: int
    memory: str
    tables: tuple[HomeTable, ...]
    outcome_topic: str
    strategy: Strategy = Strategy.REPLACE_ROUTE
    failback: Failback = Failback.AUTOMATIC
    adopt: bool | tuple[str, ...] = False
    watch: bool = True
    elastic_ips: tuple[str, ...] = ()
    launch: str = ""
    standby_gateway: str | None = None

    @property
    def observes_subnets(self) -> bool:
        """Whether it takes an observation to know which subnets a table serves, and where."""
        return not all(table.zone for table in self.tables)

    def to_env(self) -> dict[str, str]:
        """Return the environment variables from which `from_env` makes an equal value."""
        tables = [
            {"id": table.id, "zone": table.zone, "subnets": list(table.subnets)}
            for table in self.tables
        ]
        stable = {"NAT_ELASTIC_IPS": ",".join(self.elastic_ips), LAUNCH_VARIABLE: self.launch}
        return {
            "NAT_STACK": self.stack,
            "NAT_STACK_ID": self.stack_id,
            "NAT_VPC": self.vpc,
            "NAT_GROUP": self.group,
            "NAT_WANTED": str(self.wanted),
            "NAT_MEMORY": self.memory,
            "NAT_TABLES": json.dumps(tables, separators=(",", ":")),
            "NAT_OUTCOME_TOPIC": self.outcome_topic,
            "NAT_STRATEGY": self.strategy.value,
            "NAT_FAILBACK": self.failback.value,
            "NAT_ADOPT": json.dumps(self.adopt),
            "NAT_WATCH": json.dumps(self.watch),
            **(stable if self.elastic_ips else {}),
            **({STANDBY_VARIABLE: self.standby_gateway} if self.standby_gateway else {}),
        }

    @property
    def minds_gateways(self) -> bool:
        """Whether tables may come to the NATs from NAT gateways, or go to one: then these are read.

        And what is remembered of the tables.
        """
        return self.adopt is not False or self.standby_gateway is not None

    @property
    def gives_back(self) -> bool:
        """Whether tables outlive the stack, so that its deletion leaves them as they were."""
        return self.adopt is not False or self.observes_subnets

    @property
    def listed(self) -> tuple[str, ...]:
        """The tables that alone may be taken over, none if all or no ones may."""
        return self.adopt if isinstance(self.adopt, tuple) else ()

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> Settings:
        """Read the variables that `to_env` writes.

        Raises:
            SettingsError: naming each variable that is wrong, its value and what is allowed.

        """
        values: dict[str, Any] = {}
        mistakes: list[str] = []
        for variable, (field, allowed, read) in _VARIABLES.items():
            given = environment.get(variable)
            try:
                values[field] = read(given or "")
            except (ValueError, KeyError, TypeError, AttributeError):
                shown = "not set" if given is None else f"{given!r}"
                mistakes.append(f"environment variable {variable} is {shown}; allowed: {allowed}")
        if mistakes:
            mistakes.append("deploy the stack again: it writes these variables")
            raise SettingsError("\n".join(mistakes))
        return cls(**values)


def s3_endpoint(environment: Mapping[str, str]) -> str | None:
    """Return the address of another S3 than AWS's, if the environment names one.

    The variables are those of every SDK (AWS SDKs and Tools reference guide, "Service-specific
    endpoints"); Lambda sets neither.
    """
    return environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL") or None


def _name(text: str) -> str:
    if not text:
        raise ValueError(text)
    return text


def _bool(text: str) -> bool:
    return {"true": True, "false": False}[text]


def _adopt(text: str) -> bool | tuple[str, ...]:
    value = json.loads(text)
    if isinstance(value, list):
        return tuple(_identifier(table, "rtb-") for table in value)
    return _bool(text)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise ValueError(text)
    return int(text)


def _arn(text: str) -> str:
    if not text.startswith("arn:"):
        raise ValueError(text)
    return text


def _elastic_ips(text: str) -> tuple[str, ...]:
    ids = tuple(_identifier(each, "eipalloc-") for each in text.split(",") if text)
    if len(set(ids)) < len(ids):
        raise ValueError(text)
    return ids


def _standby_gateway(text: str) -> str | None:
    return _identifier(text, "nat-") if text else None


def _tables(text: str) -> tuple[HomeTable, ...]:
    tables = tuple(
        HomeTable(
            id=_identifier(row["id"], "rtb-"),
            zone=str(row["zone"]),
            subnets=tuple(_identifier(subnet, "subnet-") for subnet in row["subnets"]),
        )
        for row in json.loads(text)
    )
    ids = [table.id for table in tables]
    subnets = [subnet for table in tables for subnet in table.subnets]
    if not tables or len(set(ids)) < len(ids) or len(set(subnets)) < len(subnets):
        raise ValueError(text)
    return tables


def _identifier(text: str, prefix: str) -> str:
    if not text.startswith(prefix):
        raise ValueError(text)
    return text


_VARIABLES: dict[str, tuple[str, str, Callable[[str], object]]] = {
    "NAT_STACK": ("stack", "the name of the stack", _name),
    "NAT_STACK_ID": ("stack_id", "the ARN of the stack", _arn),
    "NAT_VPC": ("vpc", "the id of a VPC", partial(_identifier, prefix="vpc-")),
    "NAT_GROUP": ("group", "the name of the Auto Scaling group", _name),
    "NAT_WANTED": ("wanted", "a number of NATs, 1 or more", _count),
    "NAT_MEMORY": ("memory", "the name of a DynamoDB table", _name),
    "NAT_TABLES": (
        "tables",
        (
            'a JSON list such as [{"id":"rtb-…","zone":"eu-west-1a","subnets":["subnet-…"]}] of one'
            " table or more, each table and each subnet once; without zone and subnets they are"
            " observed"
        ),
        _tables,
    ),
    "NAT_OUTCOME_TOPIC": ("outcome_topic", "the ARN of an SNS topic", _arn),
    "NAT_STRATEGY": ("strategy", " or ".join(Strategy), Strategy),
    "NAT_FAILBACK": ("failback", " or ".join(Failback), Failback),
    "NAT_ADOPT": ("adopt", 'true, false, or a JSON list such as ["rtb-…"]', _adopt),
    "NAT_WATCH": ("watch", "true or false", _bool),
    "NAT_ELASTIC_IPS": (
        "elastic_ips",
        "ids of allocations with commas between them, such as eipalloc-…, each once, or nothing",
        _elastic_ips,
    ),
    LAUNCH_VARIABLE: ("launch", "the id of a launch template or a name, or nothing", str),
    STANDBY_VARIABLE: ("standby_gateway", "the id of a NAT gateway, or nothing", _standby_gateway),
}
