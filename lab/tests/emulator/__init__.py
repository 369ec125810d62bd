"""Contracts of the emulated region, a file for each of its pieces."""
