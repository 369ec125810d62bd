"""User data as EC2 keeps it: in base64, and whatever its owner wants."""

from __future__ import annotations

import base64
import binascii


def script_in(user_data: str) -> str:
    """Return the script that user data in base64 is; empty if it is none."""
    try:
        return base64.b64decode(user_data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
