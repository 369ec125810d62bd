"""What a boot script runs: its own lines, and those of the files that it carries packed."""

from __future__ import annotations

from functools import lru_cache

from cdk_nat_failover.instances.packing import unpack


@lru_cache
def runs(script: str, call: str) -> bool:
    """Return whether a script makes a call, itself or in a file that it unpacks."""
    return call in script or any(call in file.text for file in unpack(script))
