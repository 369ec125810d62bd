"""Contracts of signals to a resource of a stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from lab.emulator.services.cloudformation.signals import ResourcesAreSignalled
from lab.tests.emulator.contract import contract_of
from lab.tests.emulator.factories import deploy
from lab.tests.emulator.stacks import TOPIC

if TYPE_CHECKING:
    from lab.emulator.region import Region


@contract_of(ResourcesAreSignalled)
def test_signal_is_refused_when_nothing_waits_for_it(region: Region) -> None:
    """A replacement at night signals too, and is answered so."""
    deploy(region, {"Topic": TOPIC})
    with pytest.raises(ClientError, match="CREATE_COMPLETE state and can not be signaled"):
        region.client("cloudformation").signal_resource(
            StackName="any", LogicalResourceId="Topic", UniqueId="i-0", Status="SUCCESS"
        )
