"""What a service asks of KMS in the name of whoever calls it.

SNS encrypts a message with the key of its topic as the publisher, who needs both permissions, by
the key's own policy or by policies that it lets speak. A key that AWS manages admits everybody of
the account. Sources: SNS developer guide, "Managing Amazon SNS encryption keys and costs"; KMS
developer guide, "kms:ViaService".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from moto.kms.models import kms_backends
from moto.sns.models import sns_backends

from lab.emulator.iam.service import Candidate, Question

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.emulator.iam.calls import ApiCall
    from lab.emulator.iam.service import Context

_PUBLISHED = ("kms:Decrypt", "kms:GenerateDataKey")
_OF_AWS = "alias/aws/"


def key_questions(call: ApiCall, context: Context) -> Iterator[Question]:
    """Yield what KMS is asked about a call; the context is what IAM is told of every call."""
    if key := _key_of(call):
        via = ("kms:ViaService", f"{call.service}.{call.region}.amazonaws.com")
        told = tuple(sorted((*context, ("kms:CallerAccount", call.account), via)))
        for action in _PUBLISHED:
            yield Question(action=action, context=told, candidates=(key,))


def _key_of(call: ApiCall) -> Candidate | None:
    """Return the key of the topic to which a call publishes, if it is one of the account."""
    if call.action != "sns:Publish":
        return None
    topic = sns_backends[call.account][call.region].topics.get(call.parameters.get("TopicArn", ""))
    named = (topic and topic.kms_master_key_id) or _OF_AWS
    if named.rpartition(":")[-1].startswith(_OF_AWS):
        return None
    kms = kms_backends[call.account][call.region]
    key = kms.describe_key(named)
    # Of a key that a template made moto has the policy as an object.
    policy = key.policy if isinstance(key.policy, str) else json.dumps(key.policy)
    return Candidate(key.arn, policy=policy)
