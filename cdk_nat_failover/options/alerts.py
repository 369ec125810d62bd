"""The options of who is notified."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, EmailStr, Field

from cdk_nat_failover.options.section import Section, setting
from cdk_nat_failover.options.validators import each_once

MOST_EMAILS = 100
"""Ours: each is a resource of a template that may have 500, and a mailing list reaches more."""


def _topic_takes(address: str) -> str:
    """Return the e-mail address; raise where the subscription of it would be refused."""
    if not address.isascii():
        message = f"{address} has letters that e-mail systems do not all take: use ASCII"
        raise ValueError(message)
    if "/" in address:
        message = f"{address} has a slash, which stands for two hyphens in the template"
        raise ValueError(message)
    return address


class AlertOptions(Section):
    """Who is told."""

    emails: Annotated[
        tuple[Annotated[EmailStr, AfterValidator(_topic_takes)], ...],
        Field(max_length=MOST_EMAILS),
        AfterValidator(each_once),
    ] = setting(
        default=(),
        decides="who gets the notifications",
        allowed=f"a list of up to {MOST_EMAILS} e-mail addresses without a slash, each once",
    )
