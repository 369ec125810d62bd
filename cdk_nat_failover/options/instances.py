"""The options of the NAT instances and their group."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from aws_constraints.ec2 import AMI, INSTANCE_TYPE
from cdk_nat_failover.options.section import Section, setting
from cdk_nat_failover.options.validators import each_once

Architecture = Literal["arm64", "x86_64"]

# "Preferred name syntax", RFC 1123 section 2.1, with two labels or more, the last one not beginning
# with a digit: some resolvers take 0x7f.0x1 for an address.
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_NAME = re.compile(rf"({_LABEL}\.)+(?!\d){_LABEL}")
LONGEST_NAME = 253

MOST_TARGETS = 4
"""Targets of a self-test: each may take seconds, and the boot is limited."""

# RFC 6761, RFC 6762; "internal" is reserved by ICANN, and EC2 names instances in it.
_NOT_PUBLIC = ("localhost", "localdomain", "local", "internal", "invalid", "test")

LEAST_MAX = 2
"""The least size that a group may grow to, also of one NAT: an update launches before it ends.

CloudFormation refuses an update policy whose MinInstancesInService is not less than the group's
MaxSize ("UpdatePolicy attribute", CloudFormation user guide)."""

MOST_NATS = 100
"""Ours: more serve no purpose here, and a slip of the key is a mistake."""


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


class AmiOptions(Section):
    """An image of one's own, made from Amazon Linux 2023: the boot script knows no other."""

    id: str = setting(
        pattern=rf"^{AMI.pattern}$",
        decides="which image",
        allowed="the id of an image of Amazon Linux 2023, such as 'ami-0123456789abcdef0'",
    )
    architecture: Architecture = setting(
        decides="what the image runs on", allowed="'arm64' or 'x86_64'"
    )


KERNEL = "6.12"
"""The kernel line of the public images.

It is pinned: the parameters of `kernel-default` move to another line, and every NAT with them
(Amazon Linux 2023 release notes)."""

_IMAGES = "/aws/service/ami-amazon-linux-latest/al2023-ami-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many instances the group has: at least, at most, and when nothing is wrong."""

    min: int
    max: int
    desired: int


