"""What the lab does not model, in sentences; `lab fidelity` prints them."""

LIMITS: tuple[str, ...] = (
    "Packets: no NAT boots, and nothing is routed. An instance forwards when the model says so.",
    "What a boot script does: it takes its time, and it succeeds unless a fault says otherwise.",
    "Topic, queue and key policies: stored and not evaluated. Roles and functions' policies are.",
    "Warm pools, mixed instances, scaling policies, spot interruptions.",
    "More than one account or Region.",
)
