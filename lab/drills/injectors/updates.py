"""A fault that is an update of the stack."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lab.drills.injectors.context import FaultContext
    from lab.emulator.journal import Entry


_BEGINS = 10.0  # seconds on the wall, in which a stack operation has begun


def update_the_stack(context: FaultContext, _: str | None) -> None:
    """Begin an update that replaces the NATs: another instance type."""
    cloudformation = context.region.client("cloudformation")
    template = cloudformation.get_template(StackName=context.stack)["TemplateBody"]
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        launch = properties.get("LaunchTemplateData", properties)
        if "InstanceType" in launch:
            launch["InstanceType"] = "t4g.micro"
            if name := properties.get("LaunchTemplateName"):  # it says what the template contains
                properties["LaunchTemplateName"] = {"Fn::Join": ["-", [name, "micro"]]}
    context.say(f"update the stack {context.stack}: NATs of another instance type")
    change_set = cloudformation.create_change_set(
        StackName=context.stack,
        ChangeSetName="another-instance-type",
        TemplateBody=json.dumps(template),
        Parameters=_as_they_are(cloudformation, context.stack),
        Capabilities=["CAPABILITY_IAM"],
    )
    _execute(context, change_set["Id"])


def _as_they_are(cloudformation: Any, stack: str) -> list[dict[str, Any]]:  # noqa: ANN401 - a client
    (described,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    return [
        {"ParameterKey": row["ParameterKey"], "UsePreviousValue": True}
        for row in described.get("Parameters", [])
    ]


def _execute(context: FaultContext, change_set: str) -> None:
    """Execute a change set without waiting for its end, only for its beginning."""
    began = threading.Event()
    region = context.region

    def listen(entry: Entry) -> None:
        if entry.kind == "stack":
            began.set()

    region.journal.listen(listen)
    execute = region.client("cloudformation").execute_change_set
    threading.Thread(
        target=execute, kwargs={"ChangeSetName": change_set}, name="lab update", daemon=True
    ).start()
    began.wait(_BEGINS)
