"""What every scenario starts from: a Region of moto, and the function deployed into it."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from awslambdaric.lambda_runtime_log_utils import (  # type: ignore[import-untyped]  # it has no types
    JsonFormatter,
)
from botocore.loaders import create_loader
from botocore.retries.standard import ExponentialBackoff
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from moto import mock_aws
from moto.core.utils import method_names_from_class

import nat_failover
from nat_failover.incidents import IncidentState
from tests.aws.cloudformation import waiting_for_answers
from tests.aws.region import Region
from tests.aws.restored import restored
from tests.aws.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nat_failover.contract import Settings
    from nat_failover.handler import Handler
    from tests.aws.cloudformation import CloudFormation

LONG = 60.0
SHORT = 33.0
"""Seconds; the handler keeps 30 for its report, so that `SHORT` lets it observe a few times,
also on a busy machine."""


@dataclass(frozen=True)
class Context:
    """What the function uses of Lambda's context object."""

    seconds: float

    def get_remaining_time_in_millis(self) -> int:
        """Return what is left of the function's time limit, in milliseconds."""
        return int(self.seconds * 1000)


@dataclass(frozen=True)
class Function:
    """The function as it runs in Lambda, and the wire between it and AWS."""

    do: Handler
    wire: Wire

    def __call__(self, event: object, *, seconds: float = LONG) -> dict[str, Any]:
        """Invoke it; what it returns comes back as the JSON that Lambda makes of it."""
        returned: dict[str, Any] = json.loads(json.dumps(self.do(event, Context(seconds))))
        return returned


class Deploy(Protocol):
    """How a scenario gets its function."""

    def __call__(self, settings: Settings, region: str = "eu-west-1", **variables: str) -> Function:
        """Set the environment as the stack does and load the handler as Lambda does."""


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let no call leave this process; moto need not make its thousands of images each time."""
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    with mock_aws(), restored():
        yield


@pytest.fixture(scope="package", autouse=True)
def _do_costly_things_once() -> Iterator[None]:
    """Spare the tests most of their time: API models read, methods listed and keys made anew."""
    with pytest.MonkeyPatch.context() as patch:
        loader, key = create_loader(), generate_private_key(65537, 2048)
        patch.setattr("botocore.session.create_loader", lambda *_: loader)
        patch.setattr("moto.core.responses.method_names_from_class", cache(method_names_from_class))
        patch.setattr("moto.sns.models.rsa.generate_private_key", lambda **_: key)
        yield


@pytest.fixture(autouse=True)
def _retry_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let botocore retry as often as it does, but without its pauses."""
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0)


@pytest.fixture
def deploy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deploy]:
    """Deploy a function; its handler is made anew."""
    deployed: list[Function] = []

    def start(settings: Settings, region: str = "eu-west-1", **variables: str) -> Function:
        environment = {
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            **settings.to_env(),
            **variables,
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        function = Function(nat_failover.do, Wire())
        clients, notifications = function.do.clients, function.do.notifications
        function.wire.plug_into(
            clients.ec2, clients.autoscaling, clients.memory.client, notifications.sns
        )
        deployed.append(function)
        return function

    yield start
    for function in deployed:
        function.do.clients.threads.shutdown()
    assert [] == [found for function in deployed for found in function.wire.constraints.found]


@pytest.fixture
def fresh() -> Region:
    """Return a Region whose stack is being deployed: two NATs just launched, no default route."""
    region = Region()
    for table in region.tables:
        region.launch(table, checked=True)
    return region


@pytest.fixture
def region() -> Region:
    """Return a Region whose stack is as it should be: each zone's NAT serves its table."""
    return at_rest(Region())


def at_rest(region: Region) -> Region:
    """Launch a NAT in each zone and point the zone's table to it."""
    for table in region.tables:
        region.point(table, NetworkInterfaceId=region.interface(region.launch(table)))
    region.remember(IncidentState(settled=True))
    region.settle()
    region.know_each_other()
    return region


def shows_waiting(function: Function, nat: str) -> None:
    """Let the group show that a member waits in its terminate hook, which moto has none of."""

    def show(answer: dict[str, Any]) -> None:
        for group in answer["AutoScalingGroups"]:
            for member in group["Instances"]:
                if member["InstanceId"] == nat:
                    member["LifecycleState"] = "Terminating:Wait"

    function.wire.edit("DescribeAutoScalingGroups", show)


@pytest.fixture
def function(region: Region, deploy: Deploy) -> Function:
    """Return the function of the Region at rest, with the default settings."""
    return deploy(region.settings)


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], list[dict[str, Any]]]:
    """Return a callable that returns the function's log as Lambda's runtime formats it."""
    caplog.set_level(logging.INFO, "nat_failover")
    formatter = JsonFormatter()

    def lines() -> list[dict[str, Any]]:
        records = [record for record in caplog.records if record.name == "nat_failover"]
        return [json.loads(formatter.format(record)) for record in records]

    return lines


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudFormation]:
    """Return where CloudFormation waits for answers, which the environment says is S3."""
    with waiting_for_answers() as waiting:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", waiting.url)
        yield waiting
