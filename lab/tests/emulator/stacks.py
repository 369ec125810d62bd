"""Resources of templates, and updates of the stack that is called any."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lab.tests.emulator.factories import status

if TYPE_CHECKING:
    from lab.emulator.region import Region


def resource(kind: str, **properties: object) -> dict[str, Any]:
    """Return a resource as a template has it."""
    return {"Type": f"AWS::{kind}", "Properties": properties}


TOPIC = resource("SNS::Topic")
LOST = resource("EC2::Subnet", VpcId="vpc-0", CidrBlock="10.0.0.0/24")
"""A resource that cannot be created."""


def update(region: Region, resources: dict[str, Any], **options: bool) -> str:
    """Update the stack with a change set, as the CDK does; return the stack's status."""
    cloudformation = region.client("cloudformation")
    reply = cloudformation.create_change_set(
        StackName="any",
        ChangeSetName="update",
        ChangeSetType="UPDATE",
        TemplateBody=json.dumps({"Resources": resources}),
    )
    cloudformation.execute_change_set(ChangeSetName=reply["Id"], **options)
    return status(region)


def physical(region: Region, name: str) -> str:
    """Return the physical id of a resource of the stack."""
    detail = region.client("cloudformation").describe_stack_resource(
        StackName="any", LogicalResourceId=name
    )
    return str(detail["StackResourceDetail"]["PhysicalResourceId"])
