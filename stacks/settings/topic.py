"""The settings of the topics."""

from __future__ import annotations

from stacks.settings.section import Section, setting


class TopicSettings(Section):
    """The topics."""

    customer_key: bool = setting(
        default=False,
        decides="whether a KMS key of the stack encrypts topics and queue",
        allowed="true or false",
    )
