"""Who makes a call."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """A session of a role; a function's session has the function's name."""

    role: str
    session: str

    @property
    def arn(self) -> str:
        """Return the session's ARN, in which a role's path does not appear."""
        _, partition, _, _, account, role = self.role.split(":", 5)
        name = role.rsplit("/", 1)[-1]
        return f"arn:{partition}:sts::{account}:assumed-role/{name}/{self.session}"
