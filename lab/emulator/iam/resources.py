"""The resources of EC2 and Auto Scaling that ids and names stand for, with their condition keys.

Sources: "Actions, resources, and condition keys for Amazon EC2" and "... for Amazon EC2 Auto
Scaling", Service Authorization Reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.autoscaling.models import autoscaling_backends
from moto.ec2.models import ec2_backends
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE

from lab.emulator.iam.service import Candidate

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_KINDS = {
    **EC2_PREFIX_TO_RESOURCE,
    "eipalloc": "elastic-ip",
    "h": "dedicated-host",
    "nat": "natgateway",
    "pl": "prefix-list",
    "sir": "spot-instances-request",
}
"""The resource type of an id's prefix, where it is not as moto calls it."""

_JOINED = {
    "rtbassoc": ("rtb", "subnet"),
    "eipassoc": ("eipalloc",),
    "eni-attach": ("eni", "i"),
}
"""What associations and attachments join, by the prefixes of ids."""

_WITHOUT_ACCOUNT = ("image", "snapshot")
"""Types whose ARNs name no account."""


def ec2_resources(account: str, region: str, texts: Collection[str]) -> Iterator[Candidate]:
    """Yield the resource of each EC2 id among some texts.

    An association stands for its table and its subnet: AWS has been seen to refuse
    ReplaceRouteTableAssociation because of the one and DisassociateRouteTable because of the other
    (github.com/ministryofjustice/modernisation-platform, pull requests 8420 and 8419). One that is
    gone stands for any: whoever may do it to some resource then hears of EC2 that it is gone.
    """
    backend = ec2_backends[account][region]
    joined = _joined(backend)
    for text in texts:
        prefix = text.rsplit("-", 1)[0]
        missing = tuple(f"{part}-*" for part in _JOINED.get(prefix, ()))
        for id_ in joined.get(text, missing or (text,)):
            kind = _KINDS.get(id_.rsplit("-", 1)[0])
            if kind:
                owner = "" if kind in _WITHOUT_ACCOUNT else account
                arn = f"arn:aws:ec2:{region}:{owner}:{kind}/{id_}"
                tags = dict(backend.tags.get(id_, {}))
                yield Candidate(arn, _context("ec2", tags, _place(backend, id_)))


def autoscaling_groups(account: str, region: str, texts: Collection[str]) -> Iterator[Candidate]:
    """Yield each group that is named, or one of whose instances is named, among some texts."""
    for group in list(autoscaling_backends[account][region].autoscaling_groups.values()):
        members = {state.instance.id for state in list(group.instance_states)}
        if group.name in texts or not members.isdisjoint(texts):
            tags = {tag["Key"]: tag["Value"] for tag in group.tags}
            yield Candidate(group.arn, _context("autoscaling", tags))


def _joined(backend: Any) -> dict[str, tuple[str, ...]]:  # noqa: ANN401 - moto types little
    """Return what each association and attachment joins."""
    tables = {
        id_: (table.id, subnet)
        for table in list(backend.route_tables.values())
        for id_, subnet in list(table._associations.items())  # noqa: SLF001 - no other access
    }
    addresses = {
        address.association_id: (address.id, address.instance_id, address.network_interface_id)
        for address in list(backend.addresses)
    }
    interfaces = {
        interface.attachment_id: (interface.id, interface.instance.id)
        for interface in list(backend.enis.values())
        if interface.instance
    }
    return {**tables, **addresses, **interfaces}


def _place(backend: Any, id_: str) -> dict[str, str]:  # noqa: ANN401 - moto types little of it
    """Return the keys of where it is: tables and subnets have their VPC, interfaces both."""
    subnets = list(backend.subnets.values())
    holders = (backend.route_tables, backend.enis, *subnets)
    holder = next((rows[id_] for rows in holders if id_ in rows), None)
    if holder is None:
        return {}
    arn = f"arn:aws:ec2:{backend.region_name}:{backend.account_id}"
    if id_ in backend.enis:
        subnet = holder.subnet
        return {"ec2:Subnet": f"{arn}:subnet/{subnet.id}", "ec2:Vpc": f"{arn}:vpc/{subnet.vpc_id}"}
    return {"ec2:Vpc": f"{arn}:vpc/{holder.vpc_id}"}


def _context(
    service: str, tags: Mapping[str, str], more: Mapping[str, str] | None = None
) -> tuple[tuple[str, str], ...]:
    keys = {
        f"{prefix}:ResourceTag/{name}": value
        for prefix in ("aws", service)
        for name, value in tags.items()
    }
    return tuple(sorted({**keys, **(more or {})}.items()))
