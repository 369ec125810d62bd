"""Contracts of functions: how they run, what they keep, who may invoke them."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from moto.awslambda.utils import get_backend

from lab.emulator.isolation import ACCOUNT, REGION
from lab.emulator.services.lambda_.function_policies import DeletesPermissions
from lab.emulator.services.lambda_.functions import (
    DEAD_LETTERS,
    KeepsFunctionConfiguration,
    RunsFunctions,
)
from lab.emulator.services.messaging.schedules import RunsSchedules
from lab.emulator.services.messaging.topics import DeliversToFunctions
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import ECHO, FAILING, any_function, any_topic, deploy, eventually

if TYPE_CHECKING:
    from lab.emulator.region import Region

ENVIRONMENT = "import os\ndef do(event, context):\n    return dict(os.environ)\n"
SLOW = "import time\ndef do(event, context):\n    time.sleep(30)\n"


def invoke(region: Region, event: object, kind: str = "RequestResponse") -> dict[str, Any]:
    """Invoke the function `any`; return the reply, its payload decoded."""
    reply: dict[str, Any] = region.client("lambda").invoke(
        FunctionName="any", InvocationType=kind, Payload=json.dumps(event)
    )
    body = reply["Payload"].read()
    return {**reply, "Payload": json.loads(body) if body else None}


def answers(region: Region, kind: str = "function answered") -> list[Any]:
    """Return what functions answered, as the journal has it."""
    return [json.loads(row.detail["payload"]) for row in region.journal.entries(kind)]


@contract_of(RunsFunctions)
def test_function_runs_under_the_runtime_client_when_it_is_invoked(region: Region) -> None:
    """The handler gets event and context, and its return value comes back."""
    any_function(region, ECHO)
    reply = invoke(region, {"a": 1})
    assert reply["Payload"] == {"event": {"a": 1}, "name": "any"}
    assert "FunctionError" not in reply


def test_function_sees_lambdas_variables_and_nobodys_credentials(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a function can learn from its environment is what Lambda and the deployment say."""
    any_function(region, ENVIRONMENT, Environment={"Variables": {"DEPLOYED": "1"}}, MemorySize=256)
    monkeypatch.setenv("AWS_PROFILE", "person")
    monkeypatch.setenv("SECRET_OF_THE_PERSON", "yes")
    seen = invoke(region, {})["Payload"]
    assert seen["DEPLOYED"] == "1"
    assert seen["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert seen["AWS_ENDPOINT_URL"] == region.endpoint
    assert seen["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert not {"AWS_PROFILE", "SECRET_OF_THE_PERSON", "PYTHONPATH"} & seen.keys()


def test_function_reports_its_error_when_it_raises(region: Region) -> None:
    """An exception comes back as the error object of Lambda's runtime."""
    any_function(region, FAILING)
    reply = invoke(region, {})
    assert reply["FunctionError"] == "Unhandled"
    assert reply["Payload"]["errorType"] == "ValueError"


def test_function_is_ended_when_it_runs_into_its_timeout(region: Region) -> None:
    """A function that does not end is ended, with its process."""
    any_function(region, SLOW, Timeout=1)
    invoke(region, {"warm": False}, "Event")
    assert eventually(region, lambda: bool(answers(region, "function failed")))
    assert "timed out" in answers(region, "function failed")[0]["errorMessage"]
    assert region.functions.processes() == ()


def test_function_leaves_no_process_when_it_is_deleted(region: Region) -> None:
    """A warm execution environment ends with its function."""
    any_function(region, ECHO)
    invoke(region, {})
    (warm,) = region.functions.processes()
    region.client("lambda").delete_function(FunctionName="any")
    assert region.functions.processes() == ()
    with pytest.raises(ProcessLookupError):
        os.kill(warm, 0)


def test_function_fails_when_its_module_cannot_be_imported(region: Region) -> None:
    """What fails during initialization is reported, not waited for."""
    any_function(region, "import nowhere_to_be_found\n")
    reply = invoke(region, {})
    assert reply["Payload"]["errorType"] == "Runtime.ImportModuleError"


@contract_of(RunsFunctions)
def test_event_is_tried_three_times_and_kept_when_the_function_fails(region: Region) -> None:
    """An asynchronous invocation is accepted at once; after two retries it is a dead letter."""
    sqs = region.client("sqs")
    url = sqs.create_queue(QueueName="dead")["QueueUrl"]
    any_function(region, FAILING)
    keep_dead_letters()
    assert invoke(region, {"lost": False}, "Event")["StatusCode"] == 202
    assert eventually(region, lambda: len(answers(region, "function failed")) == 3)

    def letters() -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = sqs.receive_message(QueueUrl=url).get("Messages", [])
        return rows

    (letter,) = letters() or letters()
    assert json.loads(letter["Body"]) == {"lost": False}


def keep_dead_letters() -> None:
    """Give the function `any` a dead-letter queue, as CloudFormation would."""
    function = get_backend(ACCOUNT, REGION).get_function("any")
    DEAD_LETTERS[function] = f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead"


@contract_of(KeepsFunctionConfiguration)
def test_function_of_a_stack_keeps_its_queue_log_group_and_architecture(region: Region) -> None:
    """A stack's function logs where it was told to, in the format it was told to use."""
    resources = {
        "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/told"}},
        "Function": function_of(region, "def do(e, c):\n    print('line')\n", LogGroup="/told"),
    }
    assert deploy(region, resources) == "CREATE_COMPLETE"
    invoke(region, {})
    logs = region.client("logs")
    assert eventually(
        region,
        lambda: any(
            "line" in row["message"]
            for row in logs.filter_log_events(logGroupName="/told")["events"]
        ),
    )
    configuration = region.client("lambda").get_function(FunctionName="any")["Configuration"]
    assert configuration["Architectures"] == ["arm64"]


