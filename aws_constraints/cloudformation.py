"""CloudFormation: stacks, templates, custom resources, update policies, signals."""

from __future__ import annotations

from aws_constraints.rows import Row
from aws_constraints.rules import Document, Number, Text

STACK_NAME = Text(
    pattern=r"[A-Za-z][A-Za-z0-9-]*",
    allowed="letters, digits and hyphens, first a letter",
    shortest=1,
    longest=128,
)

_CUSTOM = "AWS::CloudFormation::CustomResource"
_QUOTAS = "CloudFormation user guide, 'CloudFormation quotas'"
_SECTION = "CloudFormation user guide"
_LOGICAL = Text(pattern=r"[A-Za-z0-9]+", allowed="letters and digits", shortest=1, longest=255)

ROWS = (
    Row(
        places=("Template/StackName", "cloudformation.SignalResource/StackName"),
        rule=STACK_NAME,
        source="CloudFormation API reference, CreateStack",
    ),
    Row(places=("Template/LogicalId",), rule=_LOGICAL, source=f"{_SECTION}, 'Resources'"),
    Row(
        places=("Template/Description",),
        rule=Document(longest=1024),
        source=_QUOTAS,
        words="Template format error: Description length is more than 1024 characters.",
    ),
    Row(
        places=("Template/Outputs/*/Description",),
        rule=Document(longest=1024),
        source=f"{_SECTION}, 'Outputs'",
    ),
    Row(
        places=("Template/Outputs/*/Value",),
        rule=Document(longest=1024),
        source=f"{_SECTION}, 'Outputs': of the description, and more than any value here needs",
    ),
    Row(
        places=("Template/Parameters/*/Description",),
        rule=Document(longest=4000),
        source=f"{_SECTION}, 'Parameters'",
    ),
    Row(
        places=("Template/Parameters/*/Type",),
        rule=Text(
            pattern=r"String|Number|AWS::SSM::Parameter::Value<[A-Za-z0-9:]+>",
            allowed="the name of a parameter's type",
            longest=128,
        ),
        source=f"{_SECTION}, 'Parameters'",
    ),
    Row(
        places=("Template/Parameters/*/Default",),
        rule=Text(
            pattern=r"[A-Za-z0-9/._-]+",
            allowed="letters, digits and /._-",
            shortest=1,
            longest=1011,
        ),
        source="Systems Manager API reference, PutParameter, since each names one",
    ),
    Row(
        places=("Template/Rules",),
        rule=Document(longest=4096),
        source=f"{_SECTION}, 'Rules'; the CDK writes them",
    ),
    Row(
        places=(f"{_CUSTOM}/ServiceTimeout",),
        rule=Number(low=1, high=3600),
        source="CloudFormation template reference, AWS::CloudFormation::CustomResource",
        words="ServiceTimeout must be between 1 and 3600 seconds",
    ),
    Row(
        places=(_CUSTOM,),
        rule=Document(longest=262_144),
        source="SNS quotas, since some custom resources get it as a message; Lambda takes 1 MiB",
    ),
    Row(
        places=("cloudformation.SignalResource/LogicalResourceId",),
        rule=_LOGICAL,
        source="CloudFormation API reference, SignalResource",
    ),
    Row(
        places=("cloudformation.SignalResource/UniqueId",),
        rule=Text(pattern=r"[A-Za-z0-9-]+", allowed="an instance's id", shortest=1, longest=64),
        source="CloudFormation API reference, SignalResource",
    ),
)
