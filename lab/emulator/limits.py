"""What the lab does not model, in sentences; `lab fidelity` prints them."""

LIMITS: tuple[str, ...] = (
    "Packets, without --packets: no NAT boots, and an instance forwards when the model says so.",
    "With --packets: loss and delay of links, IPv6, what ICMP errors quote, rules by group.",
    "With --packets: systemd, dnf and the like; they take note of their calls and succeed.",
    "What a boot script does, except its last call: it succeeds unless a fault says otherwise.",
    "The time that a function computes: only its start and its calls take time.",
    "Sockets of a function to others than AWS, and bare locks: they go by the clock on the wall.",
    "What Lambda itself does with a role (logs, dead letters): it is not held against the role.",
    "Topic, queue and key policies, permissions boundaries, service control and session policies.",
    "IAM condition keys beyond resource tags, ec2:Vpc, Region, principal and transport.",
    "Rule targets other than functions, input paths and transformers; lost schedules.",
    "Alarm actions other than topics, metric math, percentiles, composite alarms.",
    "Function versions and aliases, destinations, reserved and provisioned concurrency.",
    "InvalidInstanceID.NotFound right after a launch.",
    "Warm pools, mixed instances, scaling policies, maintenance policies, spot interruptions.",
    "TERMINATE_ERROR, scaling activities in DescribeScalingActivities, checkpoints of a refresh.",
    "Resources of a stack that are made at the same time: here they are made in turn.",
    "Nested stacks, drift detection, stack policies, imports, RollbackStack, replacing updates.",
    "More than one account or Region.",
)
