"""EC2: networks, routes, security groups, launch templates, tags."""

from __future__ import annotations

from aws_constraints.regions import ZONE, ZONE_ID
from aws_constraints.rows import Row
from aws_constraints.rules import Document, Network, Number, OneOf, Text

DESCRIPTION = Text(
    pattern=r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]*",
    allowed="letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*",
    longest=255,
)
"""Descriptions of security groups and of their rules: no apostrophe, for one."""

TAG_KEY = Text(
    pattern=r"(?!aws:)[\s\S]*", allowed="a key without the prefix aws:", shortest=1, longest=127
)
TAG_VALUE = Text(allowed="any characters", longest=256)

AMI = Text(
    pattern=r"ami-([0-9a-f]{8}|[0-9a-f]{17})",
    allowed="ami- and 8 or 17 hexadecimal digits",
    longest=21,
)
"""An id that a person gives; the row below takes those of emulators too."""

ALLOCATION = Text(
    pattern=r"eipalloc-([0-9a-f]{8}|[0-9a-f]{17})",
    allowed="eipalloc- and 8 or 17 hexadecimal digits",
    longest=26,
)
"""An id that a person gives."""

INSTANCE_TYPE = Text(
    pattern=r"[a-z][a-z0-9-]*\.[a-z0-9-]+", allowed="a family, a dot and a size", longest=64
)
VPC_CIDR = Network(shortest=16, longest=28)

_FILTERED = (
    "DescribeAddresses",
    "DescribeInstances",
    "DescribeNetworkAcls",
    "DescribeRouteTables",
    "DescribeSubnets",
    "DescribeVpcs",
)
_RULES = ("SecurityGroupIngress", "SecurityGroupEgress")
_AUTHORIZE = ("AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress")
_RANGES = ("IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs")
_DATA = "AWS::EC2::LaunchTemplate/LaunchTemplateData"
_TRACKING = f"{_DATA}/NetworkInterfaces/*/ConnectionTrackingSpecification"
_TAGGED = (
    "EIP",
    "InternetGateway",
    "RouteTable",
    "SecurityGroup",
    "Subnet",
    "VPC",
    "VPCEndpoint",
)
_LISTS_OF_TAGS = (
    *(f"AWS::EC2::{kind}/Tags" for kind in _TAGGED),
    "AWS::EC2::LaunchTemplate/TagSpecifications/*/Tags",
    f"{_DATA}/TagSpecifications/*/Tags",
)


def _in_rules(name: str) -> tuple[str, ...]:
    """Return the places of a property of a rule, within its group and on its own."""
    within = tuple(f"AWS::EC2::SecurityGroup/{rules}/*/{name}" for rules in _RULES)
    return (*within, *(f"AWS::EC2::{rules}/{name}" for rules in _RULES))


def _identifier(prefix: str, *places: str) -> Row:
    """Return the row of parameters that hold an id that EC2 gave."""
    return Row(
        places=places,
        rule=Text(pattern=rf"{prefix}-[0-9a-f]+", allowed=f"{prefix}- and digits", longest=40),
        source="EC2 user guide, 'Resource IDs'",
        code="InvalidParameterValue",
        words=f'Invalid id: "{{value}}" (expecting "{prefix}-...")',
    )


