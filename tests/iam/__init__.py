"""Policies, evaluated by AWS's published rules."""

from tests.iam.intrinsics import resolve
from tests.iam.simulator import Request, evaluate

__all__ = ["Request", "evaluate", "resolve"]
