"""The watch as its unit starts it, with the services and the system of a test."""

from __future__ import annotations

import json
import os
import runpy
import signal
import time
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from cdk_nat_failover.instances import watch
from cdk_nat_failover.instances.watch import loop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.unit.watch.services import Services

SETTINGS = """\
group=any-group
topic='arn:aws:sns:eu-west-1:123456789012:any topic'
table=any-table
targets=''
"""


@pytest.fixture
def priorities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """A folder with settings, and what the system is asked for; it refuses."""
    asked: list[object] = []

    def refuse(*arguments: object) -> None:
        asked.append(arguments)
        raise PermissionError

    (tmp_path / "settings").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    monkeypatch.setattr(loop, "PORT", 0)
    before = signal.getsignal(signal.SIGTERM)
    yield asked
    signal.signal(signal.SIGTERM, before)


def test_watch_says_how_it_is_until_a_signal_ends_it(
    services: Services, priorities: list[object]
) -> None:
    """With the settings of the instance, and also where it may have no priority."""
    nobodys = signal.getsignal(signal.SIGTERM)

    def terminate() -> None:
        end = time.monotonic() + 10
        while not (services.published and services.items_wanted) and time.monotonic() < end:
            time.sleep(0.05)
        if signal.getsignal(signal.SIGTERM) != nobodys:
            os.kill(os.getpid(), signal.SIGTERM)

    Thread(target=terminate, daemon=True).start()
    with pytest.raises(SystemExit):
        runpy.run_module(watch.__name__, run_name="__main__")

    message = services.published[0]
    assert "arn:aws:sns:eu-west-1:123456789012:any topic" == message["TopicArn"]
    assert "i-a" == json.loads(message["Message"])["instance"]
    assert {"any-table"} == {item["TableName"] for item in services.items_wanted}
    assert 1 == len(priorities)
