"""The letters of zones, by which faults and the variables of handlers name them."""

ZONES = tuple("abcdef")
"""The zones of the lab's region, as moto has them, and all that the address plan has room for."""
