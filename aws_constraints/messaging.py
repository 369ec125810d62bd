"""SNS, SQS and KMS: topics, subscriptions, messages, queues, keys."""

from __future__ import annotations

from aws_constraints.rows import Row
from aws_constraints.rules import Document, OneOf, Text

SUBJECT = Text(
    pattern=r"[!-~][ -~]*",
    allowed="ASCII without control characters, first no space",
    shortest=1,
    longest=99,
)
"""Less than 100 characters, says one place, up to 100 another; ASCII, says one, UTF-8 another."""

_SNS = "SNS API reference"

ROWS = (
    Row(
        places=("sns.Publish/Subject",),
        rule=SUBJECT,
        source=f"{_SNS}, Publish",
        code="InvalidParameter",
        words="Invalid parameter: Subject",
    ),
    Row(
        places=("sns.Publish/Message",),
        rule=Document(longest=262_144),
        source=f"{_SNS}, Publish",
        code="InvalidParameter",
        words="Invalid parameter: Message too long",
    ),
    Row(
        places=("sns.Publish/TopicArn",),
        rule=Text(
            pattern=r"arn:[a-z-]+:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]+(\.fifo)?",
            allowed="a topic's ARN",
            longest=512,
        ),
        source=f"{_SNS}, Publish",
        code="InvalidParameter",
        words="Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1",
    ),
    Row(
        places=("AWS::SNS::Topic/DisplayName",),
        rule=Text(
            pattern=r"[\w .:()#,@\-]*",
            allowed="letters, digits, spaces and _.:()#,@-",
            longest=100,
        ),
        source=f"{_SNS}, CreateTopic; SNS developer guide, 'Creating an Amazon SNS topic', up to"
        " 100 characters with hyphens, underscores, spaces and tabs",
        code="InvalidParameter",
        words="Invalid parameter: DisplayName",
    ),
    Row(
        places=("AWS::SNS::Topic/TopicName", "sns.CreateTopic/Name"),
        rule=Text(
            pattern=r"[A-Za-z0-9_-]+(\.fifo)?",
            allowed="letters, digits, _ and -",
            shortest=1,
            longest=256,
        ),
        source=f"{_SNS}, CreateTopic",
        code="InvalidParameter",
        words="Invalid parameter: Topic Name",
    ),
    Row(
        places=("AWS::SNS::Subscription/Protocol", "sns.Subscribe/Protocol"),
        rule=OneOf(
            (
                "http",
                "https",
                "email",
                "email-json",
                "sms",
                "sqs",
                "application",
                "lambda",
                "firehose",
            )
        ),
        source=f"{_SNS}, Subscribe",
        code="InvalidParameter",
        words="Invalid parameter: Does not support this protocol string: {value}",
    ),
    Row(
        places=("AWS::SNS::Subscription/Endpoint",),
        rule=Text(
            pattern=r"[^\s@]+@[^\s@]+\.[^\s@.]+|arn:.+|https?://.+|\+?\d+",
            allowed="an e-mail address, an ARN, a URL or a number",
            longest=2048,
        ),
        source=f"{_SNS}, Subscribe",
        code="InvalidParameter",
        words="Invalid parameter: Endpoint",
    ),
    Row(
        places=("AWS::KMS::Key/Description",),
        rule=Text(allowed="any characters", longest=8192),
        source="KMS API reference, CreateKey",
    ),
)
