"""Drills: faults played in the region, and what came of them."""
