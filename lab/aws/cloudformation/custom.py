"""Custom resources: CloudFormation asks a function, and waits for its answer."""
# ruff: noqa: ANN401 - JSON, and what moto passes on

from __future__ import annotations

import json
import uuid
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Self

from moto.cloudformation import parsing

from lab import delays
from lab.aws.behaviour import Behaviour, Emulation, Patches
from lab.aws.cloudformation.types import Place, Resource
from lab.aws.functions import invoke_later
from lab.journal import Who
from lab.loopback import LoopbackServer, Quiet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from moto.core.common_models import CloudFormationModel


class CustomResourceError(Exception):
    """The function reported FAILED, or nothing in time; the message is its reason."""


class Conversation:
    """Asks functions; the answer comes to a loopback address that it gives with the question."""

    def __init__(self, aws: Emulation) -> None:
        self._aws = aws

    def ask(self, request: str, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to a Create, Update or Delete.

        Raises:
            CustomResourceError: the function reported FAILED, or nothing within the limit.

        """
        self._note("asks", request, facts)
        answers: list[dict[str, Any]] = []
        with _listening(answers) as address:
            event = {
                **facts,
                "RequestType": request,
                "RequestId": str(uuid.uuid4()),
                "ResponseURL": address,
            }
            properties = facts["ResourceProperties"]
            invoke_later(self._aws, properties["ServiceToken"], event)
            longest = delays.CUSTOM_RESOURCE_LIMIT.high
            limit = min(float(properties.get("ServiceTimeout", longest)), longest)
            if not self._aws.clock.wait_until(lambda: bool(answers), limit):
                message = f"the function did not answer the {request} request within {limit:.0f} s"
                raise CustomResourceError(message)
        if answers[0].get("Status") != "SUCCESS":
            raise CustomResourceError(answers[0].get("Reason") or "no reason given")
        self._note("has its answer to", request, facts)
        return answers[0]

    def _note(self, verb: str, request: str, facts: Mapping[str, Any]) -> None:
        what = f"{verb} {facts['ResourceType']}: {request}"
        self._aws.journal.note(Who.CLOUDFORMATION, "custom resource", what, request=request)


@contextmanager
def _listening(answers: list[dict[str, Any]]) -> Iterator[str]:
    """Yield an address that puts what comes in into a list."""
    with closing(LoopbackServer(_handler(answers))) as server:
        yield f"http://{server.address}/{uuid.uuid4()}"


class CustomResource(Resource):
    """A resource that a function of the stack, or of the account, stands for."""

    conversation: ClassVar[Conversation]

    def __init__(self, facts: dict[str, Any]) -> None:
        answer = self.conversation.ask("Create", facts)
        super().__init__(_physical_id(answer), answer.get("Data"))
        self._facts = {**facts, "PhysicalResourceId": self.physical_resource_id}

    @classmethod
    def create(cls, name: str, given: dict[str, Any], place: Place) -> Self:
        """Ask the function to create what it stands for."""
        del name
        return cls(
            {
                "StackId": place.facts["StackId"],
                "LogicalResourceId": place.facts["LogicalId"],
                "ResourceType": place.facts["ResourceType"],
                "ResourceProperties": _as_text(given),
            }
        )

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Any,
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> Any:
        """Ask the function for an update; moto calls this."""
        del new_resource_name, account_id, region_name
        original_resource.update(_as_text(cloudformation_json["Properties"]))
        return original_resource

    def update(self, properties: dict[str, Any]) -> None:
        """Ask the function for an update; a new physical id means that it replaced the resource."""
        old = self._facts["ResourceProperties"]
        self._facts["ResourceProperties"] = properties
        answer = self.conversation.ask("Update", {**self._facts, "OldResourceProperties": old})
        self.attributes = answer.get("Data") or {}
        self._facts["PhysicalResourceId"] = self.physical_resource_id = _physical_id(answer)

    def delete(self, account_id: str, region_name: str) -> None:
        """Ask the function to delete what it stands for."""
        del account_id, region_name
        self.conversation.ask("Delete", self._facts)


def _physical_id(answer: Mapping[str, Any]) -> str:
    given = answer.get("PhysicalResourceId")
    if not given:
        message = "Invalid PhysicalResourceId: the function's answer has none"
        raise CustomResourceError(message)
    return str(given)


def _as_text(value: Any) -> Any:
    """Return properties as CloudFormation passes them on: every scalar is a string."""
    if isinstance(value, dict):
        return {key: _as_text(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_text(inner) for inner in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


class CustomResources(Behaviour):
    """CloudFormation invokes the function of a custom resource and waits for its PUT.

    FAILED, silence, or an answer without physical id fails the resource. On deletion of the stack
    the function is asked too. moto does not wait, takes failure for success, and asks only at
    creation.
    """

    source = "CloudFormation user guide, 'Custom resources'"

    def install(self, patches: Patches) -> None:
        """Stand in for moto's custom resources."""
        conversation = Conversation(self._aws)
        self._find = parsing.resource_class_from_type
        patches.replace(CustomResource, "conversation", conversation)
        patches.replace(parsing, "resource_class_from_type", self._find_custom)

    def _find_custom(self, resource_type: str) -> type[CloudFormationModel]:
        custom = resource_type.startswith("Custom::")
        if custom or resource_type == "AWS::CloudFormation::CustomResource":
            return CustomResource
        return self._find(resource_type)


def _handler(answers: list[dict[str, Any]]) -> type[Quiet]:
    class Handler(Quiet):
        def do_PUT(self) -> None:  # noqa: N802 - as http.server calls it
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answers.append(json.loads(body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    return Handler
