"""Policies, evaluated by AWS's published rules."""

from lab.emulator.iam.service import Request
from tests.iam.deployed import instance_policies, role_policies
from tests.iam.intrinsics import resolve
from tests.iam.simulator import SIMULATOR, evaluate

__all__ = ["SIMULATOR", "Request", "evaluate", "instance_policies", "resolve", "role_policies"]
