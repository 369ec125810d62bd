"""What a person may decide about the stack: every setting, its default, and what is allowed.

The settings are the context key `nat` of cdk.json; `app.py` hands its value to `read_settings`, and
nothing else reads context. A field's description says what is allowed: mistakes quote it. A rule
about two settings is in `read_settings`.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network
from itertools import combinations
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, EmailStr, Field

from aws_constraints.cloudformation import STACK_NAME
from aws_constraints.ec2 import AMI, INSTANCE_TYPE
from aws_constraints.regions import EDGE_ZONE, REGION, ZONE
from cdk_nat_failover.network.address_plan import LETTERS, SMALLEST_SUBNET, letter_of
from nat_failover.contract import Failback, Strategy

Architecture = Literal["arm64", "x86_64"]

ZONES = 2
"""Availability Zones of a stack whose settings name none."""

# "VPC CIDR blocks", VPC user guide: a VPC, and a subnet, has between 16 and 65,536 addresses.
LARGEST_VPC = 16

# "IPv4 CIDR blocks per VPC", Amazon VPC quotas: five unless AWS grants more.
MOST_CIDRS = 5

# Ranges whose addresses never leave a host or never reach one (RFC 6890, RFC 5771).
NOT_FOR_HOSTS = tuple(
    map(IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4"))
)

# "Preferred name syntax", RFC 1123 section 2.1, with two labels or more, the last one not beginning
# with a digit: some resolvers take 0x7f.0x1 for an address.
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_NAME = re.compile(rf"({_LABEL}\.)+(?!\d){_LABEL}")
LONGEST_NAME = 253

MOST_TARGETS = 4
"""Targets of a self-test: each may take seconds, and the boot is limited."""

# RFC 6761, RFC 6762; "internal" is reserved by ICANN, and EC2 names instances in it.
_NOT_PUBLIC = ("localhost", "localdomain", "local", "internal", "invalid", "test")

MOST_EMAILS = 100
"""Ours: each is a resource of a template that may have 500, and a mailing list reaches more."""

MOST_NATS = 100
"""Ours: more serve no purpose here, and a slip of the key is a mistake."""

# RetentionInDays of PutRetentionPolicy, CloudWatch Logs API reference.
RetentionDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365,
    400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
]  # fmt: skip


def _network(value: object) -> object:
    """Return the value; raise where `IPv4Network` would complain in the language of sockets."""
    try:
        network = IPv4Network(value if isinstance(value, str) else "", strict=False)
    except ValueError:
        message = "it is not an IPv4 network"
        raise ValueError(message) from None
    if str(network.network_address) != str(value).partition("/")[0]:
        message = f"it has bits set after the prefix: write {network}"
        raise ValueError(message)
    if "/" in str(value) and value != str(network):
        message = f"its prefix is no plain number: write {network}"
        raise ValueError(message)
    return value


def _for_hosts(network: IPv4Network) -> IPv4Network:
    if not LARGEST_VPC <= network.prefixlen <= SMALLEST_SUBNET:
        message = f"a VPC is between /{LARGEST_VPC} and /{SMALLEST_SUBNET}"
        raise ValueError(message)
    for reserved in NOT_FOR_HOSTS:
        if network.overlaps(reserved):
            message = f"it overlaps {reserved}, whose addresses hosts cannot have"
            raise ValueError(message)
    return network


def _each_once(items: tuple[str, ...]) -> tuple[str, ...]:
    seen = [item.casefold() for item in items]
    for item in items:
        if seen.count(item.casefold()) > 1:
            message = f"{item!r} is there twice: name each once"
            raise ValueError(message)
    return items


def _two_or_more(items: tuple[str, ...]) -> tuple[str, ...]:
    if len(items) < ZONES:
        message = "the NATs of one zone cannot stand in for each other when the zone fails"
        raise ValueError(message)
    return items


def _apart(networks: tuple[IPv4Network, ...]) -> tuple[IPv4Network, ...]:
    for one, other in combinations(networks, 2):
        if one.overlaps(other):
            message = f"{one} and {other} overlap: name networks without a common address"
            raise ValueError(message)
    return networks


def _not_at_the_edge(zone: str) -> str:
    """Return the zone; raise where NAT instances would have other addresses and other types."""
    if re.fullmatch(EDGE_ZONE, zone):
        message = "it is a Local Zone or a Wavelength Zone: name Availability Zones of its Region"
        raise ValueError(message)
    if not re.fullmatch(ZONE, zone):
        message = "it is not the name of an Availability Zone"
        raise ValueError(message)
    return zone


def _whole(value: object) -> object:
    """Return the value; raise where a number is written as another kind, which a choice takes."""
    if not isinstance(value, int) or isinstance(value, bool):
        message = "it is not a whole number"
        raise ValueError(message)  # noqa: TRY004 - pydantic takes no TypeError
    return value


def _topic_takes(address: str) -> str:
    """Return the e-mail address; raise where the subscription of it would be refused."""
    if not address.isascii():
        message = f"{address} has letters that e-mail systems do not all take: use ASCII"
        raise ValueError(message)
    if "/" in address:
        message = f"{address} has a slash, which stands for two hyphens in the template"
        raise ValueError(message)
    return address


def as_address(target: str) -> IPv4Address | None:
    """Return the address that a target is; None if it is a name."""
    try:
        return IPv4Address(target)
    except ValueError:
        return None


def _on_the_internet(target: str) -> str:
    """Return the target; raise where a connection to it would prove nothing, or cannot be made."""
    address = as_address(target)
    if address is None:
        if not _NAME.fullmatch(target) or len(target) > LONGEST_NAME:
            message = f"{target!r} is neither an IPv4 address nor a host name"
            raise ValueError(message)
        if target.casefold().endswith(tuple(f".{name}" for name in _NOT_PUBLIC)):
            message = f"{target!r} is not the name of a host on the internet"
            raise ValueError(message)
        return target
    if not address.is_global or address.is_multicast:
        message = f"{target} is not an address of a host on the internet"
        raise ValueError(message)
    return target


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class NetworkSettings(_Section):
    """The VPC."""

    cidr: Annotated[IPv4Network, BeforeValidator(_network), AfterValidator(_for_hosts)] = Field(
        default=IPv4Network("10.0.0.0/16"),
        description="an IPv4 network from /16 to /25 that hosts can use, such as '10.0.0.0/16'",
    )
    additional_cidrs: Annotated[
        tuple[Annotated[IPv4Network, BeforeValidator(_network), AfterValidator(_for_hosts)], ...],
        Field(max_length=MOST_CIDRS - 1),
        AfterValidator(_apart),
    ] = Field(
        default=(),
        description=f"a list of up to {MOST_CIDRS - 1} more networks of the VPC whose hosts may use"
        " the NATs, such as ['100.64.0.0/16']",
    )
    zones: (
        Annotated[
            tuple[Annotated[str, AfterValidator(_not_at_the_edge)], ...],
            AfterValidator(_each_once),
            AfterValidator(_two_or_more),
        ]
        | None
    ) = Field(
        default=None,
        description="null for the first two of the Region, or a list of two or more Availability"
        " Zones of one Region, each once, such as ['eu-west-1a', 'eu-west-1b']",
    )

    @property
    def zone_count(self) -> int:
        """How many Availability Zones the VPC spans."""
        return len(self.zones) if self.zones else ZONES

    @property
    def letters(self) -> str:
        """The letters of the Availability Zones; those that are not named stand for a and b."""
        return "".join(map(letter_of, self.zones)) if self.zones else LETTERS[:ZONES]


class AmiSettings(_Section):
    """An image of one's own, made from Amazon Linux 2023: the boot script knows no other."""

    id: str = Field(
        pattern=rf"^{AMI.pattern}$",
        description="the id of an image of Amazon Linux 2023, such as 'ami-0123456789abcdef0'",
    )
    architecture: Architecture = Field(description="'arm64' or 'x86_64'")


