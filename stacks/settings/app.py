"""What a person may decide about the stack: every setting, its default, and what is allowed.

The settings are the context key `nat` of cdk.json; `app.py` hands it to the reader, and nothing
else reads context. Its sections are the options of the construct, each with a file of its own in
`cdk_nat_failover.options`; rules about options of several are here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from aws_constraints.cloudformation import STACK_NAME
from aws_constraints.regions import REGION, ZONE
from cdk_nat_failover.options.alerts import AlertOptions
from cdk_nat_failover.options.failover import FailoverOptions
from cdk_nat_failover.options.instances import (
    InstanceOptions,
    Size,
    desired_is_not_more_than_max,
    each_nat_has_an_elastic_ip,
    min_is_not_more_than_desired,
)
from cdk_nat_failover.options.logs import LogOptions
from cdk_nat_failover.options.network import NetworkOptions
from cdk_nat_failover.options.section import Rule as SectionRule
from cdk_nat_failover.options.section import Section, setting
from cdk_nat_failover.options.targets import as_address
from cdk_nat_failover.options.topic import TopicOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Rule = tuple[tuple[str, ...], "Callable[[AppSettings], str | None]"]
"""The keys of the settings that a rule is about, and what returns the line for a mistake."""


class AppSettings(Section):
    """Everything that can be decided about the stack."""

    name: str = setting(
        default="NatFailover",
        pattern=rf"^{STACK_NAME.pattern}$",
        max_length=STACK_NAME.longest,
        decides="the stack's name, and what its resources' names begin with",
        allowed="a stack name: a letter, then up to 127 letters, digits and hyphens",
    )
    account: Annotated[str, Field(pattern=r"^[0-9]{12}$")] | None = setting(
        default=None,
        decides="the account that the stack is pinned to",
        allowed="null for the account deployed to, or 12 digits in quotes",
    )
    region: Annotated[str, Field(pattern=rf"^{REGION}$")] | None = setting(
        default=None,
        decides="the Region that the stack is pinned to",
        allowed="null for the Region deployed to, or a Region such as 'eu-west-1'",
    )
    network: NetworkOptions = NetworkOptions()
    fleet: InstanceOptions = InstanceOptions()
    topic: TopicOptions = TopicOptions()
    failover: FailoverOptions = FailoverOptions()
    alerts: AlertOptions = AlertOptions()
    logs: LogOptions = LogOptions()


def _environment_is_whole(settings: AppSettings) -> str | None:
    if (settings.account is None) == (settings.region is None):
        return None
    named, missing = ("account", "region") if settings.account else ("region", "account")
    value = settings.account or settings.region
    return f"{named} is {value!r}, but {missing} is null; allowed: both or neither"


def _zones_are_of_the_region(settings: AppSettings) -> str | None:
    named = [zone for zone in settings.network.zones or () if re.fullmatch(ZONE, zone)]
    zones = [zone for zone in named if zone[:-1] != settings.region]
    if settings.region is None or not zones:
        return None
    return (
        f"network.zones has {', '.join(zones)}, but region is {settings.region!r};"
        " allowed: zones of the Region"
    )


def _targets_are_outside(settings: AppSettings) -> str | None:
    cidrs = (*settings.network.cidrs, *settings.network.served_cidrs)
    for target in settings.fleet.self_test or ():
        address = as_address(target)
        inside = [cidr for cidr in cidrs if address and address in cidr]
        if inside:
            whose = "the VPC" if inside[0] in settings.network.cidrs else "a served network"
            return (
                f"fleet.self_test has {target!r}, an address of {whose} ({inside[0]}), which a NAT"
                " does not forward to; allowed: addresses and names on the internet"
            )
    return None


def _a_nat_fits_in_each_zone(settings: AppSettings) -> str | None:
    zones, most = settings.network.nat_subnet_count, settings.fleet.max
    if settings.network.vpc or most is None or most >= zones:
        return None
    return (
        f"fleet.max is {most}, less than the {zones} zones of network.zones: a zone would never"
        f" have a NAT of its own; allowed: {zones} or more, or null"
    )


def _each_nat_has_an_elastic_ip(settings: AppSettings) -> str | None:
    size = settings.fleet.size(settings.network.nat_subnet_count)
    return each_nat_has_an_elastic_ip(settings.fleet, size, "fleet.")


def _existing_vpc_keeps_its_associations(settings: AppSettings) -> str | None:
    network, strategy = settings.network, settings.failover.strategy
    if not network.vpc or strategy == FailoverOptions().strategy:
        return None
    return (
        f"failover.strategy is '{strategy}', but network.vpc is {network.vpc!r}, whose subnets are"
        " associated by others; allowed: 'replace-route' with network.vpc"
    )


def _of(section: str, rules: Iterable[SectionRule]) -> Iterator[Rule]:
    """Yield the rules of a section as rules of the whole."""
    for keys, rule in rules:
        yield tuple(f"{section}.{key}" for key in keys), _within(section, rule)


def _within(
    section: str, rule: Callable[[Any, str], str | None]
) -> Callable[[AppSettings], str | None]:
    return lambda settings: rule(getattr(settings, section), f"{section}.")


def _of_the_size(rule: Callable[[Size, str], str | None]) -> Callable[[AppSettings], str | None]:
    return lambda settings: rule(settings.fleet.size(settings.network.nat_subnet_count), "fleet.")


RULES: tuple[Rule, ...] = (
    (("account", "region"), _environment_is_whole),
    *_of("network", NetworkOptions.rules),
    (("network.zones", "region"), _zones_are_of_the_region),
    (
        ("network.cidr", "network.additional_cidrs", "network.served_cidrs", "fleet.self_test"),
        _targets_are_outside,
    ),
    (("network.zones", "fleet.max"), _a_nat_fits_in_each_zone),
    (("network.vpc", "failover.strategy"), _existing_vpc_keeps_its_associations),
    (("fleet.min", "fleet.desired"), _of_the_size(min_is_not_more_than_desired)),
    (("fleet.desired", "fleet.max"), _of_the_size(desired_is_not_more_than_max)),
    (("fleet.elastic_ips", "fleet.desired", "network.zones"), _each_nat_has_an_elastic_ip),
    *_of("fleet", InstanceOptions.rules),
)
"""Each rule about several settings, or several values of one."""
