"""The options of the NAT instances and their group."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PlainValidator

from aws_constraints.ec2 import AMI, INSTANCE_TYPE
from cdk_nat_failover.options.addresses import as_elastic_ips
from cdk_nat_failover.options.section import Section, setting
from cdk_nat_failover.options.targets import on_the_internet
from cdk_nat_failover.options.validators import each_once

Architecture = Literal["arm64", "x86_64"]

MOST_TARGETS = 4
"""Targets of a self-test: each may take seconds, and the boot is limited."""

LEAST_MAX = 2
"""The least size that a group may grow to, also of one NAT: an update launches before it ends.

CloudFormation refuses an update policy whose MinInstancesInService is not less than the group's
MaxSize ("UpdatePolicy attribute", CloudFormation user guide)."""

MOST_NATS = 100
"""Ours: more serve no purpose here, and a slip of the key is a mistake."""

LEAST_DRAIN_S = 30
"""The shortest time that a group waits for a lifecycle action (LifecycleHookSpecification, EC2 Auto
Scaling API reference)."""

MOST_DRAIN_S = 2700
"""Ours, of the 7200 s that a hook may have: an update that waits for an instance's signal for a
quarter of an hour, after a drain, must not wait for more than the hour that CloudFormation allows
(`PauseTime`; aws-cloudformation/cloudformation-coverage-roadmap#127)."""

MOST_DAYS = 365
"""Ours: AWS names the shortest lifetime only, a day (CreateAutoScalingGroup, EC2 Auto Scaling API
reference). Whoever wants a longer one wants none."""

LIFETIME_DAYS = 30
"""How long a NAT lives unless the settings say otherwise: AWS's own example.

It is the month in which a patch for a critical flaw is due by common rules (PCI DSS 4.0, 6.3.3).
And that a replacement cannot boot any more, for a quota, a mirror or an image that is gone, is
better found while the old NAT still serves than in an outage."""


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
    self_test: (
        Annotated[
            tuple[Annotated[str, AfterValidator(on_the_internet)], ...],
            Field(min_length=1, max_length=MOST_TARGETS),
            AfterValidator(each_once),
        ]
        | None
    ) = setting(
        default=None,
        decides="what a new NAT connects to before it serves, and the watch every two seconds",
        allowed=f"null for the Region's endpoints, or a list of 1 to {MOST_TARGETS} IPv4 addresses"
        " or host names that take connections at port 443, any one of which proves that a NAT"
        " forwards, such as ['checkip.amazonaws.com', '1.1.1.1']",
    )
    session_manager: bool = setting(
        default=False,
        decides="whether Session Manager opens shells on the NATs",
        allowed="true or false",
    )
    watch: bool = setting(
        default=True,
        decides="whether the NATs watch each other and hand flows over; without it, moves reset"
        " flows",
        allowed="true or false",
    )
    drain_s: int = setting(
        default=300,
        ge=LEAST_DRAIN_S,
        le=MOST_DRAIN_S,
        decides="how long a NAT that leaves by plan serves its old flows at most",
        allowed=f"a number of seconds, from {LEAST_DRAIN_S} to {MOST_DRAIN_S}",
    )
    max_lifetime_days: Annotated[int, Field(ge=1, le=MOST_DAYS)] | None = setting(
        default=LIFETIME_DAYS,
        decides="how old a NAT gets before the group replaces it",
        allowed=f"a number of days, from 1 to {MOST_DAYS}, or null for no limit",
    )
    image_updates: Literal["at-deployment", "at-launch"] = setting(
        default="at-deployment",
        decides="when a newer public image is taken: as the stack is deployed, or by each new NAT",
        allowed="'at-deployment', or 'at-launch' with a launch template and a public image",
    )

    elastic_ips: Annotated[str | tuple[str, ...] | None, PlainValidator(as_elastic_ips)] = setting(
        default=None,
        decides="the public addresses of the NATs: those of their launch, or Elastic IPs, whose set"
        " is constant",
        allowed="null for those of the launch, 'created' for Elastic IPs of the stack, 'retained'"
        " for such that stay when the stack is destroyed, or a list of the allocations of one's"
        " own, one for each NAT, such as ['eipalloc-0123456789abcdef0',"
        " 'eipalloc-0fedcba9876543210']",
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


def each_nat_has_an_elastic_ip(instances: InstanceOptions, size: Size, at: str) -> str | None:
    """Return the line for Elastic IPs that are given, and not one for each NAT."""
    given = instances.elastic_ips
    if not isinstance(given, tuple) or len(given) == size.desired:
        return None
    return (
        f"{at}elastic_ips has {len(given)}, but {at}desired is {size.desired}; allowed: one for"
        " each NAT"
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


def _template_resolves_the_image(instances: InstanceOptions, at: str) -> str | None:
    # "Use AWS Systems Manager parameters instead of AMI IDs in launch templates", EC2 Auto Scaling
    # user guide; of a launch configuration: github.com/aws/aws-cdk/issues/28090.
    if instances.image_updates == "at-deployment" or instances.launch == "template":
        return None
    return (
        f"{at}image_updates is 'at-launch', but {at}launch is 'configuration', which names an"
        f" image by its id alone; allowed: {at}launch 'template', or {at}image_updates"
        " 'at-deployment'"
    )


def _public_image_has_updates(instances: InstanceOptions, at: str) -> str | None:
    if instances.image_updates == "at-deployment" or instances.ami is None:
        return None
    return (
        f"{at}image_updates is 'at-launch', but {at}ami is {instances.ami.id!r}, which is one image"
        f" for ever; allowed: {at}ami null, or {at}image_updates 'at-deployment'"
    )


InstanceOptions.rules = (
    (("instance_type", "image", "ami"), _instance_type_runs_the_image),
    (("session_manager", "image", "ami"), _image_has_the_agent),
    (("image_updates", "launch"), _template_resolves_the_image),
    (("image_updates", "ami"), _public_image_has_updates),
)