class FleetSettings(_Section):
    """The NAT instances and their group."""

    launch: Literal["template", "configuration"] = Field(
        default="template",
        description="'template', or 'configuration' where the account may still create one",
    )
    instance_type: str = Field(
        default="t4g.nano",
        pattern=rf"^{INSTANCE_TYPE.pattern}$",
        max_length=INSTANCE_TYPE.longest,
        description="an EC2 instance type, such as 't4g.nano'",
    )
    image: str = Field(
        # The kernel line is pinned: the parameters of `kernel-default` move to another line, and
        # every NAT with them (Amazon Linux 2023 release notes).
        default="/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.12-arm64",
        pattern=r"^/aws/service/ami-amazon-linux-latest/al2023-ami-(minimal-)?"
        r"kernel-(default|[0-9]+\.[0-9]+)-(arm64|x86_64)$",
        description="a public parameter of Amazon Linux 2023, such as"
        " '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.12-arm64'",
    )
    ami: AmiSettings | None = Field(
        default=None,
        description="null for the image, or an image of one's own, such as"
        " {'id': 'ami-0123456789abcdef0', 'architecture': 'arm64'}",
    )
    min: int = Field(default=1, ge=1, description="a number of instances, 1 or more")
    max: int = Field(
        default=2,
        ge=2,
        le=MOST_NATS,
        description=f"a number of instances, from 2 (one NAT cannot fail over) to {MOST_NATS}, and"
        " not less than there are zones",
    )
    desired: int = Field(default=2, ge=1, description="a number of instances, from min to max")
    self_test: Annotated[
        tuple[Annotated[str, AfterValidator(_on_the_internet)], ...],
        Field(min_length=1, max_length=MOST_TARGETS),
        AfterValidator(_each_once),
    ] = Field(
        default=("checkip.amazonaws.com", "www.amazon.com", "1.1.1.1", "8.8.8.8"),
        description=f"a list of 1 to {MOST_TARGETS} IPv4 addresses or host names that take"
        " connections at port 443, any one of which proves that a NAT forwards, such as"
        " ['checkip.amazonaws.com', '1.1.1.1']",
    )
    session_manager: bool = Field(default=False, description="true or false")

    @property
    def architecture(self) -> Architecture:
        """The architecture of the image that the instances boot."""
        if self.ami:
            return self.ami.architecture
        return "arm64" if self.image.endswith("-arm64") else "x86_64"

    @property
    def instance_architecture(self) -> Architecture:
        """The architecture of the instance type, by its name.

        Graviton families have a `g` among the letters after their generation, or are `a1`
        ("Instance type naming conventions", EC2 instance types guide).
        """
        family = self.instance_type.partition(".")[0]
        after_generation = re.sub(r"^[a-z-]+\d+", "", family)
        return "arm64" if "g" in after_generation or family == "a1" else "x86_64"


