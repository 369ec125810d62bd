"""NAT instances that fail over, for a network: the construct that wires all others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from cdk_nat_failover.function.default_routes import DefaultRoutes
from cdk_nat_failover.function.failover_function import FailoverFunction
from cdk_nat_failover.function.private_associations import PrivateAssociations
from cdk_nat_failover.instances.nat_fleet import NatFleet, group_name
from cdk_nat_failover.messaging.encryption_key import EncryptionKey
from cdk_nat_failover.messaging.failover_topic import FailoverTopic
from cdk_nat_failover.messaging.notifications_topic import NotificationsTopic
from cdk_nat_failover.observability.alarms import Observability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cdk_nat_failover.function.options import Failover
    from cdk_nat_failover.instances.options import Instances
    from cdk_nat_failover.network.nat_network import NatNetwork


class NatFailover(Construct):
    """NAT instances, the function that repairs the private tables' default routes, and the alarms.

    Subscribe to `notifications` to hear of what happens.
    """

    def __init__(  # noqa: PLR0913 - what can be chosen, each thing by name
        self,
        scope: Construct,
        construct_id: str,
        *,
        network: NatNetwork,
        instances: Instances,
        failover: Failover,
        customer_key: bool,
        emails: Sequence[str],
        log_retention_days: int,
    ) -> None:
        super().__init__(scope, construct_id)
        key = EncryptionKey(self, "MessageKey") if customer_key else None
        notifications = NotificationsTopic(self, "Outcome", key=key, emails=emails)
        failures = FailoverTopic(self, "NatFailed", key=key)
        function = FailoverFunction(
            self,
            "Failover",
            network=network,
            topic=failures,
            notifications=notifications,
            key=key,
            group=group_name(self),
            wanted=instances.desired,
            options=failover,
            log_retention_days=log_retention_days,
        )
        fleet = NatFleet(
            self,
            "Fleet",
            network=network,
            topic=failures,
            listener=function.listening,
            associations=PrivateAssociations(
                self, "PrivateAssociations", network=network, function=function
            ),
            options=instances,
        )
        routes = DefaultRoutes(
            self, "DefaultRoutes", network=network, function=function, fleet=fleet
        )
        Observability(
            self, "Observability", function=function, routes=routes, notifications=notifications
        )
        self.failures = failures.topic
        self.notifications = notifications.topic
        self.function = function.function
