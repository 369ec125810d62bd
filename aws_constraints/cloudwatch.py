"""CloudWatch and CloudWatch Logs: alarms, metrics, dimensions."""

from __future__ import annotations

from aws_constraints.rows import Row
from aws_constraints.rules import AtMost, Number, Text

_ALARM = "AWS::CloudWatch::Alarm"
_ASCII = r"[ -~]*[!-~][ -~]*"

ROWS = (
    Row(
        places=(f"{_ALARM}/AlarmDescription",),
        rule=Text(allowed="any characters", longest=1024),
        source="CloudWatch API reference, PutMetricAlarm",
    ),
    Row(
        places=(f"{_ALARM}/AlarmName",),
        rule=Text(
            pattern=r"[^\x00-\x1f\x7f]+", allowed="no control characters", shortest=1, longest=255
        ),
        source="CloudWatch API reference, PutMetricAlarm",
    ),
    Row(
        places=(f"{_ALARM}/Dimensions/*/Name", "metrics.Put/Dimensions/*/Name"),
        rule=Text(
            pattern=rf"(?!:){_ASCII}",
            allowed="ASCII without control characters, not only spaces, first no colon",
            shortest=1,
            longest=255,
        ),
        source="CloudWatch API reference, Dimension",
    ),
    Row(
        places=(f"{_ALARM}/Dimensions/*/Value", "metrics.Put/Dimensions/*/Value"),
        rule=Text(
            pattern=_ASCII,
            allowed="ASCII without control characters, not only spaces",
            shortest=1,
            longest=1024,
        ),
        source="CloudWatch API reference, Dimension",
    ),
    Row(
        places=(f"{_ALARM}/MetricName", "metrics.Put/MetricName"),
        rule=Text(
            pattern=_ASCII, allowed="ASCII without control characters", shortest=1, longest=255
        ),
        source="CloudWatch API reference, MetricDatum",
    ),
    Row(
        places=("metrics.Put/Namespace", f"{_ALARM}/Namespace"),
        rule=Text(
            pattern=r"[A-Za-z0-9._/#:\- ]+",
            allowed="letters, digits, spaces and ._-/#:",
            shortest=1,
            longest=255,
        ),
        source="CloudWatch API reference, PutMetricData",
    ),
    Row(
        places=(f"{_ALARM}/Period",),
        rule=Number(low=60, high=604_800, step=60),
        source="CloudWatch API reference, PutMetricAlarm; shorter ones need metrics of high"
        " resolution",
    ),
    Row(
        places=(f"{_ALARM}/EvaluationPeriods", f"{_ALARM}/DatapointsToAlarm"),
        rule=Number(low=1, high=1440),
        source="CloudWatch API reference, PutMetricAlarm: a day at most with periods below an hour",
    ),
    Row(
        places=(_ALARM,),
        rule=AtMost(("DatapointsToAlarm", "EvaluationPeriods")),
        source="CloudWatch user guide, 'Evaluating an alarm'",
    ),
    Row(
        places=("sdk/AppId",),
        rule=Text(
            pattern=r"[A-Za-z0-9!$%&'*+.^_`|~-]+",
            allowed="letters, digits and !$%&'*+-.^_`|~",
            shortest=1,
            longest=50,
        ),
        source="AWS SDKs and Tools reference guide, 'Application ID'",
    ),
    Row(
        places=(f"{_ALARM}/Threshold",),
        rule=Number(low=-(10**12), high=10**12),
        source="CloudWatch API reference, MetricDatum",
    ),
)
