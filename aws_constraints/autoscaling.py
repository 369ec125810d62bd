"""EC2 Auto Scaling: groups, hooks, notifications, processes."""

from __future__ import annotations

from aws_constraints.ec2 import TAG_VALUE
from aws_constraints.rows import Row
from aws_constraints.rules import AtMost, Document, Number, OneOf, Percentages, Text

GROUP_NAME = Text(
    pattern=r"[!-9;-~]+",
    allowed="ASCII characters 33 to 126 but the colon",
    shortest=1,
    longest=255,
)
"""The name of a group, and what may be made of a stack's name for it."""

_GROUP = "AWS::AutoScaling::AutoScalingGroup"
_HOOK = f"{_GROUP}/LifecycleHookSpecificationList/*"
_CALLS_WITH_GROUP = (
    "CompleteLifecycleAction",
    "RecordLifecycleActionHeartbeat",
    "ResumeProcesses",
    "SetInstanceProtection",
)
_API = "EC2 Auto Scaling API reference"

GROUPS = (
    Row(
        places=(
            f"{_GROUP}/AutoScalingGroupName",
            "autoscaling.CreateAutoScalingGroup/AutoScalingGroupName",
            "autoscaling.DescribeAutoScalingGroups/AutoScalingGroupNames/*",
            *(f"autoscaling.{name}/AutoScalingGroupName" for name in _CALLS_WITH_GROUP),
        ),
        rule=GROUP_NAME,
        source=f"{_API}, CreateAutoScalingGroup",
        words="Group name not valid: {value}",
    ),
    Row(
        places=(_GROUP,),
        rule=AtMost(("MinSize", "DesiredCapacity", "MaxSize")),
        source=f"{_API}, CreateAutoScalingGroup",
        words="Desired capacity must be between the specified min size and max size",
    ),
    Row(
        places=(f"{_GROUP}/DefaultInstanceWarmup",),
        rule=Number(low=-1, high=3600),
        source=f"{_API}, CreateAutoScalingGroup; an hour at most is what is sensible here",
    ),
    Row(
        places=(f"{_GROUP}/Cooldown", f"{_GROUP}/HealthCheckGracePeriod"),
        rule=Number(low=0, high=86_400),
        source=f"{_API}, CreateAutoScalingGroup; a day at most is what is sensible here",
    ),
    Row(
        places=(f"{_GROUP}/MaxInstanceLifetime",),
        rule=Number(low=0, high=365 * 86_400, step=86_400),
        source=f"{_API}, CreateAutoScalingGroup: 0, or a day at least; whole days, and a year at"
        " most, are what is sensible here",
    ),
    Row(
        places=(f"{_GROUP}/InstanceMaintenancePolicy",),
        rule=Percentages("MinHealthyPercentage", "MaxHealthyPercentage"),
        source=f"{_API}, InstanceMaintenancePolicy",
    ),
    Row(
        places=(f"{_GROUP}/HealthCheckType",),
        rule=Text(
            pattern=r"(EC2|EBS|ELB|VPC_LATTICE)(,(EC2|EBS|ELB|VPC_LATTICE))*",
            allowed="EC2, EBS, ELB, VPC_LATTICE with commas",
            longest=32,
        ),
        source=f"{_API}, CreateAutoScalingGroup",
    ),
    Row(
        places=(f"{_GROUP}/TerminationPolicies/*",),
        rule=OneOf(
            (
                "AllocationStrategy",
                "ClosestToNextInstanceHour",
                "Default",
                "NewestInstance",
                "OldestInstance",
                "OldestLaunchConfiguration",
                "OldestLaunchTemplate",
            )
        ),
        source=f"{_API}, CreateAutoScalingGroup",
    ),
    Row(
        places=(f"{_GROUP}/Tags/*/Key",),
        rule=Text(
            pattern=r"(?!aws:)[\s\S]*",
            allowed="a key without the prefix aws:",
            shortest=1,
            longest=127,
        ),
        source=f"{_API}, Tag; EC2 API reference, Tag, since it is passed on to instances",
    ),
    Row(places=(f"{_GROUP}/Tags/*/Value",), rule=TAG_VALUE, source=f"{_API}, Tag"),
    Row(
        places=(f"{_GROUP}/NotificationConfigurations/*/NotificationTypes/*",),
        rule=OneOf(
            (
                "autoscaling:EC2_INSTANCE_LAUNCH",
                "autoscaling:EC2_INSTANCE_LAUNCH_ERROR",
                "autoscaling:EC2_INSTANCE_TERMINATE",
                "autoscaling:EC2_INSTANCE_TERMINATE_ERROR",
                "autoscaling:TEST_NOTIFICATION",
            )
        ),
        source=f"{_API}, PutNotificationConfiguration",
        words='"{value}" is not a valid Notification Type',
    ),
)

