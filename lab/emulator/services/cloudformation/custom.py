"""Custom resources: CloudFormation asks a function, and waits for its answer."""
# ruff: noqa: ANN401 - JSON, and what moto passes on

from __future__ import annotations

import json
import uuid
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Self

from moto.cloudformation import parsing

from lab.emulator.behaviour import Behaviour, Emulation, HalfMadeError, Patches
from lab.emulator.journal import Who
from lab.emulator.loopback import LoopbackServer, Quiet
from lab.emulator.services.cloudformation.types import UnknownTypesFail
from lab.emulator.services.lambda_.functions import invoke_later
from lab.emulator.services.resource import Place, Properties, Resource
from lab.emulator.time import delays

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from moto.core.common_models import CloudFormationModel


class CustomResourceError(Exception):
    """The function reported FAILED, or nothing in time; the message is its reason."""

    def __init__(self, message: str, physical_id: str = "") -> None:
        super().__init__(message)
        self.physical_id = physical_id


class Conversation:
    """Asks functions; the answer comes to a loopback address that it gives with the question."""

    def __init__(self, aws: Emulation) -> None:
        self._aws = aws

    def ask(self, request: str, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to a Create, Update or Delete; to the first two it has a physical id.

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
        (answer, *_), physical_id = answers, str(answers[0].get("PhysicalResourceId") or "")
        if answer.get("Status") != "SUCCESS":
            raise CustomResourceError(answer.get("Reason") or "no reason given", physical_id)
        if not physical_id and request != "Delete":
            message = "Invalid PhysicalResourceId: the function's answer has none"
            raise CustomResourceError(message)
        self._note("has its answer to", request, facts)
        return {**answer, "PhysicalResourceId": physical_id}

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

    def __init__(
        self, physical_id: str, facts: Mapping[str, Any], data: Mapping[str, Any] | None
    ) -> None:
        super().__init__(physical_id, data)
        self._facts = {**facts, "PhysicalResourceId": physical_id}

    @classmethod
    def create(cls, name: str, given: Properties, place: Place) -> Self:
        """Ask the function to create what it stands for.

        One that fails is asked for a Delete all the same, under the id that it gave or, if it gave
        none, under one that CloudFormation made up.
        """
        facts = {
            "StackId": place.facts["StackId"],
            "LogicalResourceId": place.facts["LogicalId"],
            "ResourceType": place.facts["ResourceType"],
            "ResourceProperties": _as_text(given),
        }
        try:
            answer = cls.conversation.ask("Create", facts)
        except CustomResourceError as error:
            raise HalfMadeError(cls(error.physical_id or name, facts, None), error) from error
        return cls(answer["PhysicalResourceId"], facts, answer.get("Data"))

    def refuse_to_change(self, names: frozenset[str]) -> None:
        """Refuse nothing: what a change means is the function's."""

    def updated(self, given: Properties, old: Properties, place: Place) -> Self:
        """Ask the function for an update; a new physical id means that it replaced the resource."""
        del place
        facts = {**self._facts, "ResourceProperties": _as_text(given)}
        before = {"OldResourceProperties": _as_text(old)}
        answer = self.conversation.ask("Update", {**facts, **before})
        return type(self)(answer["PhysicalResourceId"], facts, answer.get("Data"))

    def delete(self, account_id: str, region_name: str) -> None:
        """Ask the function to delete what it stands for."""
        del account_id, region_name
        self.conversation.ask("Delete", self._facts)


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
    after = (UnknownTypesFail,)

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
