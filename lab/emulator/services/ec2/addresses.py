"""The address ranges of a VPC."""
# ruff: noqa: ANN401 - moto types little of its state

from __future__ import annotations

import ipaddress
from typing import Any

from moto.ec2.models.vpcs import VPCBackend

from aws_constraints.cidrs import CODE, restricted, words
from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.services.ec2.refusals import refuse


class RangesOfAVpcAreApart(Behaviour):
    """AssociateVpcCidrBlock refuses a range that overlaps with one that the VPC has.

    EC2's words are not known. Nor does it take one from a range that is restricted beside what the
    VPC has. moto takes both.
    """

    source = "VPC user guide, 'VPC CIDR blocks': IPv4 CIDR block association restrictions"

    def install(self, patches: Patches) -> None:
        """Compare before moto writes."""
        self._moto_associate = VPCBackend.associate_vpc_cidr_block
        patches.method(VPCBackend, "associate_vpc_cidr_block", self._associate)

    def _associate(self, ec2: Any, vpc_id: str, cidr_block: Any, *given: Any) -> Any:
        if cidr_block:
            new = ipaddress.IPv4Network(cidr_block, strict=False)
            for row in ec2.get_vpc(vpc_id).get_cidr_block_association_set():
                there = ipaddress.IPv4Network(row["cidr_block"], strict=False)
                if new.overlaps(there):
                    refuse(CODE, f"The CIDR '{cidr_block}' overlaps with '{there}'.")
                if restricted(new, there):
                    refuse(CODE, words(cidr_block))
        return self._moto_associate(ec2, vpc_id, cidr_block, *given)
