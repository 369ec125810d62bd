"""Contracts of the emulated region: each fails when moto is alone."""
