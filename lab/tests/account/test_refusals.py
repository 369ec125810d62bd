"""What a drill of a real account says when it cannot begin, and how to mend it."""

from __future__ import annotations

from typing import Any

import pytest

from lab.account import PERMISSIONS, RealDrillError, drill
from lab.drills.scenario import read_faults
from lab.tests.account.answers import (
    ACCOUNT,
    FUNCTION,
    IDENTITY,
    NOWHERE,
    RESOURCES,
    STACKS,
    answer,
    any_session,
    refuse,
)
from nat_failover.contract import HomeTable, Settings
from tests.factories import any_function_settings

ANY_TABLE = HomeTable(id="rtb-any", zone="us-east-1a", subnets=("subnet-any",))


def never(text: str) -> bool:
    """Fail: nobody is to be asked."""
    pytest.fail(f"the person was asked: {text}")


def refused(session: Any, *faults: str) -> str:  # noqa: ANN401 - a boto3 session
    """Return what a drill says that does not even ask."""
    with pytest.raises(RealDrillError) as error:
        drill(
            read_faults(faults or ["terminate"]),
            "Any",
            session=session,
            ask=never,
            tell=lambda _: None,
            endpoint=NOWHERE,
        )
    return str(error.value)


def in_account(status: str = "CREATE_COMPLETE") -> Any:  # noqa: ANN401 - a boto3 session
    """Return a session of an account with a stack."""
    session = any_session()
    answer(session, IDENTITY, ACCOUNT)
    answer(session, STACKS, {"Stacks": [{"StackName": "Any", "StackStatus": status}]})
    return session


def with_resources(session: Any, **ids: str) -> None:  # noqa: ANN401 - a boto3 session
    """Let the stack have one resource of each kind, unless given."""
    physical = {
        "AWS::AutoScaling::AutoScalingGroup": "group",
        "AWS::Lambda::Function": "function",
        "AWS::Logs::LogGroup": "log",
        "AWS::EC2::RouteTable": "rtb-any",
        **ids,
    }
    rows = [
        {"ResourceType": kind, "PhysicalResourceId": id_} for kind, id_ in physical.items() if id_
    ]
    answer(session, RESOURCES, {"StackResourceSummaries": rows})


def test_drill_says_how_to_log_in_when_there_are_no_credentials(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It looks for them where boto3 does, and names the way to get some."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    said = refused(any_session())
    assert "no usable AWS credentials" in said
    assert "aws sso login" in said


def test_drill_says_how_to_log_in_when_the_credentials_have_expired() -> None:
    """AWS's own words, and the way to new ones."""
    session = any_session()
    refuse(session, IDENTITY, "ExpiredToken", "The security token is expired")
    said = refused(session)
    assert "ExpiredToken" in said
    assert "aws sso login" in said


def test_drill_names_the_option_when_there_is_no_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the option, nor the profile, nor the environment says one."""
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert "--region" in refused(any_session(""))


@pytest.mark.parametrize("operation", [STACKS, RESOURCES, FUNCTION])
def test_drill_names_the_call_and_what_to_allow_when_access_is_denied(operation: str) -> None:
    """The permission that is missing, and all that every drill needs."""
    session = any_session()
    refuse(session, operation, "AccessDenied")
    answer(session, IDENTITY, ACCOUNT)
    answer(session, STACKS, {"Stacks": [{"StackName": "Any", "StackStatus": "CREATE_COMPLETE"}]})
    with_resources(session)
    said = refused(session)
    assert f"may not call {operation.replace('.', ':')} " in said
    for permission in PERMISSIONS["every drill"]:
        assert permission in said


def test_drill_names_the_stack_and_the_region_when_there_is_no_such_stack() -> None:
    """What was given, and which options mend it."""
    session = any_session()
    answer(session, IDENTITY, ACCOUNT)
    refuse(session, STACKS, "ValidationError", "Stack with id Any does not exist")
    said = refused(session)
    assert "no stack 'Any' in us-east-1" in said
    assert "--stack" in said
    assert "--region" in said


@pytest.mark.parametrize(
    "status", ["UPDATE_IN_PROGRESS", "ROLLBACK_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"]
)
def test_drill_waits_for_nobody_when_the_stack_is_not_at_rest(status: str) -> None:
    """Its status, and those that are allowed."""
    said = refused(in_account(status))
    assert f"Any is {status}" in said
    assert "CREATE_COMPLETE" in said


def test_drill_leaves_a_stack_alone_when_it_is_another_apps() -> None:
    """It lacks what this app has, such as a function."""
    session = in_account()
    with_resources(session, **{"AWS::Lambda::Function": ""})
    assert "0 resources of type AWS::Lambda::Function" in refused(session)


def test_drill_leaves_a_stack_alone_when_its_function_is_another_apps() -> None:
    """It is not told what this app's function is told."""
    session = in_account()
    with_resources(session)
    assert "NAT_TABLES is not set" in refused_with_function(session, {})


@pytest.mark.parametrize(
    "settings",
    [
        any_function_settings(stack="Other", tables=(ANY_TABLE,)),
        any_function_settings(
            stack="Any",
            tables=(HomeTable(id="rtb-elsewhere", zone="us-east-1a", subnets=("subnet-any",)),),
        ),
    ],
    ids=["another-stack", "another-table"],
)
def test_drill_leaves_a_stack_alone_when_its_function_serves_another(settings: Settings) -> None:
    """What the function is told of must be in the stack that was named."""
    session = in_account()
    with_resources(session)
    assert "another stack's tables" in refused_with_function(session, settings.to_env())


def refused_with_function(session: Any, variables: dict[str, str]) -> str:  # noqa: ANN401 - boto3
    """Return what a drill says of a stack whose function has these variables."""
    answer(session, FUNCTION, {"Handler": "any", "Environment": {"Variables": variables}})
    return refused(session)


def test_drill_leaves_a_vpc_alone_that_was_there_before_the_stack() -> None:
    """Its tables and subnets carry no tag of the stack."""
    session = in_account()
    with_resources(session, **{"AWS::EC2::RouteTable": ""})
    settings = any_function_settings(stack="Any", tables=(HomeTable(id="rtb-any"),))
    said = refused_with_function(session, settings.to_env())
    assert "the stack Any serves vpc-any, which it did not make" in said


@pytest.mark.parametrize(
    "fault",
    ["hang", "both", "zone-outage:b", "tamper:elsewhere", "tamper:gateway", "terminate@10"],
)
def test_drill_names_what_is_allowed_when_a_fault_is_not(fault: str) -> None:
    """The fault as it was written, and all that a real account allows."""
    said = refused(any_session(), fault)
    assert repr(fault) in said
    assert "terminate, stop, planned, check-reset, tamper" in said


def test_drill_says_why_when_a_fault_has_a_time() -> None:
    """Faults of a real account come one after the other."""
    assert "one after the other" in refused(any_session(), "terminate@10")
