"""What a role may do is what its policies say at the moment of the call."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from lab.emulator.iam.callers import Caller
from lab.emulator.iam.calls import ApiCall
from lab.emulator.iam.permissions import Permissions, Refused
from lab.emulator.iam.service import Simulator
from lab.emulator.isolation import ACCOUNT, REGION
from lab.tests.emulator.factories import deploy
from tests.iam import SIMULATOR

if TYPE_CHECKING:
    from lab.emulator.region import Region

TABLE = f"arn:aws:ec2:{REGION}:{ACCOUNT}:route-table/rtb-1"
REPLACE = "ec2:ReplaceRoute"


def call(service: str = "ec2", operation: str = "ReplaceRoute") -> ApiCall:
    """Return a call; what it names beyond a table does not matter."""
    return ApiCall(
        service=service,
        operation=operation,
        parameters={"RouteTableId": "rtb-1"},
        account=ACCOUNT,
        region=REGION,
        protocol="any",
    )


def document(effect: str, action: str, resource: str = "*") -> str:
    """Return a policy of one statement."""
    statement = {"Effect": effect, "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def caller(region: Region) -> Caller:
    """Return a session of a role that may replace the routes of one table."""
    iam = region.client("iam")
    role = iam.create_role(RoleName="any", Path="/any/", AssumeRolePolicyDocument="{}")["Role"]
    iam.put_role_policy(
        RoleName="any", PolicyName="any", PolicyDocument=document("Allow", REPLACE, TABLE)
    )
    return Caller(role["Arn"], "any-function")


def test_session_is_named_as_sts_does(caller: Caller) -> None:
    """The path of a role does not appear in the ARN of its sessions."""
    assert caller.role == f"arn:aws:iam::{ACCOUNT}:role/any/any"
    assert caller.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/any/any-function"


def test_answer_is_remembered_until_the_policies_change(region: Region, caller: Caller) -> None:
    """The same question costs no second evaluation; a changed policy is another question."""
    with closing(Simulator()) as simulator:
        permissions = Permissions(simulator)
        assert permissions.refused(caller, call()) is None
    assert permissions.refused(caller, call()) is None
    region.client("iam").delete_role_policy(RoleName="any", PolicyName="any")
    with pytest.raises(RuntimeError, match="closed"):
        permissions.refused(caller, call())


def test_call_is_refused_when_the_policy_is_gone(region: Region, caller: Caller) -> None:
    """The refusal names action and resource."""
    permissions = Permissions(SIMULATOR)
    assert permissions.refused(caller, call()) is None
    region.client("iam").delete_role_policy(RoleName="any", PolicyName="any")
    refused = Refused(action=REPLACE, resource=TABLE, denied=False)
    assert permissions.refused(caller, call()) == refused


def test_attached_policies_count_as_the_roles_own(region: Region, caller: Caller) -> None:
    """A denial in a managed policy wins over what another one allows."""
    iam = region.client("iam")
    for name, text in {
        "more": document("Allow", "ec2:*"),
        "less": document("Deny", REPLACE),
    }.items():
        arn = iam.create_policy(PolicyName=name, PolicyDocument=text)["Policy"]["Arn"]
        iam.attach_role_policy(RoleName="any", PolicyArn=arn)
    permissions = Permissions(SIMULATOR)
    assert permissions.refused(caller, call(operation="DeleteRoute")) is None
    refused = Refused(action=REPLACE, resource=TABLE, denied=True)
    assert permissions.refused(caller, call()) == refused


def test_policies_of_a_stacks_role_count(region: Region) -> None:
    """Whether they are part of the role or a resource of their own, as the CDK makes them."""
    nobody = {"Version": "2012-10-17", "Statement": []}
    own, more = json.loads(document("Allow", REPLACE)), json.loads(document("Allow", "sns:Publish"))
    role = {
        "AssumeRolePolicyDocument": nobody,
        "Policies": [{"PolicyName": "any", "PolicyDocument": own}],
    }
    policy = {"PolicyName": "any-other", "PolicyDocument": more, "Roles": [{"Ref": "Role"}]}
    resources = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": role},
        "Policy": {"Type": "AWS::IAM::Policy", "Properties": policy},
    }
    assert deploy(region, resources) == "CREATE_COMPLETE"
    (deployed,) = region.client("iam").list_roles()["Roles"]
    caller, permissions = Caller(deployed["Arn"], "any-function"), Permissions(SIMULATOR)
    assert permissions.refused(caller, call()) is None
    assert permissions.refused(caller, call("sns", "Publish")) is None
    assert permissions.refused(caller, call(operation="DeleteRoute")) is not None


def test_call_is_refused_while_its_permission_is_missing(caller: Caller) -> None:
    """A fault takes a permission away and gives it back; the deployed policies stay."""
    permissions = Permissions(SIMULATOR)
    permissions.missing.add(REPLACE)
    refused = Refused(action=REPLACE, resource=TABLE, denied=False)
    assert permissions.refused(caller, call()) == refused
    permissions.missing.clear()
    assert permissions.refused(caller, call()) is None


def test_caller_may_ask_who_it_is(caller: Caller) -> None:
    """GetCallerIdentity needs no permission."""
    asked = call("sts", "GetCallerIdentity")
    assert Permissions(SIMULATOR).refused(caller, asked) is None
    assert Permissions(SIMULATOR).refused(caller, call("sts", "GetSessionToken")) is not None


def test_call_is_an_error_when_nobody_knows_its_permission(caller: Caller) -> None:
    """It is neither let pass nor refused."""
    with pytest.raises(ValueError, match="ec2:RepairRoute"):
        Permissions(SIMULATOR).refused(caller, call(operation="RepairRoute"))
