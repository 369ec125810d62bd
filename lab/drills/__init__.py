"""Drills: faults injected into the region, and what came of them."""
