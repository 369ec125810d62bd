"""What AWS answers to a call that the caller may not make.

Sources: EC2 API reference, "Error codes"; IAM user guide, "Troubleshoot access denied error
messages"; the Common Errors of each service's API reference; for the words of each service, errors
in public issues: hashicorp's provider for EC2 (ministryofjustice/modernisation-platform#8420), Auto
Scaling (chime/terraform-aws-alternat#188), SNS (aws-ia/terraform-aws-control_tower_account_factory
#151), SQS (aws/serverless-application-model#3633).
"""

from __future__ import annotations

import base64
import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model

from lab.emulator.iam.requests import model_of
from lab.emulator.lambda_runtime.calls import Reply

if TYPE_CHECKING:
    from moto.core.model import ServiceModel

    from lab.emulator.iam.callers import Caller
    from lab.emulator.iam.calls import ApiCall
    from lab.emulator.iam.permissions import Refused

_CODES = {
    "ec2": "UnauthorizedOperation",
    "query": "AccessDenied",
    "rest-xml": "AccessDenied",
    "json": "AccessDeniedException",
    "rest-json": "AccessDeniedException",
}


class _RefusedError(Exception):
    """An error as moto's serializers take it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def refusal(call: ApiCall, caller: Caller, refused: Refused) -> Reply:
    """Return the answer to a refused call, in the protocol of the call."""
    model = get_service_model(model_of(call.service))
    code = _code(call, model, refused)
    serializer = get_serializer_class(str(model.service_name), call.protocol)(
        operation_model=model.operation_model(call.operation)
    )
    answer = serializer.serialize(_RefusedError(code, _message(call, caller, refused)))
    status = HTTPStatus.BAD_REQUEST if call.protocol == "json" else HTTPStatus.FORBIDDEN
    body = answer["body"]
    return Reply(
        status=f"{status.value} {status.phrase}",
        headers=list(answer["headers"].items()),
        body=body.encode() if isinstance(body, str) else body,
    )


def _code(call: ApiCall, model: ServiceModel, refused: Refused) -> str:
    """Return the error code: SNS has two of its own, and some JSON services keep an older one."""
    if call.service == "sns":
        return "KMSAccessDenied" if refused.action.startswith("kms:") else "AuthorizationError"
    return _CODES["query" if "awsQueryCompatible" in model.metadata else call.protocol]


def _message(call: ApiCall, caller: Caller, refused: Refused) -> str:
    action = _spelt(call.service, refused.action)
    on = f" on resource: {refused.resource}" if refused.resource else ""
    why = (
        "with an explicit deny in an identity-based policy"
        if refused.denied
        else f"because no identity-based policy allows the {action} action"
    )
    said = f"User: {caller.arn} is not authorized to perform: {action}{on} {why}"
    if call.service == "ec2":
        said = f"You are not authorized to perform this operation. {said}"
        if refused.resource:
            said += f". Encoded authorization failure message: {_encoded(caller, refused)}"
    return said


def _spelt(service: str, action: str) -> str:
    """Return an action as the service's messages spell it: SNS:Publish, sqs:sendmessage."""
    prefix, _, name = action.partition(":")
    if service == "sqs":
        return action.lower()
    return f"SNS:{name}" if prefix == "sns" else action


def _encoded(caller: Caller, refused: Refused) -> str:
    """Return what stands for AWS's encoded message, which only STS can decode: base64 of JSON."""
    message = {
        "allowed": False,
        "explicitDeny": refused.denied,
        "context": {
            "principal": {"arn": caller.arn},
            "action": refused.action,
            "resource": refused.resource,
        },
    }
    return base64.urlsafe_b64encode(json.dumps(message).encode()).decode()
