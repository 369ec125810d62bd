"""Functions live by the virtual clock, whatever their threads do."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from lab.emulator.time import delays
from lab.tests.emulator.factories import any_function, any_table

if TYPE_CHECKING:
    from lab.emulator.region import Region

SLEEPS = """
import time
def do(event, context):
    before, left = time.time(), context.get_remaining_time_in_millis()
    time.sleep(1.5)
    return [time.time() - before, left - context.get_remaining_time_in_millis(), time.monotonic()]
"""

THREADS = """
import queue, threading, time
from concurrent.futures import ThreadPoolExecutor, as_completed
def do(event, context):
    start, pool, work = time.monotonic(), ThreadPoolExecutor(4), queue.Queue()
    slept = [pool.submit(time.sleep, seconds) for seconds in (3, 1, 2)]
    order = [slept.index(done) for done in as_completed(slept)]
    def produce():
        time.sleep(4)
        work.put("item")
    thread = threading.Thread(target=produce)
    thread.start()
    item = work.get()
    thread.join()
    event = threading.Event()
    threading.Thread(target=lambda: (time.sleep(5), event.set())).start()
    assert not event.wait(2)
    event.wait()
    list(pool.map(time.sleep, [1] * 8))
    return [order, item, time.monotonic() - start]
"""

CALLS = """
import boto3, time
from concurrent.futures import ThreadPoolExecutor
ec2 = boto3.client("ec2")
def do(event, context):
    start = time.monotonic()
    if event["parallel"]:
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda _: ec2.describe_route_tables(), range(3)))
    else:
        for _ in range(3):
            ec2.describe_route_tables()
    return time.monotonic() - start
"""

UNSEEN = """
import threading
lock = threading.Lock()
def do(event, context):
    lock.acquire()
    threading.Timer(7, lock.release).start()
    lock.acquire()
    return "released"
"""


def answer(region: Region, code: str, event: object = None) -> Any:  # noqa: ANN401 - any JSON
    """Return what a function answers to an event."""
    any_function(region, code, Timeout=60)
    reply = region.client("lambda").invoke(FunctionName="any", Payload=json.dumps(event))
    said = json.loads(reply["Payload"].read())
    assert "FunctionError" not in reply, said
    return said


def test_function_sleeps_by_the_labs_clock(region: Region) -> None:
    """Time of day, monotonic time and the time left all go by the same clock."""
    before = region.clock.now()
    slept, left, _ = answer(region, SLEEPS)
    assert slept == pytest.approx(1.5)
    assert left == pytest.approx(1500, abs=1)
    assert region.clock.now() - before == pytest.approx(1.5, abs=delays.COLD_START.high)


def test_threads_of_a_function_wait_for_each_other_by_the_labs_clock(region: Region) -> None:
    """Futures, queues, joins and events: 3 + 4 + 5 seconds, and 8 sleeps of 1 second by 4."""
    order, item, seconds = answer(region, THREADS)
    assert order == [1, 2, 0]
    assert item == "item"
    assert seconds == pytest.approx(3 + 4 + 5 + 2, abs=0.001)


def test_parallel_calls_take_the_time_of_the_longest(region: Region) -> None:
    """Calls that are under way together overlap; one after the other they add up."""
    any_table(region)
    together = answer(region, CALLS, {"parallel": True})
    assert delays.READ_CALL.low <= together <= delays.READ_CALL.high
    region.client("lambda").delete_function(FunctionName="any")
    region.client("iam").delete_role_policy(RoleName="any", PolicyName="any")
    region.client("iam").delete_role(RoleName="any")
    in_turn = answer(region, CALLS, {"parallel": False})
    assert 3 * delays.READ_CALL.low <= in_turn <= 3 * delays.READ_CALL.high
    calls = region.journal.entries("call")
    assert [entry.what for entry in calls] == ["ec2:DescribeRouteTables"] * 6


def test_time_goes_on_when_a_function_waits_in_a_way_that_is_not_seen(region: Region) -> None:
    """A bare lock is not counted; the lab waits for two seconds on the wall, and lets time go."""
    before = region.clock.now()
    assert answer(region, UNSEEN) == "released"
    assert region.clock.now() - before >= 7


LEFT_BEHIND = """
import boto3, threading, time
ec2 = boto3.client("ec2")
def do(event, context):
    if event["leave"]:
        threading.Thread(target=ec2.describe_route_tables).start()
        return "left"
    time.sleep(1)
    return "slept"
"""


def test_call_that_a_function_left_under_way_freezes_until_its_next_event(region: Region) -> None:
    """As on Lambda, where the environment is frozen between events; and no time is lost over it."""
    assert answer(region, LEFT_BEHIND, {"leave": True}) == "left"
    time.sleep(0.5)  # on the wall: by now the call has reached the lab
    region.clock.pass_time(60)
    assert region.journal.entries("call") == ()
    thawed = region.clock.now()
    reply = region.client("lambda").invoke(FunctionName="any", Payload='{"leave": false}')
    assert json.loads(reply["Payload"].read()) == "slept"
    (call,) = region.journal.entries("call")
    assert thawed < call.at < thawed + 1
    assert region.clock.now() < thawed + 1 + delays.WARM_START.high + delays.READ_CALL.high
