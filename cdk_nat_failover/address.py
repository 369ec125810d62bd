"""The construct's address: what tells the names and tags of two constructs of a stack apart."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aws_cdk as cdk

if TYPE_CHECKING:
    from constructs import Construct

LONGEST_PATH = 100
"""Characters of a path: with a stack's name of 128 it fits the name of a group, of 255
("CreateAutoScalingGroup", EC2 Auto Scaling API reference)."""

_HASH = 8


@dataclass(frozen=True, slots=True)
class Address:
    """Where a construct is: its stack's name, which may be a token, and its ids below the stack.

    `path` is empty for a construct that is called `Default` in its stack, as the app's is.
    """

    stack: str
    path: str

    @classmethod
    def of(cls, construct: Construct) -> Address:
        """Return a construct's address.

        A path that is too long, or whose ids have other characters than letters and digits, ends
        with a hash of the ids as they are.
        """
        stack = cdk.Stack.of(construct)
        below = construct.node.scopes[len(stack.node.scopes) :]
        ids = [scope.node.id for scope in below if scope.node.id != "Default"]
        path = "-".join(re.sub("[^A-Za-z0-9]", "", id_) for id_ in ids)
        if len(path) > LONGEST_PATH or len(path) < len("-".join(ids)):
            digest = hashlib.sha256("/".join(ids).encode()).hexdigest()[:_HASH]
            path = f"{path[: LONGEST_PATH - _HASH - 1]}-{digest}"
        return cls(stack.stack_name, path)

    @property
    def name(self) -> str:
        """The stack's name, followed by the path if there is one."""
        return f"{self.stack}-{self.path}" if self.path else self.stack