class TopicSettings(_Section):
    """The topics."""

    customer_key: bool = Field(default=False, description="true or false")


class FailoverSettings(_Section):
    """What the function does."""

    strategy: Strategy = Field(
        default=Strategy.REPLACE_ROUTE, description="'replace-route' or 'swap-route-table'"
    )
    failback: Failback = Field(default=Failback.AUTOMATIC, description="'automatic' or 'manual'")
    adopt: bool = Field(default=False, description="true or false")


class AlertSettings(_Section):
    """Who is told."""

    emails: Annotated[
        tuple[Annotated[EmailStr, AfterValidator(_topic_takes)], ...],
        Field(max_length=MOST_EMAILS),
        AfterValidator(_each_once),
    ] = Field(
        default=(),
        description=f"a list of up to {MOST_EMAILS} e-mail addresses without a slash, each once",
    )


class LogSettings(_Section):
    """How long logs are kept."""

    retention_days: Annotated[RetentionDays, BeforeValidator(_whole)] = Field(
        default=30,
        description="a number of days that CloudWatch Logs knows: "
        + ", ".join(map(str, get_args(RetentionDays))),
    )


class AppSettings(_Section):
    """Everything that can be decided about the stack."""

    name: str = Field(
        default="NatFailover",
        pattern=rf"^{STACK_NAME.pattern}$",
        max_length=STACK_NAME.longest,
        description="a stack name: a letter, then up to 127 letters, digits and hyphens",
    )
    account: Annotated[str, Field(pattern=r"^[0-9]{12}$")] | None = Field(
        default=None, description="null for the account deployed to, or 12 digits in quotes"
    )
    region: Annotated[str, Field(pattern=rf"^{REGION}$")] | None = Field(
        default=None, description="null for the Region deployed to, or a Region such as 'eu-west-1'"
    )
    network: NetworkSettings = NetworkSettings()
    fleet: FleetSettings = FleetSettings()
    topic: TopicSettings = TopicSettings()
    failover: FailoverSettings = FailoverSettings()
    alerts: AlertSettings = AlertSettings()
    logs: LogSettings = LogSettings()
