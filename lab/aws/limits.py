"""What the lab does not model, in sentences; `lab fidelity` prints them."""

LIMITS: tuple[str, ...] = (
    "Packets: no NAT boots, and nothing is routed. An instance forwards when the model says so.",
    "What a boot script does: it takes its time, and it succeeds unless a fault says otherwise.",
    (
        "What a function computes takes no time; its start and its calls do. Its sockets to"
        " others than AWS, and bare locks, go by the clock on the wall."
    ),
    "What Lambda itself does with a role (logs, dead letters) is not held against the role.",
    (
        "Topic, queue and key policies, permissions boundaries, service control and session"
        " policies are not evaluated. Condition keys beyond tags of EC2 and Auto Scaling resources,"
        " ec2:Vpc, Region, principal and transport count as absent."
    ),
    (
        "Rule targets other than functions, input paths and transformers, alarm actions other than"
        " topics, metric math, percentiles, composite alarms."
    ),
    "Function versions and aliases, destinations, reserved and provisioned concurrency.",
    "InvalidInstanceID.NotFound right after a launch.",
    "Warm pools, mixed instances, scaling policies, standby, spot interruptions.",
    "Nested stacks, drift detection, stack policies, resource imports.",
    "More than one account or Region.",
)
