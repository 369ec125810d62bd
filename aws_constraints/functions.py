"""Lambda: functions, their environment, permissions."""

from __future__ import annotations

from aws_constraints.rows import Row
from aws_constraints.rules import Document, Text

_FUNCTION = "AWS::Lambda::Function"

ROWS = (
    Row(
        places=(f"{_FUNCTION}/Description",),
        rule=Text(allowed="any characters", longest=256),
        source="Lambda API reference, CreateFunction",
        code="ValidationException",
    ),
    Row(
        places=(f"{_FUNCTION}/Environment/Variables",),
        rule=Document(longest=4096),
        source="Lambda developer guide, 'Lambda quotas'",
        code="InvalidParameterValueException",
        words="Lambda was unable to configure your environment variables because the environment"
        " variables you have provided exceeded the 4KB limit.",
    ),
    Row(
        places=(f"{_FUNCTION}/Code/S3Key",),
        rule=Document(longest=1024),
        source="Lambda API reference, FunctionCode",
        code="ValidationException",
    ),
    Row(
        places=(f"{_FUNCTION}/Tags/*/Key",),
        rule=Text(pattern=r"(?!aws:)[\s\S]+", allowed="a key without the prefix aws:", longest=128),
        source="Lambda developer guide, 'Tags'",
    ),
)
