"""Faults, and what is measured of them."""
