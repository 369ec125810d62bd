"""What CloudFormation asks of the function, and the answer.

The stack's custom resource is created last and deleted first. Creating or updating it takes until
every private subnet has a working default route, so that no deployment reports success before that.
Deleting it, with the strategy swap-route-table, takes away the associations that the function made:
CloudFormation does not know their ids, and EC2 refuses to delete a table that still has one
(CloudFormation resource handler contract; EC2 API reference, DeleteRouteTable).
"""

from __future__ import annotations

import json
import urllib.request
from dataclasses import replace
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from nat_failover.apply import ReleaseSubnet, apply
from nat_failover.observe import IncompleteError, observe_tables
from nat_failover.reconcile import Run
from nat_failover.settings import Strategy

if TYPE_CHECKING:
    from nat_failover.events import Deployment, Trigger
    from nat_failover.observe import Clients
    from nat_failover.settings import Settings

ANSWER_TIMEOUT_S = 5

_REASON_LIMIT = 500
"""Characters, six bytes each at most in JSON: CloudFormation waits in vain for an answer of more
than 4096 bytes (CloudFormation user guide, custom resource response objects)."""


def release(clients: Clients, settings: Settings, trigger: Trigger) -> Run:
    """Take every association away from the stack's private tables, where the function made any."""
    if settings.strategy is not Strategy.SWAP_ROUTE_TABLE:
        return Run(trigger=trigger)
    run = Run(trigger=trigger, looks=1)
    try:
        tables = observe_tables(clients, settings)
    except (ClientError, BotoCoreError, IncompleteError) as error:
        return replace(run, failure=f"{type(error).__name__}: {error}")
    results = apply(
        clients,
        [
            ReleaseSubnet(
                association=association.id,
                subnet=association.subnet,
                table=table.id,
                reason="CloudFormation is about to delete the table",
            )
            for table in sorted(tables, key=lambda table: table.id)
            for association in sorted(table.associations)
        ],
    )
    refused = "; ".join(result.error for result in results if result.error)
    return replace(run, results=results, failure=refused or None)


def answer(deployment: Deployment, run: Run) -> None:
    """Tell CloudFormation what became of its request.

    Raises:
        OSError: when the answer cannot be delivered; Lambda then tries the invocation again.

    """
    body = {
        "Status": "FAILED" if run.failure else "SUCCESS",
        "Reason": (run.failure or "done")[:_REASON_LIMIT],
        "PhysicalResourceId": deployment.physical_id,
        "StackId": deployment.stack,
        "RequestId": deployment.request_id,
        "LogicalResourceId": deployment.logical_id,
    }
    request = urllib.request.Request(  # noqa: S310 - CloudFormation's own pre-signed URL
        deployment.response_url,
        data=json.dumps(body).encode(),
        headers={"Content-Type": ""},
        method="PUT",
    )
    with urllib.request.urlopen(request, timeout=ANSWER_TIMEOUT_S):  # noqa: S310 - see above
        pass
