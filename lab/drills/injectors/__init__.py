"""How the emulated region plays the faults, through its own levers and its API."""
