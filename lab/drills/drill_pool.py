"""Many drills from one deployment: each in a fork of the process that holds the deployed app.

A fork starts from the very state that the deployment left, so the drills know nothing of each
other, their order changes nothing, and any one of them can be repeated alone.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from lab.drills.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from multiprocessing.connection import Connection

    from lab.drills.testbed import AppTestbed

_FORK = multiprocessing.get_context("fork")
T = TypeVar("T")

_AT_ONCE = 2 * (os.cpu_count() or 1)
"""In each drill the lab and the function's process wait for each other by turns."""


class DrillPoolError(Exception):
    """A drill ended without an outcome; the message says which, and why."""


@dataclass(frozen=True)  # slots would keep generics from being made by their alias
class Task(Generic[T]):
    """What is to be run in a fork: its name for messages, and what runs it there.

    What it returns is no text: that is why it failed.
    """

    name: str
    run: Callable[[], T]


Job = Task[Outcome]
"""A task that returns what is measured of each drill."""


def run_all(testbed: AppTestbed, jobs: Iterable[Task[T]]) -> Iterator[tuple[Task[T], T]]:
    """Run each job in a fork of its own, two at a time for each processor.

    Raises:
        DrillPoolError: when a drill ends without an outcome.

    """
    testbed.region.rest()
    gc.freeze()  # or else each fork's collector would touch, and so copy, all that is here
    left = iter(jobs)
    running: dict[Connection, tuple[Task[T], Any]] = {}
    try:
        while True:
            while len(running) < _AT_ONCE and (job := next(left, None)):
                connection, process = _begin(testbed, job)
                running[connection] = (job, process)
            if not running:
                return
            done = set(wait(list(running)))
            for answer in [answer for answer in running if answer in done]:
                job, process = running.pop(answer)
                yield job, _end(answer, process, job)
    finally:
        for _, process in running.values():
            process.terminate()
            process.join()
        gc.unfreeze()
        testbed.region.resume()


def _begin(testbed: AppTestbed, job: Task[Any]) -> tuple[Connection, Any]:
    sys.stdout.flush()  # or else the fork would print what is still unprinted once more
    here, there = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=_run, args=(testbed, job, there), daemon=False)
    process.start()
    there.close()
    return here, process


def _run(testbed: AppTestbed, job: Task[Any], answer: Connection) -> None:
    try:
        testbed.region.resume(elsewhere=True)
        answer.send(job.run())
    except Exception as error:  # noqa: BLE001 - the parent, which waits for the outcome, raises it
        answer.send(f"{type(error).__name__}: {error}")
    finally:
        testbed.region.functions.close()
        answer.close()
        os._exit(0)  # nothing of the parent is closed from here


def _end(answer: Connection, process: Any, job: Task[T]) -> T:  # noqa: ANN401 - of a context
    try:
        outcome = answer.recv()
    except EOFError:
        outcome = "it ended without a word"
    answer.close()
    process.join()
    if isinstance(outcome, str):
        message = f"the drill {job.name}: {outcome}"
        raise DrillPoolError(message)
    result: T = outcome
    return result
