"""Contracts of DynamoDB's tables in stacks, and what a function may do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from lab.emulator.services.dynamodb.tables import TablesOfStacksExpireItems
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import deploy
from lab.tests.emulator.stacks import physical, resource

if TYPE_CHECKING:
    from lab.emulator.region import Region

TABLE = resource(
    "DynamoDB::Table",
    AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}],
    KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
    BillingMode="PAY_PER_REQUEST",
    TimeToLiveSpecification={"AttributeName": "expires", "Enabled": True},
)


@contract_of(TablesOfStacksExpireItems)
def test_table_of_a_stack_has_the_time_to_live_of_its_template(region: Region) -> None:
    """It does not expire items here."""
    assert deploy(region, {"Table": TABLE}) == "CREATE_COMPLETE"
    table = physical(region, "Table")
    described = region.client("dynamodb").describe_time_to_live(TableName=table)
    wanted = {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
    assert wanted == described["TimeToLiveDescription"]


def test_table_of_a_stack_keeps_items_until_the_stack_is_deleted(region: Region) -> None:
    """A write on the condition that nobody else wrote fails when somebody did."""
    deploy(region, {"Table": TABLE})
    dynamodb, table = region.client("dynamodb"), physical(region, "Table")
    item, new = {"name": {"S": "any"}}, "attribute_not_exists(#name)"
    names = {"#name": "name"}
    given = {"TableName": table, "Item": item, "ExpressionAttributeNames": names}
    dynamodb.put_item(**given, ConditionExpression=new)
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        dynamodb.put_item(**given, ConditionExpression=new)
    assert item == dynamodb.get_item(TableName=table, Key=item, ConsistentRead=True)["Item"]
    region.client("cloudformation").delete_stack(StackName="any")
    assert dynamodb.list_tables()["TableNames"] == []