SECURITY_GROUPS = (
    Row(
        places=(
            *_in_rules("Description"),
            *(
                f"ec2.{operation}/IpPermissions/*/{ranges}/*/Description"
                for operation in _AUTHORIZE
                for ranges in _RANGES
            ),
        ),
        rule=DESCRIPTION,
        source="EC2 API reference, IpRange; github.com/aws-cloudformation/cfn-lint/issues/173",
        code="InvalidParameterValue",
        words="Invalid rule description. Valid descriptions are strings less than 256 characters"
        " from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*",
    ),
    Row(
        places=(
            "AWS::EC2::SecurityGroup/GroupDescription",
            "ec2.CreateSecurityGroup/Description",
        ),
        rule=DESCRIPTION,
        source="EC2 API reference, CreateSecurityGroup",
        code="InvalidParameterValue",
        words="Invalid security group description. Valid descriptions are strings less than 256"
        " characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*",
    ),
    Row(
        places=("AWS::EC2::SecurityGroup/GroupName", "ec2.CreateSecurityGroup/GroupName"),
        rule=Text(
            pattern=rf"(?!sg-){DESCRIPTION.pattern}",
            allowed=f"{DESCRIPTION.allowed}, without the prefix sg-",
            shortest=1,
            longest=255,
        ),
        source="EC2 API reference, CreateSecurityGroup",
        code="InvalidParameterValue",
        words="Value ({value}) for parameter GroupName is invalid.",
    ),
    Row(
        places=_in_rules("IpProtocol"),
        rule=Text(
            pattern=r"-1|tcp|udp|icmp|icmpv6|1?\d?\d|2[0-4]\d|25[0-5]",
            allowed="-1, tcp, udp, icmp, icmpv6 or the number of a protocol",
            shortest=1,
            longest=6,
        ),
        source="EC2 API reference, IpPermission",
        code="InvalidParameterValue",
        words="Invalid value '{value}' for IP protocol. Unknown protocol.",
    ),
    Row(
        places=(*_in_rules("FromPort"), *_in_rules("ToPort")),
        rule=Number(low=-1, high=65535),
        source="EC2 API reference, IpPermission",
        code="InvalidParameterValue",
    ),
    Row(
        places=_in_rules("CidrIp"),
        rule=Network(),
        source="EC2 API reference, IpRange",
        code="InvalidParameterValue",
        words="CIDR block {value} is malformed",
    ),
)

NETWORKS = (
    Row(
        places=(
            "AWS::EC2::VPC/CidrBlock",
            "AWS::EC2::VPCCidrBlock/CidrBlock",
            "ec2.CreateVpc/CidrBlock",
            "ec2.AssociateVpcCidrBlock/CidrBlock",
        ),
        rule=VPC_CIDR,
        source="VPC user guide, 'VPC CIDR blocks'",
        code="InvalidVpc.Range",
        words="The CIDR '{value}' is invalid.",
    ),
    Row(
        places=("AWS::EC2::Subnet/CidrBlock", "ec2.CreateSubnet/CidrBlock"),
        rule=VPC_CIDR,
        source="VPC user guide, 'Subnet sizing'",
        code="InvalidSubnet.Range",
        words="The CIDR '{value}' is invalid.",
    ),
    Row(
        places=("AWS::EC2::Subnet/AvailabilityZone", "ec2.CreateSubnet/AvailabilityZone"),
        rule=Text(pattern=ZONE, allowed="a Region and a letter", longest=32),
        source="AWS Regions and Availability Zones, 'Availability Zones'",
        code="InvalidParameterValue",
        words="Value ({value}) for parameter availabilityZone is invalid.",
    ),
    Row(
        places=("AWS::EC2::Subnet/AvailabilityZoneId", "ec2.CreateSubnet/AvailabilityZoneId"),
        rule=Text(pattern=ZONE_ID, allowed="a Region in short, -az and a number", longest=32),
        source="AWS Regions and Availability Zones, 'AZ IDs'",
        code="InvalidParameterValue",
        words="Value ({value}) for parameter availabilityZoneId is invalid.",
    ),
    Row(
        places=(
            "AWS::EC2::Route/DestinationCidrBlock",
            "ec2.CreateRoute/DestinationCidrBlock",
            "ec2.ReplaceRoute/DestinationCidrBlock",
        ),
        rule=Network(),
        source="EC2 API reference, CreateRoute",
        code="InvalidParameterValue",
        words="Value ({value}) for parameter destinationCidrBlock is invalid.",
    ),
    Row(
        places=("AWS::EC2::VPCEndpoint/ServiceName",),
        rule=Text(
            pattern=r"[a-z0-9.-]+", allowed="small letters, digits, dots and hyphens", longest=255
        ),
        source="EC2 API reference, CreateVpcEndpoint",
        code="InvalidServiceName",
        words="The Vpc Endpoint Service '{value}' does not exist",
    ),
)

