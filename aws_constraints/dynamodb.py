"""DynamoDB: tables, items, expressions."""

from __future__ import annotations

from aws_constraints.rows import Row
from aws_constraints.rules import Document, OneOf, Text

_TABLE = "AWS::DynamoDB::Table"
_ATTRIBUTE = Text(allowed="any characters", shortest=1, longest=255)
_QUOTAS = "DynamoDB developer guide, 'Quotas'"

ROWS = (
    Row(
        places=(
            f"{_TABLE}/AttributeDefinitions/*/AttributeName",
            f"{_TABLE}/KeySchema/*/AttributeName",
            f"{_TABLE}/TimeToLiveSpecification/AttributeName",
        ),
        rule=_ATTRIBUTE,
        source="DynamoDB API reference, AttributeDefinition, KeySchemaElement,"
        " TimeToLiveSpecification",
    ),
    Row(
        places=(f"{_TABLE}/KeySchema/*/KeyType",),
        rule=OneOf(("HASH", "RANGE")),
        source="DynamoDB API reference, KeySchemaElement",
    ),
    Row(
        places=(
            "dynamodb.PutItem/Item",
            "dynamodb.UpdateItem/Key",
            "dynamodb.UpdateItem/ExpressionAttributeValues",
        ),
        rule=Document(longest=409_600),
        source=f"{_QUOTAS}: an item has up to 400 KB",
        code="ValidationException",
        words="Item size has exceeded the maximum allowed size",
    ),
    Row(
        places=("dynamodb.GetItem/Key",),
        rule=Document(longest=2048),
        source=f"{_QUOTAS}: a partition key has up to 2048 bytes",
        code="ValidationException",
    ),
    Row(
        places=tuple(
            f"dynamodb.{operation}/{name}"
            for operation in ("PutItem", "GetItem", "UpdateItem")
            for name in (
                "ConditionExpression",
                "ExpressionAttributeNames",
                "ProjectionExpression",
                "UpdateExpression",
            )
        ),
        rule=Document(longest=4096),
        source=f"{_QUOTAS}: an expression has up to 4 KB",
        code="ValidationException",
    ),
    Row(
        places=("dynamodb.PutItem/ExpressionAttributeValues",),
        rule=Document(longest=2_097_152),
        source=f"{_QUOTAS}: substitution variables have up to 2 MB",
        code="ValidationException",
    ),
    Row(
        places=tuple(
            f"dynamodb.{operation}/TableName" for operation in ("PutItem", "GetItem", "UpdateItem")
        ),
        rule=Text(
            pattern=r"[A-Za-z0-9_.:/-]+",
            allowed="letters, digits and _.-, or an ARN",
            shortest=3,
            longest=1024,
        ),
        source=_QUOTAS,
        code="ValidationException",
    ),
)
