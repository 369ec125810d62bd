"""What a NAT instance is: image, type, disk, boot script, and what may reach it.

A launch template or a launch configuration is its content: another content makes another one, and
the rollback of an update returns to the former one, whose instances it leaves alone
(docs/decisions/0018-an-update-never-ends-the-last-nat.md).
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from cdk_nat_failover.acknowledgements import acknowledge
from cdk_nat_failover.instances.nat_role import NatRole
from cdk_nat_failover.instances.nat_security_group import NatSecurityGroup
from cdk_nat_failover.instances.nat_user_data import Boot, user_data

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb

    from cdk_nat_failover.address import Address
    from cdk_nat_failover.messaging.failover_topic import FailoverTopic
    from cdk_nat_failover.network.nat_network import NatNetwork
    from cdk_nat_failover.options.instances import InstanceOptions

# The root device of the Amazon Linux 2023 images. Its size is that of the image's snapshot: to say
# less is refused.
ROOT_DEVICE = "/dev/xvda"

# Of the instance metadata service: tokens only, and no hop beyond the instance itself, so that a
# client of the NAT cannot reach it ("Use IMDSv2", EC2 user guide).
HOP_LIMIT = 1

EBS_KEY = "alias/aws/ebs"
"""The key of the disks, which AWS manages and lets every caller of the account use.

Unnamed, it would be the account's default key. Where that is a customer's without a grant for Auto
Scaling's service-linked role, every launch fails. A launch configuration cannot name a key."""

IDLE_S = 7500
"""After how many idle seconds the platform forgets an established TCP flow.

A minute later than the instance itself does (sysctl.conf), so that the instance answers what comes
too late, and not the platform by silence. AWS's default is five days, or 350 s on newer instances,
and the entries are limited for each type (docs/decisions/0019-the-security-group-is-tracked.md)."""

HASH = 16

ENDPOINTS = ("rds", "cloudformation", "autoscaling")
"""Services that have an endpoint in each Region of each partition (botocore, endpoints.json).

No third party is asked. None has a gateway endpoint, and few VPCs have interface endpoints for all
of them: a name that leads into the VPC proves nothing, and is passed over."""


WATCH = Path(__file__).with_name("watch")
"""The modules of the watch, which instances fetch."""


def group_name(address: Address) -> str:
    """Return the group's name, which instances and function are told before the group exists.

    An instance may complete the actions of that group only, and the function believes that group
    only (decision 0009).
    """
    return f"{address.name}-nat"


def _endpoints() -> list[str]:
    return [f"{service}.{cdk.Aws.REGION}.{cdk.Aws.URL_SUFFIX}" for service in ENDPOINTS]


