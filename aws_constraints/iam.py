"""IAM: roles, and the language of policies, those of topics, queues and keys included."""

from __future__ import annotations

from aws_constraints.rows import Row
from aws_constraints.rules import Document, OneOf, Text

_ELEMENTS = "IAM user guide, 'IAM JSON policy element reference'"
_QUOTAS = "IAM user guide, 'IAM and AWS STS quotas'"

IDENTITY_POLICIES = ("AWS::IAM::Role/Policies/*/PolicyDocument", "AWS::IAM::Policy/PolicyDocument")
TRUST_POLICIES = ("AWS::IAM::Role/AssumeRolePolicyDocument",)
RESOURCE_POLICIES = (
    "AWS::SNS::TopicPolicy/PolicyDocument",
    "AWS::SQS::QueuePolicy/PolicyDocument",
    "AWS::KMS::Key/KeyPolicy",
)
POLICIES = (*IDENTITY_POLICIES, *TRUST_POLICIES, *RESOURCE_POLICIES)
_STATEMENTS = tuple(f"{policy}/Statement/*" for policy in POLICIES)


def _of_statements(*names: str) -> tuple[str, ...]:
    return tuple(f"{statement}/{name}" for statement in _STATEMENTS for name in names)


LANGUAGE = (
    Row(
        places=tuple(f"{policy}/Version" for policy in POLICIES),
        rule=OneOf(("2008-10-17", "2012-10-17")),
        source=f"{_ELEMENTS}: Version",
        code="MalformedPolicyDocument",
        words="The policy must contain a valid version string",
    ),
    Row(
        places=_of_statements("Sid"),
        rule=Text(pattern=r"[A-Za-z0-9]*", allowed="letters and digits", longest=128),
        source=f"{_ELEMENTS}: Sid",
        code="MalformedPolicyDocument",
        words="Statement IDs (SID) in a single policy must be alpha numeric.",
    ),
    Row(
        places=_of_statements("Effect"),
        rule=OneOf(("Allow", "Deny")),
        source=f"{_ELEMENTS}: Effect",
        code="MalformedPolicyDocument",
        words="Invalid effect: {value}",
    ),
    Row(
        places=_of_statements("Action", "Action/*", "NotAction", "NotAction/*"),
        rule=Text(
            pattern=r"\*|[a-z0-9-]+:[A-Za-z0-9*?]+|\[.*\]",
            allowed="a service, a colon and an action",
            longest=128 * 128,
        ),
        source=f"{_ELEMENTS}: Action",
        code="MalformedPolicyDocument",
        words="Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
    ),
    Row(
        places=_of_statements("Resource", "Resource/*"),
        rule=Text(
            pattern=r"\*|arn:[a-z-]+:[^:]+:[^:]*:[^:]*:.+|\[.*\]",
            allowed="* or an ARN",
            longest=128 * 1024,
        ),
        source=f"{_ELEMENTS}: Resource",
        code="MalformedPolicyDocument",
        words='Resource {value} must be in ARN format or "*".',
    ),
    Row(
        places=_of_statements("Principal", "Condition"),
        rule=Document(longest=10_240),
        source=f"{_ELEMENTS}: Principal, Condition",
        code="MalformedPolicyDocument",
    ),
)

ROLES = (
    Row(
        places=("AWS::IAM::Role/Policies/*/PolicyName", "AWS::IAM::Policy/PolicyName"),
        rule=Text(
            pattern=r"[\w+=,.@-]+", allowed="letters, digits and _+=,.@-", shortest=1, longest=128
        ),
        source="IAM API reference, PutRolePolicy",
    ),
    Row(
        places=("AWS::IAM::Role/AssumeRolePolicyDocument",),
        rule=Text(allowed="any characters", shortest=2, longest=2048),
        source=f"{_QUOTAS}: role trust policy length",
        code="LimitExceeded",
        words="Cannot exceed quota for ACLSizePerRole: 2048",
    ),
)

ROWS = (*LANGUAGE, *ROLES)
