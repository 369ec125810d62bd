"""What the lab's own clients hear of the region, beside what others hear over HTTP."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import backends
from moto.core import responses
from moto.core.serialize import (
    AttributePicker,
    BaseXMLSerializer,
    EC2Serializer,
    XFormedAttributePicker,
)
from moto.ec2.models.core import TaggedEC2Resource

from lab.emulator.isolation import REGION
from lab.tests.emulator.factories import describe, group_in_service

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.emulator.region import Region

    Client = Callable[[str], Any]

MOTOS_OWN = {
    (owner, name): vars(owner)[name]
    for owner, name in (
        (backends, "list_of_moto_modules"),
        (responses, "method_names_from_class"),
        (XFormedAttributePicker, "get_possible_keys"),
        (AttributePicker, "__call__"),
        (BaseXMLSerializer, "_serialize_body"),
        (EC2Serializer, "_serialize_body"),
        (TaggedEC2Resource, "get_tags"),
    )
}
"""What stands in moto when no region does."""

ODD = {"Key": "any", "Value": 'a <tag> & "its" ü\''}


@pytest.fixture
def over_http(region: Region) -> Client:
    """Return what makes clients as any other process has them."""
    session: Any = boto3.Session()
    return lambda service: session.client(
        service,
        endpoint_url=region.endpoint,
        region_name=REGION,
        aws_access_key_id="lab",
        aws_secret_access_key="lab",  # noqa: S106 - the lab knows no secrets
    )


def answers(client: Client) -> list[Any]:
    """Return what services of each protocol answer."""
    made = [
        client("ec2").describe_instances(),
        client("autoscaling").describe_auto_scaling_groups(),
        client("events").list_rules(),
        client("lambda").list_functions(),
        client("s3").list_objects_v2(Bucket="any"),
    ]
    body = client("s3").get_object(Bucket="any", Key="an odd/key ü")["Body"].read()
    return [*({**row, "ResponseMetadata": None} for row in made), body]


@pytest.mark.parametrize("content", [b"any", io.BytesIO(b"any")], ids=["bytes", "file"])
def test_lab_hears_what_others_hear(region: Region, over_http: Client, content: Any) -> None:  # noqa: ANN401 - what S3 takes
    """In each protocol, names that are escaped on the way included."""
    group_in_service(region)
    region.client("s3").create_bucket(Bucket="any")
    region.client("s3").put_object(Bucket="any", Key="an odd/key ü", Body=content)
    heard = answers(region.client)
    assert heard[-1] == b"any"
    assert heard == answers(over_http)


def test_lab_is_refused_as_others_are(region: Region, over_http: Client) -> None:
    """With AWS's code and status."""
    refusals = []
    for client in (region.client, over_http):
        with pytest.raises(ClientError) as refused:
            client("ec2").describe_instances(InstanceIds=["i-00000000000000000"])
        metadata = refused.value.response["ResponseMetadata"]
        refusals.append((refused.value.response["Error"], metadata["HTTPStatusCode"]))
    assert refusals[0] == refusals[1]


def test_lab_goes_without_a_socket(region: Region) -> None:
    """Its clients are answered when the server is gone."""
    client = region.client("ec2")
    region.rest()
    try:
        assert client.describe_vpcs()["ResponseMetadata"]["HTTPStatusCode"] == 200
    finally:
        region.resume()


def test_shortcuts_change_no_answer(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without them moto says the same."""
    (first, _) = group_in_service(region)
    region.client("ec2").create_tags(Resources=[first], Tags=[ODD])
    short = answers_of_the_group(region)
    for (owner, name), own in MOTOS_OWN.items():
        assert vars(owner)[name] is not own
        monkeypatch.setattr(owner, name, own)
    assert short == answers_of_the_group(region)
    assert ODD in describe(region, first)["Tags"]


def answers_of_the_group(region: Region) -> list[Any]:
    """Return what is said of a group and of its instances."""
    asked = (
        region.client("autoscaling").describe_auto_scaling_groups(),
        region.client("ec2").describe_instances(),
    )
    return [{**answer, "ResponseMetadata": None} for answer in asked]