class NatLaunch(Construct):
    """A launch template, or a launch configuration that says the same."""

    def __init__(  # noqa: PLR0913 - what an instance is made of, each thing by name
        self,
        scope: Construct,
        construct_id: str,
        *,
        network: NatNetwork,
        options: InstanceOptions,
        security_group: ec2.ISecurityGroup | None,
        address: Address,
        topic: FailoverTopic,
        memory: dynamodb.ITable,
        hook: str,
        resource: str,
        elastic_ips: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._options, self._address = options, address
        self.security_group = security_group or NatSecurityGroup(
            self, "SecurityGroup", network=network
        )
        code = self._watch_code() if options.watch else None
        self.role = NatRole(
            self,
            "Role",
            group=group_name(address),
            topic=topic,
            memory=memory,
            code=code,
            options=options,
        )
        self._profile = iam.CfnInstanceProfile(self, "Profile", roles=[self.role.role_name])
        self._image_id = self._image()
        boot = Boot(
            targets=options.self_test or _endpoints(),
            group=group_name(address),
            hook=hook,
            stack=cdk.Stack.of(self).stack_name,
            resource=resource,
            session_manager=options.session_manager,
            watch=options.watch,
            topic=topic.topic.topic_arn,
            table=memory.table_name,
            code=code.s3_object_url if code else "",
            served=network.served_cidrs,
            elastic_ips=elastic_ips,
        )
        self._user_data = cdk.Fn.base64(user_data(boot))
        self.resource = self._template() if options.launch == "template" else self._configuration()

    @property
    def version(self) -> str:
        """What changes when anything about the instances changes."""
        return self.resource.ref

    def _watch_code(self) -> assets.Asset:
        return assets.Asset(self, "Watch", path=str(WATCH), exclude=["**/__pycache__"])

    def _image(self) -> str:
        """Return the image: its id, or what tells it at the deployment or at each launch."""
        if self._options.ami:
            return self._options.ami.id
        if self._options.image_updates == "at-launch":
            # "Use a Systems Manager parameter instead of an AMI ID", EC2 user guide.
            return f"resolve:ssm:{self._options.public_image}"
        return self._image_of_the_deployment()

    def _image_of_the_deployment(self) -> str:
        """Return the image that the public parameter names when the stack is deployed."""
        # Each image has a parameter of its own: of one that a stack has, the CDK deploys the value
        # that it had before, whatever its default says now.
        image = self._options.public_image
        parameter = cdk.CfnParameter(
            self,
            "Image",
            type="AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>",
            default=image,
            description="Public parameter that names the image of the NAT instances; a deployment"
            " takes the newest, and replaces the instances one by one if it changed",
        )
        name = f"{self._address.path}NatImage{image.rpartition('/')[-1]}"
        parameter.override_logical_id(re.sub("[^A-Za-z0-9]", "", name))
        return parameter.value_as_string

    def _template(self) -> ec2.CfnLaunchTemplate:
        data = self._template_data()
        return ec2.CfnLaunchTemplate(
            self,
            "Template",
            # The one property that CloudFormation cannot change in place.
            launch_template_name=self._name(data),
            launch_template_data=data,
        )

    def _template_data(self) -> ec2.CfnLaunchTemplate.LaunchTemplateDataProperty:
        of = ec2.CfnLaunchTemplate
        return of.LaunchTemplateDataProperty(
            image_id=self._image_id,
            instance_type=self._options.instance_type,
            iam_instance_profile=of.IamInstanceProfileProperty(arn=self._profile.attr_arn),
            network_interfaces=[
                of.NetworkInterfaceProperty(
                    device_index=0,
                    associate_public_ip_address=True,
                    groups=[self.security_group.security_group_id],
                    connection_tracking_specification=of.ConnectionTrackingSpecificationProperty(
                        tcp_established_timeout=IDLE_S
                    ),
                )
            ],
            block_device_mappings=[
                of.BlockDeviceMappingProperty(
                    device_name=ROOT_DEVICE,
                    ebs=of.EbsProperty(encrypted=True, kms_key_id=EBS_KEY, volume_type="gp3"),
                )
            ],
            metadata_options=of.MetadataOptionsProperty(
                http_endpoint="enabled",
                http_tokens="required",
                http_put_response_hop_limit=HOP_LIMIT,
                # An account's default may turn them on; then one tag whose key the metadata service
                # cannot show fails every launch.
                instance_metadata_tags="disabled",
            ),
            user_data=self._user_data,
        )

    def _name(self, data: ec2.CfnLaunchTemplate.LaunchTemplateDataProperty) -> str:
        """Return a name that says what a template contains, and that no other stack has.

        A hash of its text; what is known at the deployment only, the security group and, unless
        the text names it, the image; and the part of the stack's id that is its own.
        """
        content = json.dumps(cdk.Stack.of(self).resolve(data), sort_keys=True)
        digest = hashlib.sha256(content.encode()).hexdigest()[:HASH]
        stack = cdk.Fn.select(2, cdk.Fn.split("/", cdk.Aws.STACK_ID))
        image = [self._image_id] if cdk.Token.is_unresolved(self._image_id) else []
        security_group = self.security_group.security_group_id
        return cdk.Fn.join("-", ["nat", digest, *image, security_group, stack])

    def _configuration(self) -> autoscaling.CfnLaunchConfiguration:
        of = autoscaling.CfnLaunchConfiguration
        configuration = autoscaling.CfnLaunchConfiguration(
            self,
            "Configuration",
            image_id=self._image_id,
            instance_type=self._options.instance_type,
            iam_instance_profile=self._profile.ref,
            associate_public_ip_address=True,
            security_groups=[self.security_group.security_group_id],
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
