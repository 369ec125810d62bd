"""A synthesized stack, and the variants of the stack that the tests look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import aws_cdk as cdk

VARIANTS: dict[str, Mapping[str, Any]] = {
    "default": {},
    "launch-configuration": {"fleet": {"launch": "configuration"}},
    "swap-route-table": {"failover": {"strategy": "swap-route-table"}},
    "swap-and-adopt": {"failover": {"strategy": "swap-route-table", "adopt": True}},
    "adopt-one-table": {"failover": {"adopt": ["rtb-0123456789abcdef0"]}},
    "standby-gateway": {"failover": {"standby_gateway": "nat-0123456789abcdef0"}},
    "customer-key": {"topic": {"customer_key": True}},
    "unwatched": {"fleet": {"watch": False}, "topic": {"customer_key": True}},
    "elastic-ips": {"fleet": {"elastic_ips": "retained"}},
    "elastic-ips-that-are-given": {
        "fleet": {
            "launch": "configuration",
            "elastic_ips": ["eipalloc-0123456789abcdef0", "eipalloc-0fedcba9876543210"],
        }
    },
    "newest-image-at-launch": {"fleet": {"image_updates": "at-launch", "max_lifetime_days": 7}},
    "pinned-zones": {
        "account": "123456789012",
        "region": "eu-west-1",
        "network": {"zones": ["eu-west-1a", "eu-west-1b", "eu-west-1c"]},
        "fleet": {"max": 3},
    },
    "zones-by-id": {"network": {"zones": ["euw1-az1", "euw1-az3"]}},
    "more-networks": {"network": {"additional_cidrs": ["100.64.0.0/16", "10.1.0.0/16"]}},
    "existing-vpc": {
        "network": {
            "vpc": "vpc-0123456789abcdef0",
            "cidr": "10.7.0.0/20",
            "public_subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
            "route_tables": ["rtb-0123456789abcdef0", "rtb-0123456789abcdef1"],
        },
    },
    "served-networks": {"network": {"served_cidrs": ["10.8.0.0/16", "172.16.0.0/12"]}},
    "own-image-with-sessions-and-emails": {
        "fleet": {
            "ami": {"id": "ami-0123456789abcdef0", "architecture": "x86_64"},
            "instance_type": "t3.nano",
            "session_manager": True,
        },
        "alerts": {"emails": ["ops@example.com"]},
    },
}
"""Settings that change which resources there are, or what is in them."""

OWN_NETWORKS = [name for name in VARIANTS if name != "existing-vpc"]
"""Those whose VPC, subnets and tables are the stack's."""


@dataclass(frozen=True, kw_only=True)
class Template:
    """What one synthesis of the stack made."""

    body: dict[str, Any]
    app: cdk.App
    directory: Path

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the resources of a type, by logical id."""
        return {
            name: resource
            for name, resource in self.body["Resources"].items()
            if resource["Type"] == kind
        }

    def properties(self, kind: str, part: str = "") -> dict[str, Any]:
        """Return the properties of the one resource of a type whose logical id has the part."""
        found = [
            resource["Properties"]
            for name, resource in self.resources(kind).items()
            if part in name
        ]
        (only,) = found
        return only  # type: ignore[no-any-return] # a template is what JSON is

    def logical_id(self, kind: str, part: str = "") -> str:
        """Return the logical id of the one resource of a type that has the part in it."""
        (only,) = (name for name in self.resources(kind) if part in name)
        return only
