"""What a NAT instance is: image, type, disk, boot script, and what may reach it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.constructs.acknowledgements import acknowledge, acknowledge_wildcard

if TYPE_CHECKING:
    from stacks.constructs.network import Network
    from stacks.settings import FleetSettings

BOOT_SCRIPT = Path(__file__).with_name("nat_boot.sh")
RULESET = Path(__file__).with_name("nat_ruleset.nft")

# The root device of the Amazon Linux 2023 images, and its size in their snapshots.
ROOT_DEVICE = "/dev/xvda"
ROOT_GIB = 8

# Of the instance metadata service: tokens only, and no hop beyond the instance itself, so that a
# client of the NAT cannot reach it ("Use IMDSv2", EC2 user guide).
HOP_LIMIT = 1


def boot_script(cidr: str) -> str:
    """Return the boot script of a NAT for the network."""
    ruleset = RULESET.read_text(encoding="utf-8").rstrip("\n")
    script = BOOT_SCRIPT.read_text(encoding="utf-8")
    return script.replace("@VPC_CIDR@", cidr).replace("@RULESET@", ruleset)


class NatLaunch(Construct):
    """A launch template, or a launch configuration that says the same."""

    def __init__(
        self, scope: Construct, construct_id: str, *, network: Network, settings: FleetSettings
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self._security_group = self._admit_the_vpc(network)
        self._profile = self._session_manager() if settings.session_manager else None
        self._image_id = settings.ami.id if settings.ami else self._image()
        self._user_data = cdk.Fn.base64(boot_script(network.cidr))
        self.resource = self._template() if settings.launch == "template" else self._configuration()

    @property
    def version(self) -> str:
        """What changes when anything about the instances changes."""
        if isinstance(self.resource, ec2.CfnLaunchTemplate):
            return self.resource.attr_latest_version_number
        return self.resource.ref

    def _admit_the_vpc(self, network: Network) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=network.vpc,
            description="NAT instances: everything from the VPC, nothing from elsewhere",
            allow_all_outbound=True,
        )
        group.add_ingress_rule(
            ec2.Peer.ipv4(network.cidr), ec2.Port.all_traffic(), "The VPC's traffic to the internet"
        )
        return group

    def _session_manager(self) -> iam.CfnInstanceProfile:
        """Return a profile for Session Manager; without it an instance needs no role at all.

        The managed policy AmazonSSMManagedInstanceCore would also let the instances read every
        parameter of the account; a session needs only what is here ("Adding Session Manager
        permissions to an existing IAM role", Systems Manager user guide).
        """
        instances = cdk.Stack.of(self).format_arn(
            service="ec2", resource="instance", resource_name="*"
        )
        register = iam.PolicyStatement(
            actions=["ssm:UpdateInstanceInformation"], resources=[instances]
        )
        talk = iam.PolicyStatement(
            actions=[
                "ssmmessages:CreateControlChannel",
                "ssmmessages:CreateDataChannel",
                "ssmmessages:OpenControlChannel",
                "ssmmessages:OpenDataChannel",
            ],
            resources=["*"],
        )
        role = iam.Role(
            self,
            "Role",
            description="Lets people open a Session Manager session on the NAT instances",
            assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
            inline_policies={"SessionManager": iam.PolicyDocument(statements=[register, talk])},
        )
        acknowledge_wildcard(
            role, resource=instances, reason="An instance that is still to be launched has no id."
        )
        acknowledge_wildcard(
            role, resource="*", reason="Session Manager's channels cannot be limited to a resource."
        )
        return iam.CfnInstanceProfile(self, "Profile", roles=[role.role_name])

    def _image(self) -> str:
        """Return the image that the public parameter names when the stack is deployed."""
        # Each image has a parameter of its own: of one that a stack has, the CDK deploys the value
        # that it had before, whatever its default says now.
        name = self._settings.image.rpartition("/")[-1]
        parameter = cdk.CfnParameter(
            self,
            "Image",
            type="AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>",
            default=self._settings.image,
            description="Public parameter that names the image of the NAT instances; a deployment"
            " takes the newest, and replaces the instances one by one if it changed",
        )
        parameter.override_logical_id("NatImage" + re.sub("[^A-Za-z0-9]", "", name))
        return parameter.value_as_string

    def _template(self) -> ec2.CfnLaunchTemplate:
        of = ec2.CfnLaunchTemplate
        return ec2.CfnLaunchTemplate(
            self,
            "Template",
            launch_template_data=of.LaunchTemplateDataProperty(
                image_id=self._image_id,
                instance_type=self._settings.instance_type,
                iam_instance_profile=of.IamInstanceProfileProperty(arn=self._profile.attr_arn)
                if self._profile
                else None,
                network_interfaces=[
                    of.NetworkInterfaceProperty(
                        device_index=0,
                        associate_public_ip_address=True,
                        groups=[self._security_group.security_group_id],
                    )
                ],
                block_device_mappings=[
                    of.BlockDeviceMappingProperty(
                        device_name=ROOT_DEVICE,
                        ebs=of.EbsProperty(encrypted=True, volume_type="gp3", volume_size=ROOT_GIB),
                    )
                ],
                metadata_options=of.MetadataOptionsProperty(
                    http_endpoint="enabled",
                    http_tokens="required",
                    http_put_response_hop_limit=HOP_LIMIT,
                ),
                user_data=self._user_data,
            ),
        )

    def _configuration(self) -> autoscaling.CfnLaunchConfiguration:
        of = autoscaling.CfnLaunchConfiguration
        configuration = autoscaling.CfnLaunchConfiguration(
            self,
            "Configuration",
            image_id=self._image_id,
            instance_type=self._settings.instance_type,
            iam_instance_profile=self._profile.ref if self._profile else None,
            associate_public_ip_address=True,
            security_groups=[self._security_group.security_group_id],
            block_device_mappings=[
                of.BlockDeviceMappingProperty(
                    device_name=ROOT_DEVICE,
                    ebs=of.BlockDeviceProperty(
                        encrypted=True, volume_type="gp3", volume_size=ROOT_GIB
                    ),
                )
            ],
            metadata_options=of.MetadataOptionsProperty(
                http_endpoint="enabled",
                http_tokens="required",
                http_put_response_hop_limit=HOP_LIMIT,
            ),
            # A launch configuration turns detailed monitoring on unless told; a template does not.
            instance_monitoring=False,
            user_data=self._user_data,
        )
        acknowledge(
            configuration,
            rule="AwsSolutions-EC28",
            reason="A failover does not wait for the metrics of an instance.",
        )
        return configuration
