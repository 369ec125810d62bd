"""EventBridge: rules, patterns, inputs."""

from __future__ import annotations

from aws_constraints.rows import Row
from aws_constraints.rules import Document, Text

_RULE = "AWS::Events::Rule"

ROWS = (
    Row(
        places=(f"{_RULE}/Description",),
        rule=Text(allowed="any characters", longest=512),
        source="EventBridge API reference, PutRule",
        code="ValidationException",
    ),
    Row(
        places=(f"{_RULE}/EventPattern",),
        rule=Document(longest=2048),
        source="EventBridge user guide, 'EventBridge quotas', event pattern size",
        code="InvalidEventPatternException",
    ),
    Row(
        places=(f"{_RULE}/Targets/*/Input",),
        rule=Document(longest=8192),
        source="EventBridge API reference, Target",
        code="ValidationException",
    ),
)