LAUNCH_TEMPLATES = (
    Row(
        places=(f"{_DATA}/InstanceType", "AWS::AutoScaling::LaunchConfiguration/InstanceType"),
        rule=INSTANCE_TYPE,
        source="EC2 instance types guide, 'Naming conventions'",
        code="InvalidParameterValue",
        words="Invalid value '{value}' for InstanceType.",
    ),
    _identifier("ami", "AWS::AutoScaling::LaunchConfiguration/ImageId"),
    Row(
        places=(f"{_DATA}/ImageId",),
        rule=Text(
            pattern=r"ami-[0-9a-f]+|resolve:ssm:[a-zA-Z0-9_.\-/:]+",
            allowed="ami- and digits, or resolve:ssm: and the name of a parameter",
            longest=2048 + len("resolve:ssm:"),
        ),
        source="EC2 API reference, RequestLaunchTemplateData; Systems Manager API reference,"
        " PutParameter",
        code="InvalidAMIID.Malformed",
        words='Invalid id: "{value}" (expecting "ami-...")',
    ),
    Row(
        places=(
            f"{_DATA}/BlockDeviceMappings/*/DeviceName",
            "AWS::AutoScaling::LaunchConfiguration/BlockDeviceMappings/*/DeviceName",
        ),
        rule=Text(
            pattern=r"/dev/(sd[a-z][0-9]{0,2}|xvd[a-z]{1,2})",
            allowed="/dev/sd or /dev/xvd and letters",
            longest=32,
        ),
        source="EC2 user guide, 'Device names for volumes on Amazon EC2 instances'",
        code="InvalidBlockDeviceMapping",
        words="Invalid device name {value}",
    ),
    Row(
        places=("AWS::EC2::LaunchTemplate/LaunchTemplateName",),
        rule=Text(
            pattern=r"[a-zA-Z0-9().\-/_]+",
            allowed="letters, digits and ().-/_",
            shortest=3,
            longest=128,
        ),
        source="EC2 API reference, LaunchTemplate; EC2 user guide, 'Create an Amazon EC2 launch"
        " template'",
        code="InvalidLaunchTemplateName.MalformedException",
        words="Launch template name is not valid: {value}",
    ),
    Row(
        places=(f"{_DATA}/BlockDeviceMappings/*/Ebs/KmsKeyId",),
        rule=Text(
            pattern=r"alias/[a-zA-Z0-9/_-]+|arn:[a-z-]+:kms:.+|[0-9a-f-]{36}|mrk-[0-9a-f]{32}",
            allowed="the id, the alias or the ARN of a key",
            shortest=1,
            longest=2048,
        ),
        source="EC2 API reference, LaunchTemplateEbsBlockDeviceRequest",
        code="InvalidParameterValue",
    ),
    Row(
        places=(f"{_DATA}/BlockDeviceMappings/*/Ebs/VolumeSize",),
        rule=Number(low=1, high=65_536),
        source="EC2 API reference, LaunchTemplateEbsBlockDeviceRequest",
        code="InvalidParameterValue",
    ),
    Row(
        places=("AWS::AutoScaling::LaunchConfiguration/BlockDeviceMappings/*/Ebs/VolumeType",),
        rule=OneOf(("gp2", "gp3", "io1", "sc1", "st1", "standard")),
        source="EC2 Auto Scaling API reference, Ebs",
    ),
    Row(
        places=(f"{_DATA}/MetadataOptions/HttpPutResponseHopLimit",),
        rule=Number(low=1, high=64),
        source="EC2 API reference, LaunchTemplateInstanceMetadataOptionsRequest",
        code="InvalidParameterValue",
    ),
    Row(
        places=(f"{_DATA}/NetworkInterfaces/*/DeviceIndex",),
        rule=Number(low=0, high=15),
        source="EC2 user guide, 'Maximum IP addresses per network interface'",
        code="InvalidParameterValue",
    ),
    Row(
        places=(f"{_TRACKING}/TcpEstablishedTimeout",),
        rule=Number(low=60, high=432_000),
        source="EC2 API reference, ConnectionTrackingSpecificationRequest",
        code="InvalidParameterValue",
    ),
    Row(
        places=(f"{_TRACKING}/UdpStreamTimeout",),
        rule=Number(low=60, high=180),
        source="EC2 API reference, ConnectionTrackingSpecificationRequest",
        code="InvalidParameterValue",
    ),
    Row(
        places=(f"{_TRACKING}/UdpTimeout",),
        rule=Number(low=30, high=60),
        source="EC2 API reference, ConnectionTrackingSpecificationRequest",
        code="InvalidParameterValue",
    ),
    Row(
        places=(
            f"{_DATA}/UserData/Fn::Base64",
            "AWS::AutoScaling::LaunchConfiguration/UserData/Fn::Base64",
        ),
        rule=Document(longest=16_384),
        source="EC2 user guide, 'Run commands on your Linux instance at launch'",
        code="InvalidUserData.Malformed",
        words="User data is limited to 16384 bytes",
    ),
)

