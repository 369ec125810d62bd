"""Policies, evaluated by AWS's published rules."""

from lab.iam.service import Request
from tests.iam.deployed import role_policies
from tests.iam.intrinsics import resolve
from tests.iam.simulator import SIMULATOR, evaluate

__all__ = ["SIMULATOR", "Request", "evaluate", "resolve", "role_policies"]
