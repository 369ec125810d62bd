"""What a role may do with the items of a table that its policy names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from lab.emulator.iam.callers import Caller
from lab.emulator.iam.permissions import Permissions
from lab.tests.emulator.iam.guard import guarded
from tests.iam import SIMULATOR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.emulator.region import Region

KEY = "ASIAINSTANCE00000001"
TABLE = "any"
OWN, OTHER = {"key": {"S": "own"}}, {"key": {"S": "other"}}
ACTIONS = ("GetItem", "UpdateItem", "PutItem", "BatchGetItem", "BatchWriteItem", "Scan", "Query")


@pytest.fixture
def dynamodb(region: Region) -> Iterator[Any]:
    """Return a client of a role that may do everything to the items of one partition key."""
    region.client("dynamodb").create_table(
        TableName=TABLE,
        AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    statement = {
        "Effect": "Allow",
        "Action": [f"dynamodb:{name}" for name in ACTIONS],
        "Resource": f"arn:aws:dynamodb:us-east-1:123456789012:table/{TABLE}",
        "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["own"]}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam = region.client("iam")
    role = iam.create_role(RoleName="any", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    iam.put_role_policy(RoleName="any", PolicyName="any", PolicyDocument=document)
    with guarded(Permissions(SIMULATOR), {KEY: Caller(role, "i-1")}) as client:
        yield client("dynamodb", KEY)


CALLS: dict[str, Any] = {
    "get": lambda key: ("get_item", {"TableName": TABLE, "Key": key, "ConsistentRead": True}),
    "update": lambda key: (
        "update_item",
        {"TableName": TABLE, "Key": key, "UpdateExpression": "REMOVE whatever"},
    ),
    "put": lambda key: ("put_item", {"TableName": TABLE, "Item": {"any": {"S": "own"}, **key}}),
    "batch get": lambda key: (
        "batch_get_item",
        {"RequestItems": {TABLE: {"Keys": [OWN, key] if key != OWN else [key]}}},
    ),
    "batch put": lambda key: (
        "batch_write_item",
        {"RequestItems": {TABLE: [{"PutRequest": {"Item": {"any": {"S": "own"}, **key}}}]}},
    ),
    "batch delete": lambda key: (
        "batch_write_item",
        {"RequestItems": {TABLE: [{"DeleteRequest": {"Key": key}}]}},
    ),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_call_passes_only_when_it_names_items_that_the_policy_allows(
    dynamodb: Any,  # noqa: ANN401 - boto3's client
    call: Any,  # noqa: ANN401 - a row of the table
) -> None:
    """The partition key counts, whatever other attributes say; of a batch each one."""
    name, parameters = call(OWN)
    getattr(dynamodb, name)(**parameters)
    name, parameters = call(OTHER)
    with pytest.raises(ClientError, match="AccessDeniedException"):
        getattr(dynamodb, name)(**parameters)


def test_call_that_names_no_item_passes(dynamodb: Any) -> None:  # noqa: ANN401 - boto3's client
    """ForAllValues holds of a key that a call does not have: such a policy must not allow Scan."""
    dynamodb.scan(TableName=TABLE)


def test_items_of_a_condition_are_not_guessed(dynamodb: Any) -> None:  # noqa: ANN401 - boto3's client
    """The lab does not read them, and answers with an error."""
    with pytest.raises(ClientError):
        dynamodb.query(
            TableName=TABLE,
            KeyConditionExpression="#key = :key",
            ExpressionAttributeNames={"#key": "key"},
            ExpressionAttributeValues={":key": {"S": "other"}},
        )


def test_item_is_updated_on_a_condition_and_shown_as_it_was(dynamodb: Any) -> None:  # noqa: ANN401 - boto3's client
    """By moto alone: the condition is of the item before, also of what is nested in it."""
    first: dict[str, Any] = {"M": {"sequence": {"N": "2"}, "said": {"S": "any"}}}
    given = {
        "TableName": TABLE,
        "Key": OWN,
        "UpdateExpression": "SET #who = :claim",
        "ConditionExpression": "attribute_not_exists(#who) OR #who.#sequence < :sequence",
        "ExpressionAttributeNames": {"#who": "i-1", "#sequence": "sequence"},
    }
    values = {":claim": first, ":sequence": {"N": "2"}}
    reply = dynamodb.update_item(**given, ExpressionAttributeValues=values, ReturnValues="ALL_NEW")
    assert {**OWN, "i-1": first} == reply["Attributes"]
    with pytest.raises(ClientError, match="ConditionalCheckFailedException"):
        dynamodb.update_item(**given, ExpressionAttributeValues=values)
    newer: dict[str, Any] = {"M": {"sequence": {"N": "3"}, "said": {"S": "other"}}}
    reply = dynamodb.update_item(
        **given,
        ExpressionAttributeValues={":claim": newer, ":sequence": {"N": "3"}},
        ReturnValues="ALL_OLD",
    )
    assert {**OWN, "i-1": first} == reply["Attributes"]
    read = dynamodb.get_item(TableName=TABLE, Key=OWN, ConsistentRead=True)
    assert {**OWN, "i-1": newer} == read["Item"]
