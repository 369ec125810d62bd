"""How faults are injected into the emulated region, through its own levers and its API."""
