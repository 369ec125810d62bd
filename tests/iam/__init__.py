"""Policies, evaluated by AWS's published rules."""
