"""Contracts of invocations: cold and warm starts, retries, and what bounds them."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from lab.emulator.services.lambda_.functions import RunsFunctions
from lab.emulator.services.lambda_.invocations import InvokeConfigsAreReplaced
from lab.emulator.time import delays
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import ECHO, FAILING, any_function, deploy, eventually

if TYPE_CHECKING:
    from lab.emulator.region import Region
    from lab.emulator.time.delays import Delay

SLOW = "import time\ndef do(event, context):\n    time.sleep(3)\n"


@contract_of(RunsFunctions)
def test_first_event_pays_a_cold_start_and_the_next_ones_do_not(region: Region) -> None:
    """An idle environment is kept for a while, and then the next event is the first again."""
    any_function(region, ECHO)
    assert within(delays.COLD_START, seconds_of_a_run(region))
    assert within(delays.WARM_START, seconds_of_a_run(region))
    region.clock.pass_time(delays.ENVIRONMENT_IDLE.low - 1.0)
    assert within(delays.WARM_START, seconds_of_a_run(region))
    region.clock.pass_time(delays.ENVIRONMENT_IDLE.high + 1.0)
    assert within(delays.COLD_START, seconds_of_a_run(region))


@contract_of(RunsFunctions)
def test_event_finds_no_warm_environment_when_the_only_one_works(region: Region) -> None:
    """An environment handles one event at a time."""
    any_function(region, SLOW)
    for _ in range(2):
        send(region)
    assert eventually(region, lambda: len(region.journal.entries("function answered")) == 2)
    starts = [entry.at for entry in region.journal.entries("function began")]
    ends = [entry.at for entry in region.journal.entries("function answered")]
    for start, end in zip(starts, ends, strict=True):
        assert within(delays.COLD_START, end - start - 3.0)


@contract_of(RunsFunctions)
def test_failed_event_is_tried_again_after_one_minute_and_then_after_two(region: Region) -> None:
    """Three runs in all."""
    any_function(region, FAILING)
    send(region)
    assert waits_between_tries(region) == pytest.approx([60.0, 120.0])


@pytest.mark.parametrize(
    ("config", "tries"),
    [
        ({"MaximumRetryAttempts": 0}, 1),
        ({"MaximumRetryAttempts": 1}, 2),
        ({"MaximumEventAgeInSeconds": 60}, 1),
        ({"MaximumEventAgeInSeconds": 100}, 2),
    ],
)
def test_failed_event_is_tried_as_the_function_says(
    region: Region, config: dict[str, int], tries: int
) -> None:
    """An event that would be too old at its next try is given up before."""
    any_function(region, FAILING)
    region.client("lambda").put_function_event_invoke_config(FunctionName="any", **config)
    send(region)
    assert len(waits_between_tries(region)) == tries - 1
    assert len(region.journal.entries("given up")) == 1


@contract_of(InvokeConfigsAreReplaced)
def test_configuration_of_events_is_the_last_one_that_was_put(region: Region) -> None:
    """Nothing is left of the one before."""
    any_function(region, ECHO)
    functions = region.client("lambda")
    for config in ({"MaximumRetryAttempts": 1}, {"MaximumEventAgeInSeconds": 60}):
        functions.put_function_event_invoke_config(FunctionName="any", **config)
    shown = functions.get_function_event_invoke_config(FunctionName="any")
    assert shown["MaximumEventAgeInSeconds"] == 60
    assert "MaximumRetryAttempts" not in shown
    functions.delete_function_event_invoke_config(FunctionName="any")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        functions.get_function_event_invoke_config(FunctionName="any")


def test_stack_says_how_events_are_tried(region: Region) -> None:
    """AWS::Lambda::EventInvokeConfig, and the defaults again when it goes."""
    any_function(region, FAILING)
    config = {
        "Type": "AWS::Lambda::EventInvokeConfig",
        "Properties": {"FunctionName": "any", "Qualifier": "$LATEST", "MaximumRetryAttempts": 0},
    }
    assert deploy(region, {"Config": config}) == "CREATE_COMPLETE"
    send(region)
    assert waits_between_tries(region) == []
    region.client("cloudformation").delete_stack(StackName="any")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        region.client("lambda").get_function_event_invoke_config(FunctionName="any")


@contract_of(RunsFunctions)
def test_event_waits_longer_and_longer_when_the_account_has_no_concurrency_left(
    region: Region,
) -> None:
    """From one second to five minutes, and it costs none of the event's retries."""
    any_function(region, ECHO)
    region.functions.concurrency = 0
    send(region)
    region.clock.pass_time(1150.0)
    moments = [entry.at for entry in region.journal.entries("throttled")]
    waits = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert waits == pytest.approx([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300])
    region.functions.concurrency = 1
    assert eventually(region, lambda: bool(region.journal.entries("function answered")))


@contract_of(RunsFunctions)
def test_caller_who_waits_is_refused_when_the_account_has_no_concurrency_left(
    region: Region,
) -> None:
    """A synchronous invocation is not queued."""
    any_function(region, ECHO)
    region.functions.concurrency = 0
    once = Config(retries={"total_max_attempts": 1})
    functions = boto3.client("lambda", endpoint_url=region.endpoint, config=once)
    with pytest.raises(ClientError, match="TooManyRequestsException"):
        functions.invoke(FunctionName="any")


def send(region: Region) -> None:
    """Invoke the function `any` asynchronously."""
    region.client("lambda").invoke(
        FunctionName="any", InvocationType="Event", Payload=json.dumps({})
    )


def seconds_of_a_run(region: Region) -> float:
    """Return how long the function takes for an event, from its acceptance to its answer."""
    sent, before = region.clock.now(), len(region.journal.entries("function answered"))
    send(region)
    assert eventually(region, lambda: len(region.journal.entries("function answered")) > before)
    return region.journal.entries("function answered")[-1].at - sent


def within(delay: Delay, seconds: float) -> bool:
    """Return whether a time is one that the table of delays allows."""
    return delay.low <= seconds <= delay.high + 0.001


def waits_between_tries(region: Region) -> list[float]:
    """Return the seconds from each failure to the next try, once nothing is tried any more."""
    region.clock.pass_time(delays.FIRST_RETRY.high + delays.SECOND_RETRY.high + 10.0)
    failed: list[Any] = [entry.at for entry in region.journal.entries("function failed")]
    began = [entry.at for entry in region.journal.entries("function began")]
    assert began
    return [start - end for start, end in zip(began[1:], failed, strict=False)]
