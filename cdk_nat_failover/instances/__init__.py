"""The NAT instances: their group, what they are launched from, and what they run."""
