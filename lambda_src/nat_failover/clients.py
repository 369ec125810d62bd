"""The AWS clients of the function, made once at its edge and passed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from types_boto3_autoscaling import AutoScalingClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_ec2 import EC2Client


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """The table that keeps what must outlive a run, and a client whose calls are short."""

    client: DynamoDBClient
    table: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """The AWS clients that reads and writes go through, and the threads that they run in."""

    ec2: EC2Client
    autoscaling: AutoScalingClient
    memory: Memory
    threads: Executor
