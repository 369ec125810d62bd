"""The alarms, and what a person finds in the console."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.synth.template import OWN_NETWORKS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.synth.template import Template

ALARM = "AWS::CloudWatch::Alarm"


def test_alarm_tells_people_that_it_rings_and_that_it_stops(template: Template) -> None:
    """Both states go to the outcome topic, with a sentence that says where to look."""
    topic = [{"Ref": template.logical_id("AWS::SNS::Topic", "Outcome")}]
    alarms = [alarm["Properties"] for alarm in template.resources(ALARM).values()]
    assert len(alarms) == 5
    for alarm in alarms:
        assert (alarm["AlarmActions"], alarm["OKActions"]) == (topic, topic)
        assert alarm["AlarmDescription"].endswith(".")


@pytest.mark.parametrize(
    ("name", "statistic", "minutes", "silence"),
    [
        ("NoEgress", "Minimum", (2, 2), "breaching"),
        ("NotOurs", "Minimum", (2, 2), "ignore"),
        ("RedundancyLost", "Minimum", (1, 1), "ignore"),
        ("Failures", "Maximum", (2, 3), "notBreaching"),
    ],
)
def test_alarm_watches_what_the_function_reports(
    template: Template, name: str, statistic: str, minutes: tuple[int, int], silence: str
) -> None:
    """For no egress, silence of the function is a fault too; other states last until it reports."""
    alarm = template.properties(ALARM, f"Observability{name}")
    assert (alarm["Namespace"], alarm["MetricName"]) == ("NatFailover", name)
    assert alarm["Dimensions"] == [{"Name": "Stack", "Value": "NatFailover"}]
    assert (alarm["Threshold"], alarm["Period"]) == (1, 60)
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert alarm["Statistic"] == statistic
    periods = alarm["EvaluationPeriods"]
    assert (alarm.get("DatapointsToAlarm", periods), periods) == minutes
    assert alarm["TreatMissingData"] == silence


def test_alarm_watches_the_dead_letters(template: Template) -> None:
    """One message is enough."""
    alarm = template.properties(ALARM, "ObservabilityDeadLetters")
    queue = template.logical_id("AWS::SQS::Queue")
    assert alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    assert alarm["Dimensions"] == [
        {"Name": "QueueName", "Value": {"Fn::GetAtt": [queue, "QueueName"]}}
    ]
    assert (alarm["Threshold"], alarm["EvaluationPeriods"]) == (1, 1)


def test_alarm_does_not_ring_while_the_first_routes_are_awaited(template: Template) -> None:
    """Until then, no egress is how things are."""
    served = template.logical_id("Custom::DefaultRoutes")
    for alarm in template.resources(ALARM).values():
        assert alarm["DependsOn"] == [served]


@pytest.mark.parametrize("variant", OWN_NETWORKS)
def test_output_says_what_it_is(variant: str, synthesize: Callable[[str], Template]) -> None:
    """A person who reads the console finds what there is, in words."""
    template = synthesize(variant)
    outputs = template.body["Outputs"]
    assert set(outputs) - {"ElasticIps"} == {
        "Vpc",
        "PublicSubnets",
        "PrivateSubnets",
        "PrivateRouteTables",
        "NatFailedTopic",
        "OutcomeTopic",
        "FailoverFunction",
    }
    assert all(output["Description"] for output in outputs.values())
    assert template.body["Description"]
