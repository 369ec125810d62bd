"""Changes of instances to come, groups and functions."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from moto.awslambda.models import LambdaFunction

from lab.emulator.services.cloudformation.in_place.rolling import rolling_policy, update_in_batches
from lab.emulator.services.cloudformation.in_place.update import done_already
from lab.emulator.services.cloudformation.schemas import changed
from lab.emulator.services.lambda_.functions import keep_configuration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.emulator.services.cloudformation.in_place.update import Handler, Update

_FUNCTION = {
    "Description": "",
    "Environment": {"Variables": {}},
    "MemorySize": 128,
    "Timeout": 3,
}
"""What a function has where nothing is said (Lambda API reference, CreateFunction)."""


_NUMBERS = (
    "DefaultInstanceWarmup",
    "DesiredCapacity",
    "HealthCheckGracePeriod",
    "MaxInstanceLifetime",
    "MaxSize",
    "MinSize",
)
_OTHERS = (
    "AvailabilityZoneDistribution",
    "HealthCheckType",
    "InstanceMaintenancePolicy",
    "NewInstancesProtectedFromScaleIn",
)


def _version(update: Update) -> Any:  # noqa: ANN401 - moto's launch template
    """Make another version of a launch template, as moto does rightly."""
    resource, aws = update.there.resource, update.aws
    body = {"Properties": dict(update.new)}
    return resource.update_from_cloudformation_json(resource, "", body, aws.account, aws.region)


def _group(update: Update) -> None:
    """Change what a group is, and then its instances if its update policy wants that."""
    _refuse_to_take_away(update)
    policy, new = rolling_policy(update), update.new
    update.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName=update.id,
        VPCZoneIdentifier=",".join(new.get("VPCZoneIdentifier", [])),
        **{name: int(new[name]) for name in _NUMBERS if name in new},
        **{name: new[name] for name in _OTHERS if name in new},
        **_launch(update),
    )
    if policy:
        update_in_batches(update, policy)


def _refuse_to_take_away(update: Update) -> None:
    """Raise NotImplementedError if a setting is no longer given: the API cannot be told so."""
    settings = {*_NUMBERS, *_OTHERS} - {"DesiredCapacity"}  # without it, the size stays
    if gone := sorted(settings & (update.old.keys() - update.new.keys())):
        message = f"the lab cannot take {', '.join(gone)} away from a group"
        raise NotImplementedError(message)


def _launch(update: Update) -> dict[str, Any]:
    """Return what the group is to launch from, as the API takes it."""
    new = update.new
    if "LaunchConfigurationName" in new:
        update.there.resource.ec2_launch_template = None  # moto would go on launching from it
        return {"LaunchConfigurationName": new["LaunchConfigurationName"]}
    return {"LaunchTemplate": {key: str(value) for key, value in new["LaunchTemplate"].items()}}


def _notifications(update: Update) -> None:
    autoscaling, name = update.client("autoscaling"), "NotificationConfigurations"
    kept = {row["TopicARN"] for row in update.new.get(name, [])}
    for row in update.gone(name):
        if row["TopicARN"] not in kept:
            autoscaling.delete_notification_configuration(
                AutoScalingGroupName=update.id, TopicARN=row["TopicARN"]
            )
    for row in update.come(name):
        autoscaling.put_notification_configuration(AutoScalingGroupName=update.id, **row)


def _hooks(update: Update) -> None:
    autoscaling, name = update.client("autoscaling"), "LifecycleHookSpecificationList"
    kept = {row["LifecycleHookName"] for row in update.new.get(name, [])}
    for row in update.gone(name):
        if row["LifecycleHookName"] not in kept:
            with done_already("ValidationError"):
                autoscaling.delete_lifecycle_hook(
                    AutoScalingGroupName=update.id, LifecycleHookName=row["LifecycleHookName"]
                )
    for row in update.come(name):
        timeout = (
            {"HeartbeatTimeout": int(row["HeartbeatTimeout"])} if "HeartbeatTimeout" in row else {}
        )
        autoscaling.put_lifecycle_hook(AutoScalingGroupName=update.id, **{**row, **timeout})


def _group_tags(update: Update) -> None:
    autoscaling = update.client("autoscaling")
    where = {"ResourceId": update.id, "ResourceType": "auto-scaling-group"}
    kept = {row["Key"] for row in update.new.get("Tags", [])}
    if gone := [row["Key"] for row in update.old.get("Tags", []) if row["Key"] not in kept]:
        autoscaling.delete_tags(Tags=[{**where, "Key": key} for key in gone])
    if come := update.come("Tags"):
        autoscaling.create_or_update_tags(Tags=[{**where, **row} for row in come])


def _function(update: Update) -> None:
    """Change a function, as moto does rightly as far as it knows the properties."""
    function, new = update.there.resource, {**_FUNCTION, **update.new}
    function.update_configuration(new)
    if "Code" in changed(update.old, update.new):
        function.update_function_code(_code(new["Code"]))
    keep_configuration(function, new)


def _code(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return code as the API takes it; what stands in a template is no archive yet."""
    if "ZipFile" not in given:
        return dict(given)
    archive = LambdaFunction._create_zipfile_from_plaintext_code(given["ZipFile"])  # noqa: SLF001 - as moto does at creation
    return {"ZipFile": base64.b64encode(archive)}


TABLE: dict[str, dict[str, Handler]] = {
    "AWS::EC2::LaunchTemplate": {"LaunchTemplateData": _version, "VersionDescription": _version},
    "AWS::AutoScaling::AutoScalingGroup": {
        "NotificationConfigurations": _notifications,
        "Tags": _group_tags,
        "LifecycleHookSpecificationList": _hooks,
        "LaunchConfigurationName": _group,
        "LaunchTemplate": _group,
        "VPCZoneIdentifier": _group,
        **dict.fromkeys((*_NUMBERS, *_OTHERS), _group),
    },
    "AWS::Lambda::Function": {
        **dict.fromkeys(_FUNCTION, _function),
        "Architectures": _function,
        "Code": _function,
        "DeadLetterConfig": _function,
        "Handler": _function,
        "LoggingConfig": _function,
        "Role": _function,
        "Runtime": _function,
    },
}
