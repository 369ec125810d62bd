"""What an account has set for all that is launched in a Region."""
# ruff: noqa: SLF001 - moto gives no other access to a request's parameters

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.responses import EC2Response

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.services.ec2.refusals import refuse
from lab.emulator.side_tables import SideTable

if TYPE_CHECKING:
    from collections.abc import Callable

_MANAGED_KEY = "alias/aws/ebs"
_METADATA = (
    "HttpTokens",
    "HttpPutResponseHopLimit",
    "HttpEndpoint",
    "InstanceMetadataTags",
    "HttpTokensEnforced",
)
_NONE = ("no-preference", "-1")
"""What takes a default of the metadata service away (ModifyInstanceMetadataDefaults)."""


@dataclass(slots=True)
class _Settings:
    """The settings of an account in a Region; as in a new one, nothing is set."""

    volume_key: str = _MANAGED_KEY
    metadata: dict[str, str] = field(default_factory=dict)
    public_access: str = "off"
    exclusions: list[dict[str, Any]] = field(default_factory=list)


_SETTINGS: SideTable[EC2Backend, _Settings] = SideTable(_Settings)


class AccountsHaveSettings(Behaviour):
    """An account has a default key for volumes, defaults for the metadata service, VPC BPA.

    They can be read and set, and nothing follows from them: launches say what they need, and
    packets know no VPC Block Public Access. moto has no such API.
    """

    source = (
        "EC2 API reference, GetEbsDefaultKmsKeyId, GetInstanceMetadataDefaults,"
        " DescribeVpcBlockPublicAccessOptions, CreateVpcBlockPublicAccessExclusion"
    )

    def install(self, patches: Patches) -> None:
        """Add the API's actions."""
        actions: dict[str, Callable[[EC2Response], dict[str, Any]]] = {
            "get_ebs_default_kms_key_id": self._key,
            "modify_ebs_default_kms_key_id": self._set_key,
            "get_instance_metadata_defaults": self._metadata,
            "modify_instance_metadata_defaults": self._set_metadata,
            "describe_vpc_block_public_access_options": self._public_access,
            "modify_vpc_block_public_access_options": self._set_public_access,
            "create_vpc_block_public_access_exclusion": self._exclude,
            "describe_vpc_block_public_access_exclusions": self._exclusions,
        }
        for name, action in actions.items():
            patches.method(EC2Response, name, _answering(action))

    @property
    def _here(self) -> _Settings:
        return _SETTINGS[ec2_backends[self._aws.account][self._aws.region]]

    def _key(self, _: EC2Response) -> dict[str, Any]:
        return {"KmsKeyId": self._here.volume_key}

    def _set_key(self, request: EC2Response) -> dict[str, Any]:
        self._here.volume_key = str(request._get_param("KmsKeyId"))
        return self._key(request)

    def _metadata(self, _: EC2Response) -> dict[str, Any]:
        return {"AccountLevel": {**self._here.metadata, "ManagedBy": "account"}}

    def _set_metadata(self, request: EC2Response) -> dict[str, Any]:
        for name in _METADATA:
            value = request._get_param(name)
            if str(value) in _NONE:
                self._here.metadata.pop(name, None)
            elif value is not None:
                self._here.metadata[name] = value
        return {"Return": True}

    def _public_access(self, _: EC2Response) -> dict[str, Any]:
        options = {
            "AwsAccountId": self._aws.account,
            "AwsRegion": self._aws.region,
            "InternetGatewayBlockMode": self._here.public_access,
            "ManagedBy": "account",
            "ExclusionsAllowed": "allowed",
        }
        return {"VpcBlockPublicAccessOptions": options}

    def _set_public_access(self, request: EC2Response) -> dict[str, Any]:
        self._here.public_access = str(request._get_param("InternetGatewayBlockMode"))
        return self._public_access(request)

    def _exclude(self, request: EC2Response) -> dict[str, Any]:
        vpc = str(request._get_param("VpcId"))
        if vpc not in request.ec2_backend.vpcs:
            refuse("InvalidVpcID.NotFound", f"The vpc ID '{vpc}' does not exist")
        exclusion = {
            "ExclusionId": f"vpcbpa-exclude-{len(self._here.exclusions):017x}",
            "InternetGatewayExclusionMode": request._get_param("InternetGatewayExclusionMode"),
            "ResourceArn": f"arn:aws:ec2:{self._aws.region}:{self._aws.account}:vpc/{vpc}",
            "State": "create-complete",
        }
        self._here.exclusions.append(exclusion)
        return {"VpcBlockPublicAccessExclusion": exclusion}

    def _exclusions(self, _: EC2Response) -> dict[str, Any]:
        return {"VpcBlockPublicAccessExclusions": self._here.exclusions}


def _answering(
    action: Callable[[EC2Response], dict[str, Any]],
) -> Callable[[EC2Response], ActionResult]:
    return lambda request: ActionResult(action(request))
