"""The private subnets' default routes, as far as CloudFormation knows them.

The routes themselves are the function's. Here is the sweep that makes the function observe them
every minute, and the resource that makes a deployment wait for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from cdk_nat_failover.function.failover_function import ANSWER_LIMIT
from nat_failover.contract import SWEEP_SOURCE, Resource

if TYPE_CHECKING:
    from cdk_nat_failover.function.failover_function import FailoverFunction
    from cdk_nat_failover.instances.nat_fleet import NatFleet
    from cdk_nat_failover.network.nat_network import NatNetwork


class DefaultRoutes(Construct):
    """Created last and deleted first: while it exists, every private subnet has been served."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        network: NatNetwork,
        function: FailoverFunction,
        fleet: NatFleet,
    ) -> None:
        super().__init__(scope, construct_id)
        sweep = self._sweep(function)
        # Before there is a group there is nothing to sweep but an alarming absence of NATs.
        sweep.node.add_dependency(fleet.group)
        self.served = self._served(network, function, fleet)
        self.served.node.add_dependency(sweep, *network.private_subnets)

    def _sweep(self, function: FailoverFunction) -> events.Rule:
        return events.Rule(
            self,
            "Sweep",
            description="Repairs what a lost message would have, and keeps the function warm",
            schedule=events.Schedule.rate(cdk.Duration.minutes(1)),
            targets=[
                targets.LambdaFunction(
                    function.function,
                    event=events.RuleTargetInput.from_object({"source": SWEEP_SOURCE}),
                    # One that is late is not worth repeating: the next one is due.
                    max_event_age=cdk.Duration.minutes(1),
                    retry_attempts=0,
                )
            ],
        )

    def _served(
        self, network: NatNetwork, function: FailoverFunction, fleet: NatFleet
    ) -> cdk.CustomResource:
        """Make the deployment wait until the function says that every private subnet is served.

        It is asked again when one of the properties changes: they are what it waits for, and what
        decides how that is done. When it is deleted, the group is still there, and so is all that
        the function needs to make it deletable.
        """
        return cdk.CustomResource(
            self,
            "Served",
            resource_type=Resource.DEFAULT_ROUTES,
            service_token=function.function.function_arn,
            service_timeout=ANSWER_LIMIT,
            properties={
                **({"StandbyGateway": standby} if (standby := function.standby_gateway) else {}),
                "Group": fleet.group.ref,
                "Launch": fleet.launch.version,
                "Strategy": function.strategy.value,
                "Adopt": adopt if isinstance(adopt := function.adopt, bool) else list(adopt),
                "RouteTables": list(network.tables),
                "Subnets": [subnet.subnet_id for subnet in network.private_subnets],
            },
        )