TAGS = (
    Row(
        places=tuple(f"{tags}/*/Key" for tags in _LISTS_OF_TAGS),
        rule=TAG_KEY,
        source="EC2 API reference, Tag",
        code="InvalidParameterValue",
        words="Tag keys starting with 'aws:' are reserved for internal use",
    ),
    Row(
        places=tuple(f"{tags}/*/Value" for tags in _LISTS_OF_TAGS),
        rule=TAG_VALUE,
        source="EC2 API reference, Tag",
        code="InvalidParameterValue",
        words="Tag value exceeds the maximum length of 256 characters",
    ),
    Row(
        places=(
            "AWS::EC2::LaunchTemplate/TagSpecifications/*/ResourceType",
            f"{_DATA}/TagSpecifications/*/ResourceType",
        ),
        rule=OneOf(("launch-template", "instance", "volume", "network-interface")),
        source="EC2 API reference, TagSpecification",
    ),
)

CALLS = (
    _identifier("vpc", "AWS::EC2::SecurityGroup/VpcId"),
    _identifier("subnet", "AWS::AutoScaling::AutoScalingGroup/VPCZoneIdentifier/*"),
    _identifier(
        "rtb",
        *(
            f"ec2.{operation}/RouteTableId"
            for operation in (
                "CreateRoute",
                "ReplaceRoute",
                "AssociateRouteTable",
                "ReplaceRouteTableAssociation",
            )
        ),
    ),
    _identifier(
        "eni",
        "ec2.CreateRoute/NetworkInterfaceId",
        "ec2.ReplaceRoute/NetworkInterfaceId",
        "ec2.ModifyNetworkInterfaceAttribute/NetworkInterfaceId",
        "ec2.AssociateAddress/NetworkInterfaceId",
    ),
    _identifier("eipalloc", "ec2.AssociateAddress/AllocationId"),
    Row(
        places=("ec2.AssociateAddress/PrivateIpAddress",),
        rule=Text(pattern=r"[0-9]{1,3}(\.[0-9]{1,3}){3}", allowed="an IPv4 address", longest=15),
        source="EC2 API reference, AssociateAddress",
        code="InvalidParameterValue",
        words="Value ({value}) for parameter privateIpAddress is invalid.",
    ),
    Row(
        places=("AWS::EC2::EIP/Domain",),
        rule=OneOf(("vpc",)),
        source="EC2 API reference, AllocateAddress",
    ),
    _identifier("subnet", "ec2.AssociateRouteTable/SubnetId"),
    _identifier(
        "rtbassoc",
        "ec2.ReplaceRouteTableAssociation/AssociationId",
        "ec2.DisassociateRouteTable/AssociationId",
    ),
    Row(
        places=tuple(
            f"ec2.{operation}/Filters/*/{part}"
            for operation in _FILTERED
            for part in ("Name", "Values/*")
        ),
        rule=Text(allowed="any characters", shortest=1, longest=256),
        source="EC2 user guide, 'List and filter using the CLI and API'; values are tags and ids",
        code="InvalidParameterValue",
    ),
    Row(
        places=tuple(f"ec2.{operation}/NextToken" for operation in _FILTERED),
        rule=Document(longest=4096),
        source="EC2 API reference: what the last answer gave",
        code="InvalidNextToken",
    ),
    Row(
        places=("ec2.DescribeInstances/MaxResults",),
        rule=Number(low=5, high=1000),
        source="EC2 API reference, DescribeInstances",
        code="InvalidParameterValue",
    ),
    Row(
        places=("ec2.DescribeRouteTables/MaxResults",),
        rule=Number(low=5, high=100),
        source="EC2 API reference, DescribeRouteTables",
        code="InvalidParameterValue",
    ),
)

ROWS = (*SECURITY_GROUPS, *NETWORKS, *LAUNCH_TEMPLATES, *TAGS, *CALLS)
