"""How EC2 refuses a request."""

from __future__ import annotations

from typing import NoReturn

from moto.ec2.exceptions import EC2ClientError


def refuse(code: str, message: str) -> NoReturn:
    """Refuse a request with an error code, in EC2's words where they are known."""
    raise EC2ClientError(code, message)
