"""What a NAT instance is: image, type, disk, boot script, and what may reach it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_nat_failover.acknowledgements import acknowledge, acknowledge_wildcard
from stacks.constructs.nat_user_data import Boot, user_data

if TYPE_CHECKING:
    from stacks.constructs.network import Network
    from stacks.settings import FleetSettings

# The root device of the Amazon Linux 2023 images. Its size is that of the image's snapshot: a launch
# template that says less is refused.
ROOT_DEVICE = "/dev/xvda"

# Of the instance metadata service: tokens only, and no hop beyond the instance itself, so that a
# client of the NAT cannot reach it ("Use IMDSv2", EC2 user guide).
HOP_LIMIT = 1


class NatLaunch(Construct):
    """A launch template, or a launch configuration that says the same."""

    def __init__(  # noqa: PLR0913 - what an instance is made of, each thing by name
        self,
        scope: Construct,
        construct_id: str,
        *,
        network: Network,
        settings: FleetSettings,
        group: str,
        hook: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self._group = group
        self._security_group = self._admit_the_vpc(network)
        self._profile = self._instance_profile()
        self._image_id = settings.ami.id if settings.ami else self._image()
        boot = Boot(
            cidrs=network.cidrs,
            targets=settings.self_test,
            group=group,
            hook=hook,
            session_manager=settings.session_manager,
        )
        self._user_data = cdk.Fn.base64(user_data(boot))
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
        for cidr in network.cidrs:
            group.add_ingress_rule(
                ec2.Peer.ipv4(str(cidr)),
                ec2.Port.all_traffic(),
                "Traffic from the VPC to the internet",
            )
        return group

    def _instance_profile(self) -> iam.CfnInstanceProfile:
        statements = [self._say_that_it_forwards()]
        if self._settings.session_manager:
            statements += self._session_manager()
        role = iam.Role(
            self,
            "Role",
            description="Lets the NAT instances say whether they forward",
            assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
            inline_policies={"Instance": iam.PolicyDocument(statements=statements)},
        )
        acknowledge_wildcard(
            role, resource=self._group_arn, reason="A part of the group's ARN is made up by AWS."
        )
        if self._settings.session_manager:
            acknowledge_wildcard(
                role,
                resource=self._instances,
                reason="An instance that is still to be launched has no id.",
            )
            acknowledge_wildcard(
                role,
                resource="*",
                reason="Session Manager's channels cannot be limited to a resource.",
            )
        return iam.CfnInstanceProfile(self, "Profile", roles=[role.role_name])

    def _say_that_it_forwards(self) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            sid="Launch",
            actions=["autoscaling:CompleteLifecycleAction"],
            resources=[self._group_arn],
        )

    @property
    def _group_arn(self) -> str:
        """The ARN of the group, which does not exist yet: of its name and an id made up by AWS."""
        return cdk.Stack.of(self).format_arn(
            service="autoscaling",
            resource="autoScalingGroup:*:autoScalingGroupName",
            resource_name=self._group,
        )

    @property
    def _instances(self) -> str:
        return cdk.Stack.of(self).format_arn(service="ec2", resource="instance", resource_name="*")

    def _session_manager(self) -> list[iam.PolicyStatement]:
        """Return what a session of Session Manager needs.

        The managed policy AmazonSSMManagedInstanceCore would also let the instances read every
        parameter of the account ("Adding Session Manager permissions to an existing IAM role",
        Systems Manager user guide).
        """
        register = iam.PolicyStatement(
            sid="Register", actions=["ssm:UpdateInstanceInformation"], resources=[self._instances]
        )
        talk = iam.PolicyStatement(
            sid="Talk",
            actions=[
                "ssmmessages:CreateControlChannel",
                "ssmmessages:CreateDataChannel",
                "ssmmessages:OpenControlChannel",
                "ssmmessages:OpenDataChannel",
            ],
            resources=["*"],
        )
        return [register, talk]

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
                iam_instance_profile=of.IamInstanceProfileProperty(arn=self._profile.attr_arn),
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
                        ebs=of.EbsProperty(encrypted=True, volume_type="gp3"),
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
            iam_instance_profile=self._profile.ref,
            associate_public_ip_address=True,
            security_groups=[self._security_group.security_group_id],
            block_device_mappings=[
                of.BlockDeviceMappingProperty(
                    device_name=ROOT_DEVICE,
                    ebs=of.BlockDeviceProperty(encrypted=True, volume_type="gp3"),
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
