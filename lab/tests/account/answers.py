"""Answers that AWS gives to the drill of a real account, without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.loaders import Loader

if TYPE_CHECKING:
    from collections.abc import Callable

NOWHERE = "http://localhost:9"
"""The discard port: nothing answers there."""

ACCOUNT = {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/any"}
IDENTITY = "sts.GetCallerIdentity"
STACKS = "cloudformation.DescribeStacks"
RESOURCES = "cloudformation.ListStackResources"
FUNCTION = "lambda.GetFunctionConfiguration"


_LOADER = Loader(include_default_search_paths=True)
"""One for all sessions: it keeps the service models, which take long to load."""


def any_session(region: str = "us-east-1") -> boto3.Session:
    """Return a session of nobody."""
    session = botocore.session.Session()
    session.register_component("data_loader", _LOADER)
    return boto3.Session(botocore_session=session, region_name=region)


def answer(session: boto3.Session, operation: str, reply: dict[str, Any]) -> None:
    """Let AWS answer each call of an operation ("ec2.DeleteRoute") in this way."""
    hear(session, operation, lambda: reply)


def refuse(session: boto3.Session, operation: str, code: str, said: str = "no") -> None:
    """Let AWS refuse each call of an operation."""
    hear(session, operation, lambda: refusal(code, said))


def refusal(code: str, said: str = "no") -> dict[str, Any]:
    """Return AWS's refusal."""
    return {"Error": {"Code": code, "Message": said}}


def hear(
    session: boto3.Session, operation: str, reply: Callable[[], dict[str, Any] | None]
) -> None:
    """Ask `reply` for the answer to each call of an operation; None lets the call pass."""

    def before(**_: object) -> tuple[AWSResponse, dict[str, Any]] | None:
        said = reply()
        if said is None:
            return None
        status = 400 if "Error" in said else 200
        return AWSResponse(NOWHERE, status, HTTPHeaders(), None), said

    session.events.register(f"before-call.{operation}", before)  # type: ignore[arg-type]  # it may answer
