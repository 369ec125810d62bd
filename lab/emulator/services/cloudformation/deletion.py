"""How CloudFormation deletes one resource, and how long it tries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.dynamodb.exceptions import ResourceNotFoundException as TableNotFoundError
from moto.ec2.exceptions import DependencyViolationError
from moto.logs.exceptions import ResourceNotFoundException as LogNotFoundError

from lab.emulator.time import delays

if TYPE_CHECKING:
    from lab.emulator.behaviour import Emulation
    from lab.emulator.services.cloudformation.ledger import Applied

_GONE = (LogNotFoundError, TableNotFoundError)


def delete(aws: Emulation, applied: Applied) -> None:
    """Delete a resource, trying again for a while if something still depends on it.

    Raises:
        DependencyViolationError: something depended on it for too long.
        NotImplementedError: the lab cannot delete resources of its type.

    """
    end = aws.clock.now() + delays.DEPENDENCY_LIMIT.high
    while True:
        try:
            _delete(aws, applied)
        except DependencyViolationError:
            if aws.clock.now() >= end:
                raise
            aws.clock.wait(delays.DEPENDENCY_RETRY)
        except _GONE:
            return  # deleting what is not there counts as success (resource handler contract)
        else:
            return


def _delete(aws: Emulation, applied: Applied) -> None:
    resource = applied.resource
    if callable(getattr(resource, "delete", None)):
        resource.delete(aws.account, aws.region)
        return
    deletion = type(resource).delete_from_cloudformation_json
    if hasattr(deletion, "__isabstractmethod__"):
        message = f"the lab cannot delete a resource of type {applied.kind}"
        raise NotImplementedError(message)
    known = {"Type": applied.kind, "Properties": applied.properties}
    deletion(applied.physical_id, known, aws.account, aws.region)