HOOKS = (
    Row(
        places=(f"{_HOOK}/DefaultResult", "autoscaling.PutLifecycleHook/DefaultResult"),
        rule=OneOf(("ABANDON", "CONTINUE")),
        source=f"{_API}, LifecycleHookSpecification",
        words="Lifecycle Action Result must be either CONTINUE or ABANDON",
    ),
    Row(
        places=(f"{_HOOK}/HeartbeatTimeout", "autoscaling.PutLifecycleHook/HeartbeatTimeout"),
        rule=Number(low=30, high=7200),
        source=f"{_API}, LifecycleHookSpecification",
        words="Heartbeat timeout must be between 30 and 7200 seconds",
    ),
    Row(
        places=(
            f"{_HOOK}/LifecycleTransition",
            "autoscaling.PutLifecycleHook/LifecycleTransition",
        ),
        rule=OneOf(("autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING")),
        source=f"{_API}, LifecycleHookSpecification",
    ),
    Row(
        places=("autoscaling.CompleteLifecycleAction/LifecycleActionResult",),
        rule=OneOf(("ABANDON", "CONTINUE")),
        source=f"{_API}, CompleteLifecycleAction",
        words="Lifecycle Action Result must be either CONTINUE or ABANDON",
    ),
)

CALLS = (
    Row(
        places=(
            "autoscaling.ResumeProcesses/ScalingProcesses/*",
            "autoscaling.SuspendProcesses/ScalingProcesses/*",
        ),
        rule=OneOf(
            (
                "AddToLoadBalancer",
                "AlarmNotification",
                "AZRebalance",
                "HealthCheck",
                "InstanceRefresh",
                "Launch",
                "ReplaceUnhealthy",
                "ScheduledActions",
                "Terminate",
            )
        ),
        source=f"{_API}, ResumeProcesses",
        words="{value} is not a valid Scaling Process Type",
    ),
    Row(
        places=(
            "autoscaling.SetInstanceProtection/InstanceIds/*",
            "autoscaling.CompleteLifecycleAction/InstanceId",
            "autoscaling.RecordLifecycleActionHeartbeat/InstanceId",
            "autoscaling.SetInstanceHealth/InstanceId",
            "autoscaling.TerminateInstanceInAutoScalingGroup/InstanceId",
        ),
        rule=Text(
            pattern=r"i-[0-9a-f]+", allowed="i- and hexadecimal digits", shortest=1, longest=19
        ),
        source=f"{_API}, CompleteLifecycleAction",
    ),
    Row(
        places=("autoscaling.SetInstanceHealth/HealthStatus",),
        rule=OneOf(("Healthy", "Unhealthy")),
        source=f"{_API}, SetInstanceHealth",
    ),
    Row(
        places=("autoscaling.CompleteLifecycleAction/LifecycleActionToken",),
        rule=Text(pattern=r"[0-9a-f-]+", allowed="a UUID", shortest=36, longest=36),
        source=f"{_API}, CompleteLifecycleAction",
    ),
    Row(
        places=("autoscaling.DescribeAutoScalingGroups/MaxRecords",),
        rule=Number(low=1, high=100),
        source=f"{_API}, DescribeAutoScalingGroups",
    ),
    Row(
        places=("autoscaling.DescribeAutoScalingGroups/NextToken",),
        rule=Document(longest=4096),
        source=f"{_API}, DescribeAutoScalingGroups: what the last answer gave",
    ),
)

ROWS = (*GROUPS, *HOOKS, *CALLS)
