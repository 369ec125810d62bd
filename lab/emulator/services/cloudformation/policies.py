"""The policies of topics, queues and buckets as resources of their own.

They are stored where the service keeps them; the lab does not enforce them.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar, Self

from moto.core.exceptions import ServiceException
from moto.s3.models import s3_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends
from moto.utilities.utils import get_partition

from lab.emulator.services.resource import Place, Properties, Resource

if TYPE_CHECKING:
    from collections.abc import Iterable


class _Policy(Resource):
    """A policy, and what it is attached to, which may be gone before it."""

    targets: ClassVar[str]

    def __init__(self, physical_id: str, attached: Iterable[str]) -> None:
        super().__init__(physical_id, {"Id": physical_id})
        self._attached = list(attached)

    @classmethod
    def create(cls, name: str, given: Properties, place: Place) -> Self:
        """Attach the policy."""
        return cls(name, []).updated(given, {}, place)

    def updated(self, given: Properties, old: Properties, place: Place) -> Self:
        """Attach the policy to what it is to be attached to now, and to nothing else."""
        del old
        wanted = given[self.targets]
        attached = [wanted] if isinstance(wanted, str) else list(wanted)
        for target in attached:
            self._put(target, json.dumps(given["PolicyDocument"]), place.account, place.region)
        for target in set(self._attached) - set(attached):
            self._take(target, place.account, place.region)
        return type(self)(self.physical_resource_id, attached)

    def delete(self, account_id: str, region_name: str) -> None:
        """Detach the policy from what is still there."""
        for target in self._attached:
            with suppress(ServiceException):
                self._take(target, account_id, region_name)

    def _put(self, target: str, policy: str, account: str, region: str) -> None:
        raise NotImplementedError

    def _take(self, target: str, account: str, region: str) -> None:
        raise NotImplementedError


class TopicPolicy(_Policy):
    """AWS::SNS::TopicPolicy; without it a topic has its default policy."""

    type = "AWS::SNS::TopicPolicy"
    targets = "Topics"
    updatable = frozenset({"PolicyDocument", "Topics"})

    def _put(self, target: str, policy: str, account: str, region: str) -> None:
        sns_backends[account][region].get_topic(target).policy = policy

    def _take(self, target: str, account: str, region: str) -> None:
        topic = sns_backends[account][region].get_topic(target)
        topic.policy = json.dumps(topic._create_default_topic_policy(region, account, topic.name))  # noqa: SLF001 - moto makes it there only


class QueuePolicy(_Policy):
    """AWS::SQS::QueuePolicy."""

    type = "AWS::SQS::QueuePolicy"
    targets = "Queues"
    updatable = frozenset({"PolicyDocument", "Queues"})

    def _put(self, target: str, policy: str, account: str, region: str) -> None:
        queue = target.rsplit("/", 1)[-1]
        sqs_backends[account][region].set_queue_attributes(queue, {"Policy": policy})

    def _take(self, target: str, account: str, region: str) -> None:
        self._put(target, "", account, region)


class BucketPolicy(_Policy):
    """AWS::S3::BucketPolicy, which the bootstrap stack of the CDK has."""

    type = "AWS::S3::BucketPolicy"
    targets = "Bucket"
    updatable = frozenset({"PolicyDocument"})

    def _put(self, target: str, policy: str, account: str, region: str) -> None:
        """Only look whether the bucket exists: moto would hold the lab's own requests to it."""
        del policy
        s3_backends[account][get_partition(region)].get_bucket(target)

    def _take(self, target: str, account: str, region: str) -> None:
        """Do nothing: the bucket has no policy."""
