"""Drills of a stack that is deployed in a real account."""
