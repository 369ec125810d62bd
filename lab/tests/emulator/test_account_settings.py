"""Contracts of what an account has set for a Region, and of its quotas."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from lab.emulator.services.ec2.account_settings import AccountsHaveSettings
from lab.emulator.services.quotas import QuotasOfInstancesAreTold
from lab.tests.emulator.contract import contract_of

if TYPE_CHECKING:
    from lab.emulator.region import Region

VCPUS = {"ServiceCode": "ec2", "QuotaCode": "L-1216C47A"}


@contract_of(AccountsHaveSettings)
def test_default_key_of_volumes_is_that_of_aws_until_another_is_set(region: Region) -> None:
    """By its alias, and then by its ARN."""
    ec2, key = region.client("ec2"), "arn:aws:kms:us-east-1:123456789012:key/any"
    assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == "alias/aws/ebs"
    ec2.modify_ebs_default_kms_key_id(KmsKeyId=key)
    assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == key


@contract_of(AccountsHaveSettings)
def test_defaults_of_the_metadata_service_are_set_one_by_one_and_taken_away(
    region: Region,
) -> None:
    """What is not named stays; no preference takes one away."""
    ec2 = region.client("ec2")
    assert ec2.get_instance_metadata_defaults()["AccountLevel"] == {"ManagedBy": "account"}
    ec2.modify_instance_metadata_defaults(HttpTokens="required", HttpPutResponseHopLimit=2)
    ec2.modify_instance_metadata_defaults(HttpTokens="no-preference", HttpEndpoint="disabled")
    assert ec2.get_instance_metadata_defaults()["AccountLevel"] == {
        "HttpPutResponseHopLimit": 2,
        "HttpEndpoint": "disabled",
        "ManagedBy": "account",
    }


@contract_of(AccountsHaveSettings)
def test_public_access_is_blocked_and_a_vpc_excluded(region: Region) -> None:
    """A VPC that there is."""
    ec2 = region.client("ec2")
    options = ec2.describe_vpc_block_public_access_options()["VpcBlockPublicAccessOptions"]
    assert options["InternetGatewayBlockMode"] == "off"
    ec2.modify_vpc_block_public_access_options(InternetGatewayBlockMode="block-ingress")
    options = ec2.describe_vpc_block_public_access_options()["VpcBlockPublicAccessOptions"]
    assert options["InternetGatewayBlockMode"] == "block-ingress"
    vpc, mode = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"], "allow-bidirectional"
    exclude = ec2.create_vpc_block_public_access_exclusion
    exclude(VpcId=vpc, InternetGatewayExclusionMode=mode)
    with pytest.raises(ClientError, match=r"InvalidVpcID\.NotFound"):
        exclude(VpcId="vpc-00000000000000000", InternetGatewayExclusionMode=mode)
    (row,) = ec2.describe_vpc_block_public_access_exclusions()["VpcBlockPublicAccessExclusions"]
    assert row["ResourceArn"].endswith(f":vpc/{vpc}")
    assert (row["InternetGatewayExclusionMode"], row["State"]) == (mode, "create-complete")


@contract_of(QuotasOfInstancesAreTold)
def test_quotas_of_instances_have_a_default_and_a_value_of_the_account(region: Region) -> None:
    """That of VPCs is moto's own."""
    quotas = region.client("service-quotas")
    assert quotas.get_service_quota(**VCPUS)["Quota"]["Value"] == 32
    assert quotas.get_aws_default_service_quota(**VCPUS)["Quota"]["Value"] == 5
    vpcs = {"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE"}
    assert quotas.get_service_quota(**vpcs)["Quota"]["Value"] == 5
    assert quotas.get_aws_default_service_quota(**vpcs)["Quota"]["Value"] == 5
