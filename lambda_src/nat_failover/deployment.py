"""What CloudFormation asks of the function, and the answer.

Creating or updating the resource `Custom::DefaultRoutes`, the last of the stack, takes until every
private subnet has a working default route, so that no deployment reports success before that.

Deleting the resource `Custom::PrivateAssociations`, which outlives the NATs and the sweep, takes
away the associations that the function made with the strategy swap-route-table: CloudFormation does
not know their ids, and EC2 refuses to delete a table that still has one (CloudFormation resource
handler contract; EC2 API reference, DeleteRouteTable).
"""

from __future__ import annotations

import json
import urllib.request
from dataclasses import replace
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from nat_failover.apply import ReleaseSubnet, apply
from nat_failover.observe import observe_tables
from nat_failover.reconcile import Patience, Run, reconcile
from nat_failover.route_tables import IncompleteError
from nat_failover.settings import Resource, Strategy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nat_failover.events import Deployment, Trigger
    from nat_failover.model import Table
    from nat_failover.observe import Clients
    from nat_failover.settings import Settings

ANSWER_TIMEOUT_S = 5

_REASON_LIMIT = 500
"""Characters, six bytes each at most in JSON: CloudFormation waits in vain for an answer of more
than 4096 bytes (CloudFormation user guide, custom resource response objects)."""


def serve(
    deployment: Deployment, clients: Clients, settings: Settings, trigger: Trigger, seconds: float
) -> Run:
    """Do what CloudFormation asks for; requests that need nothing are done at once."""
    match deployment.resource, deployment.request:
        case Resource.DEFAULT_ROUTES, "Create" | "Update":
            return reconcile(clients, settings, trigger, seconds=seconds, until_served=True)
        case Resource.PRIVATE_ASSOCIATIONS, "Delete" if (
            settings.strategy is Strategy.SWAP_ROUTE_TABLE
        ):
            return _release(deployment, clients, settings, trigger, seconds)
    return Run(trigger=trigger)


def _release(
    deployment: Deployment, clients: Clients, settings: Settings, trigger: Trigger, seconds: float
) -> Run:
    """Release what CloudFormation does not know, until a look finds nothing of it or time is up."""
    run, patience = Run(trigger=trigger), Patience(seconds)
    while True:
        run = replace(run, looks=run.looks + 1, failure=None)
        try:
            left = tuple(_unknown(deployment, observe_tables(clients, settings)))
        except (ClientError, BotoCoreError, IncompleteError) as error:
            run = replace(run, failure=f"{type(error).__name__}: {error}")
        else:
            if not left:
                return run
            results = apply(clients, left)
            refused = "; ".join(result.error for result in results if result.error)
            run = replace(run, results=run.results + results, failure=refused or None)
        if (run.failure or run.looks > 1) and not patience.pause():
            return replace(run, failure=run.failure or "time was up with subnets left to release")


def _unknown(deployment: Deployment, tables: frozenset[Table]) -> Iterator[ReleaseSubnet]:
    for table in sorted(tables, key=lambda table: table.id):
        for association in sorted(table.associations):
            if association.id not in deployment.associations:
                yield ReleaseSubnet(
                    association=association.id,
                    subnet=association.subnet,
                    table=table.id,
                    reason="CloudFormation is about to delete the table",
                )


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