def function_of(region: Region, code: str, **logging: str) -> dict[str, Any]:
    """Return a function as a template has it; its name is `any`."""
    role = region.client("iam").create_role(RoleName="any", AssumeRolePolicyDocument="{}")
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": "any",
            "Runtime": "python3.13",
            "Handler": "index.do",
            "Timeout": 5,
            "Role": role["Role"]["Arn"],
            "Code": {"ZipFile": code},
            "Architectures": ["arm64"],
            "LoggingConfig": {"LogFormat": "JSON", **logging},
        },
    }


@contract_of(DeletesPermissions)
def test_permission_goes_when_it_leaves_its_stack(region: Region) -> None:
    """A function that stays has no statement of a permission that went."""
    function = {**function_of(region, ECHO), "DeletionPolicy": "Retain"}
    permission = {
        "Type": "AWS::Lambda::Permission",
        "Properties": {
            "Action": "lambda:InvokeFunction",
            "FunctionName": {"Fn::GetAtt": ["Function", "Arn"]},
            "Principal": "events.amazonaws.com",
        },
    }
    resources = {"Function": function, "Permission": permission}
    assert deploy(region, resources) == "CREATE_COMPLETE"
    functions = region.client("lambda")
    assert "events.amazonaws.com" in functions.get_policy(FunctionName="any")["Policy"]
    region.client("cloudformation").delete_stack(StackName="any")
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.get_policy(FunctionName="any")


def allow(region: Region, service: str, source: str) -> None:
    """Let a service invoke the function `any` for a source."""
    region.client("lambda").add_permission(
        FunctionName="any",
        StatementId="any",
        Action="lambda:InvokeFunction",
        Principal=service,
        SourceArn=source,
    )


@contract_of(DeliversToFunctions)
def test_topic_hands_the_message_as_a_string_when_the_function_lets_it(region: Region) -> None:
    """The record names topic and subscription; Publish does not wait for the function."""
    topic, function = any_topic(region), any_function(region, ECHO)
    sns = region.client("sns")
    subscription = sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function)
    allow(region, "sns.amazonaws.com", topic)
    message = json.dumps({"Event": "any"})
    sns.publish(TopicArn=topic, Message=message)
    assert answers(region) == []
    assert eventually(region, lambda: bool(answers(region)))
    (record,) = answers(region)[0]["event"]["Records"]
    assert record["EventSubscriptionArn"] == subscription["SubscriptionArn"]
    assert record["Sns"]["TopicArn"] == topic
    assert record["Sns"]["Message"] == message


@contract_of(DeliversToFunctions)
def test_topic_keeps_the_message_when_the_function_does_not_let_it(region: Region) -> None:
    """Without a permission for the topic the function is not invoked."""
    topic, function = any_topic(region), any_function(region, ECHO)
    region.client("sns").subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function)
    region.client("sns").publish(TopicArn=topic, Message="{}")
    assert not region.clock.wait_until(lambda: bool(answers(region)), 1.0)


@contract_of(RunsSchedules)
def test_rule_hands_over_its_constant_input_when_a_minute_has_passed(region: Region) -> None:
    """A rate of one minute invokes the target after a minute of the schedule."""
    function = any_function(region, ECHO)
    events = region.client("events")
    rule = events.put_rule(Name="any", ScheduleExpression="rate(1 minute)")["RuleArn"]
    events.put_targets(
        Rule="any", Targets=[{"Id": "1", "Arn": function, "Input": '{"source": "any"}'}]
    )
    allow(region, "events.amazonaws.com", rule)
    assert eventually(region, lambda: bool(answers(region)))
    assert answers(region)[0]["event"] == {"source": "any"}
