"""The further address ranges of a VPC, as resources of a stack."""

from __future__ import annotations

from contextlib import suppress
from typing import Self

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends

from lab.emulator.services.resource import Place, Properties, Resource


class VpcCidrBlock(Resource):
    """AWS::EC2::VPCCidrBlock of IPv4; its id is the association's."""

    type = "AWS::EC2::VPCCidrBlock"

    @classmethod
    def create(cls, name: str, given: Properties, place: Place) -> Self:
        """Associate the range."""
        del name
        if "CidrBlock" not in given:
            message = f"the lab makes only IPv4 ranges of a {cls.type}"
            raise NotImplementedError(message)
        ec2 = ec2_backends[place.account][place.region]
        made = ec2.associate_vpc_cidr_block(given["VpcId"], given["CidrBlock"], False)  # noqa: FBT003 - moto's
        return cls(made["association_id"], {"Id": made["association_id"]})

    def delete(self, account_id: str, region_name: str) -> None:
        """Disassociate the range; one that is gone counts as deleted."""
        with suppress(EC2ClientError):
            ec2_backends[account_id][region_name].disassociate_vpc_cidr_block(
                self.physical_resource_id
            )