class InstanceOptions(Section):
    """The NAT instances and their group."""

    launch: Literal["template", "configuration"] = setting(
        default="template",
        decides="how the group launches instances",
        allowed="'template', or 'configuration' where the account may still create one",
    )
    instance_type: str = setting(
        default="t4g.nano",
        pattern=rf"^{INSTANCE_TYPE.pattern}$",
        max_length=INSTANCE_TYPE.longest,
        decides="the NATs' size: bandwidth, and memory for connections",
        allowed="an EC2 instance type, such as 't4g.nano'",
    )
    image: (
        Annotated[
            str,
            Field(pattern=rf"^{_IMAGES}(minimal-)?kernel-(default|[0-9]+\.[0-9]+)-(arm64|x86_64)$"),
        ]
        | None
    ) = setting(
        default=None,
        decides="the image that the NATs boot",
        allowed=f"null for Amazon Linux 2023 with kernel {KERNEL}, for the architecture of the"
        " instance type, or a public parameter of Amazon Linux 2023, such as"
        f" '{_IMAGES}kernel-{KERNEL}-arm64'",
    )
    ami: AmiOptions | None = setting(
        default=None,
        decides="an image instead of the public one",
        allowed="null for the image, or an image of one's own, such as"
        " {'id': 'ami-0123456789abcdef0', 'architecture': 'arm64'}",
    )
    min: int = setting(
        default=1,
        ge=1,
        decides="the fewest instances that the group keeps",
        allowed="a number of instances, 1 or more",
    )
    max: Annotated[int, Field(ge=LEAST_MAX, le=MOST_NATS)] | None = setting(
        default=None,
        decides="the most instances that the group has",
        allowed="null for one in each zone, or as many as desired, or a number of instances, from"
        f" {LEAST_MAX} and the number of zones to {MOST_NATS}",
    )
    desired: Annotated[int, Field(ge=1, le=MOST_NATS)] | None = setting(
        default=None,
        decides="how many NATs there are when nothing is wrong",
        allowed="null for one in each zone, or a number of instances, from min to max",
    )
    self_test: Annotated[
        tuple[Annotated[str, AfterValidator(_on_the_internet)], ...],
        Field(min_length=1, max_length=MOST_TARGETS),
        AfterValidator(each_once),
    ] = setting(
        default=("checkip.amazonaws.com", "www.amazon.com", "1.1.1.1", "8.8.8.8"),
        decides="what a new NAT connects to before it serves",
        allowed=f"a list of 1 to {MOST_TARGETS} IPv4 addresses or host names that take"
        " connections at port 443, any one of which proves that a NAT forwards, such as"
        " ['checkip.amazonaws.com', '1.1.1.1']",
    )
    session_manager: bool = setting(
        default=False,
        decides="whether Session Manager opens shells on the NATs",
        allowed="true or false",
    )

    @property
    def architecture(self) -> Architecture:
        """The architecture of the image that the instances boot."""
        if self.ami:
            return self.ami.architecture
        return "arm64" if self.public_image.endswith("-arm64") else "x86_64"

    @property
    def public_image(self) -> str:
        """The public parameter that names the image, where it is not an image of one's own."""
        return self.image or f"{_IMAGES}kernel-{KERNEL}-{self.instance_architecture}"

    @property
    def instance_architecture(self) -> Architecture:
        """The architecture of the instance type, by its name.

        Graviton families have a `g` among the letters after their generation, or are `a1`
        ("Instance type naming conventions", EC2 instance types guide).
        """
        family = self.instance_type.partition(".")[0]
        after_generation = re.sub(r"^[a-z-]+\d+", "", family)
        return "arm64" if "g" in after_generation or family == "a1" else "x86_64"

    def size(self, zones: int) -> Size:
        """Return the group's size over a number of zones."""
        most = self.max or max(zones, self.desired or 0, LEAST_MAX)
        return Size(min=self.min, max=most, desired=self.desired or min(zones, most))


def min_is_not_more_than_desired(size: Size, at: str) -> str | None:
    """Return the line for a group that is to keep more than there are, if it is."""
    if size.min <= size.desired:
        return None
    return (
        f"{at}min is {size.min}, more than {at}desired, {size.desired};"
        " allowed: min <= desired <= max"
    )


def desired_is_not_more_than_max(size: Size, at: str) -> str | None:
    """Return the line for a group that is to have more than it may, if it is."""
    if size.desired <= size.max:
        return None
    return (
        f"{at}desired is {size.desired}, more than {at}max, {size.max};"
        " allowed: min <= desired <= max"
    )


def _instance_type_runs_the_image(instances: InstanceOptions, at: str) -> str | None:
    if instances.instance_architecture == instances.architecture:
        return None
    ami = instances.ami
    key, image = ("ami", ami.id) if ami else ("image", instances.public_image)
    return (
        f"{at}instance_type is {instances.instance_type!r}, which is"
        f" {instances.instance_architecture} by its name, but {at}{key} is {image!r}, which is"
        f" {instances.architecture}; allowed: the same architecture"
    )


def _image_has_the_agent(instances: InstanceOptions, at: str) -> str | None:
    # "Comparing packages installed on Amazon Linux 2023 images", Amazon Linux 2023 user guide.
    if not instances.session_manager or instances.ami or "-minimal-" not in instances.public_image:
        return None
    return (
        f"{at}session_manager is true, but {at}image is {instances.public_image!r}, which has no"
        f" SSM Agent; allowed: an image without 'minimal', or {at}session_manager false"
    )


InstanceOptions.rules = (
    (("instance_type", "image", "ami"), _instance_type_runs_the_image),
    (("session_manager", "image", "ami"), _image_has_the_agent),
)
