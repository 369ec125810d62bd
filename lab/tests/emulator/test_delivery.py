"""What a fault can do to messages on their way to a function."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lab.emulator.journal import Journal
from lab.emulator.services.messaging.delivery import NONE, Delivery, DeliveryFaults, Leg, Message
from lab.emulator.services.messaging.events import event_of, publish
from lab.emulator.time import delays
from lab.emulator.time.clock import VirtualClock
from lab.tests.emulator.factories import ECHO, any_function, any_topic

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.emulator.region import Region


class Letterbox:
    """A delivery with nothing around it, and what arrives through it: when, and which."""

    def __init__(self, faults: DeliveryFaults) -> None:
        self.clock = VirtualClock()
        self.journal = Journal(self.clock)
        self.arrived: list[tuple[float, str]] = []
        self._delivery = Delivery(self.clock, self.journal)
        self._delivery.faults = faults

    def send(self, says: str, leg: Leg = Leg.TOPIC) -> None:
        """Send a message."""
        self._delivery.deliver(Message(leg, says, lambda: self._arrive(says)))

    def send_in_a_hurry(self, says: str, give_up: Callable[[], None]) -> None:
        """Send a message that is given up sooner than a late one comes."""
        max_age = delays.LATE.low / 2
        self._delivery.deliver(
            Message(Leg.RULE, says, lambda: self._arrive(says), max_age, give_up)
        )

    def wait(self) -> list[str]:
        """Return what has arrived in the end, in its order."""
        self.clock.pass_time(delays.LATE.high + delays.OVERTAKEN.high)
        return [says for _, says in self.arrived]

    def _arrive(self, says: str) -> None:
        self.arrived.append((self.clock.now(), says))


def test_message_comes_once_and_at_once_when_there_is_no_trouble() -> None:
    """Nothing is written down of it: who hands it over says so."""
    letters = Letterbox(NONE)
    letters.send("any")
    assert letters.arrived == [(0.0, "any")]
    assert letters.wait() == ["any"]
    assert letters.journal.entries() == ()


def test_message_never_comes_when_it_is_lost() -> None:
    """The journal says who lost which message."""
    letters = Letterbox(DeliveryFaults(lost=1.0))
    letters.send("any")
    assert letters.wait() == []
    (entry,) = letters.journal.entries("lost")
    assert entry.what == "loses a message: any"


def test_about_half_of_the_messages_come_when_half_are_lost() -> None:
    """Chance decides for each message by itself, and the same way each time."""
    came = []
    for _ in range(2):
        letters = Letterbox(DeliveryFaults(lost=0.5))
        for number in range(100):
            letters.send(str(number))
        came.append(letters.wait())
    assert 30 < len(came[0]) < 70
    assert came[0] == came[1]


def test_message_comes_again_a_little_later_when_it_is_doubled() -> None:
    """The first copy is not held up."""
    letters = Letterbox(DeliveryFaults(doubled=1.0))
    letters.send("any")
    assert letters.arrived == [(0.0, "any")]
    assert letters.wait() == ["any", "any"]
    assert letters.arrived[1][0] <= delays.SECOND_COPY.high
    assert letters.journal.entries("doubled")


def test_messages_overtake_each_other_when_they_are_reordered() -> None:
    """All of them come."""
    letters = Letterbox(DeliveryFaults(reordered=1.0))
    sent = [str(number) for number in range(10)]
    for says in sent:
        letters.send(says)
    came = letters.wait()
    assert came != sent
    assert sorted(came) == sent


def test_message_comes_minutes_later_when_it_is_late() -> None:
    """The journal says by how much, at the moment at which it was due."""
    letters = Letterbox(DeliveryFaults(late=1.0))
    letters.send("any")
    assert letters.wait() == ["any"]
    assert delays.LATE.low <= letters.arrived[0][0] <= delays.LATE.high
    (entry,) = letters.journal.entries("late")
    assert entry.at == 0.0


def test_late_message_is_given_up_when_nobody_tries_for_so_long() -> None:
    """What is late was tried again and again; it is lost where that is not wanted."""
    given_up: list[str] = []
    letters = Letterbox(DeliveryFaults(late=1.0))
    letters.send_in_a_hurry("any", lambda: given_up.append("any"))
    assert letters.wait() == []
    assert given_up == ["any"]
    assert letters.journal.entries("lost")


@pytest.mark.parametrize(
    ("faults", "came"),
    [
        (DeliveryFaults(lost=1.0), ["schedule"]),
        (DeliveryFaults(lost=1.0, on=frozenset({Leg.TOPIC})), ["rule", "schedule"]),
        (DeliveryFaults(lost=1.0, on=frozenset(Leg)), []),
    ],
    ids=["messages", "topics", "all"],
)
def test_trouble_hits_the_ways_that_it_names_and_no_schedule_by_default(
    faults: DeliveryFaults, came: list[str]
) -> None:
    """A schedule is a timer inside of EventBridge."""
    letters = Letterbox(faults)
    for leg in Leg:
        letters.send(leg.value, leg)
    assert letters.wait() == came


def test_function_hears_of_nothing_but_the_schedule_when_messages_are_lost(
    region: Region,
) -> None:
    """Topic, rule and schedule go through the same delivery."""
    function = any_function(region, ECHO)
    listen(region, function)
    region.aws.delivery.faults = DeliveryFaults(lost=1.0)
    region.client("sns").publish(TopicArn=any_topic(region), Message="{}", Subject="any message")
    publish(region.aws, event_of(region.aws, "any", "any", [], {}), "any event")
    region.clock.pass_time(delays.SCHEDULED_MINUTE.high + 5.0)
    lost = [entry.what for entry in region.journal.entries("lost")]
    assert sorted(lost) == ["loses a message: any event", "loses a message: any message"]
    assert heard(region) == ["Scheduled Event"]
    region.aws.delivery.faults = NONE
    publish(region.aws, event_of(region.aws, "any", "any", [], {}), "any event")
    region.clock.pass_time(5.0)
    assert heard(region) == ["Scheduled Event", "any"]


@pytest.mark.parametrize(
    "policy",
    [{"MaximumRetryAttempts": 0}, {"MaximumEventAgeInSeconds": 60}],
    ids=["no retry", "short age"],
)
def test_late_event_goes_to_the_dead_letter_queue_when_its_target_does_not_wait(
    region: Region, policy: dict[str, int]
) -> None:
    """A rule's target says for how long EventBridge tries to reach it."""
    region.client("sqs").create_queue(QueueName="dead")
    arn = "arn:aws:sqs:us-east-1:123456789012:dead"
    listen(region, any_function(region, ECHO), RetryPolicy=policy, DeadLetterConfig={"Arn": arn})
    region.aws.delivery.faults = DeliveryFaults(late=1.0, on=frozenset({Leg.RULE}))
    publish(region.aws, event_of(region.aws, "any", "any", [], {}), "any event")
    region.clock.pass_time(1.0)
    (letter,) = region.client("sqs").receive_message(QueueUrl="dead")["Messages"]
    assert json.loads(letter["Body"])["detail-type"] == "any"


def listen(region: Region, function: str, **target: object) -> None:
    """Let a topic, a rule for events of the source `any` and a schedule invoke a function."""
    topic = any_topic(region)
    region.client("sns").subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function)
    events = region.client("events")
    pattern = json.dumps({"source": ["any"]})
    sources = [
        ("sns", topic),
        ("events", events.put_rule(Name="rule", EventPattern=pattern)["RuleArn"]),
        ("events", events.put_rule(Name="time", ScheduleExpression="rate(1 minute)")["RuleArn"]),
    ]
    for rule in ("rule", "time"):
        events.put_targets(Rule=rule, Targets=[{"Id": "any", "Arn": function, **target}])
    for number, (service, source) in enumerate(sources):
        region.client("lambda").add_permission(
            FunctionName=function,
            StatementId=str(number),
            Action="lambda:InvokeFunction",
            Principal=f"{service}.amazonaws.com",
            SourceArn=source,
        )


def heard(region: Region) -> list[str]:
    """Return the kinds of the events that reached the function."""
    entries = region.journal.entries("function answered")
    answers = [json.loads(entry.detail["payload"])["event"] for entry in entries]
    return [answer.get("detail-type", "a message") for answer in answers]
