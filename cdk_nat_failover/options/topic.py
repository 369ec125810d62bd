"""The options of the topics."""

from __future__ import annotations

from cdk_nat_failover.options.section import Section, setting


class TopicOptions(Section):
    """The topics."""

    customer_key: bool = setting(
        default=False,
        decides="whether a KMS key of the stack encrypts topics and queue",
        allowed="true or false",
    )
