"""Ids and made-up names that repeat: the same seed gives the same ones, whatever was asked between.

This restores nothing of AWS, where nobody can foresee an id, so it is no behaviour of the
catalogue. It is a promise of the lab: two drills with one seed tell the same story, id by id. Left
out are the ids of single messages, requests and events.
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from moto.autoscaling import models as autoscaling
from moto.cloudformation import parsing
from moto.cloudformation import utils as cloudformation
from moto.ec2 import utils as ec2
from moto.ec2.models import ec2_backends
from moto.moto_api._internal.moto_random import MotoRandom
from moto.sns import utils as sns

if TYPE_CHECKING:
    from types import ModuleType

    from lab.emulator.behaviour import Patches
    from lab.emulator.time.chance import Chance

_HEX = "0123456789abcdef"
_UPPER = string.digits + string.ascii_uppercase
_SOURCES: tuple[tuple[ModuleType, str], ...] = (
    (ec2, "random"),  # addresses
    (cloudformation, "random"),  # stacks and change sets
    (autoscaling, "random"),  # groups
    (sns, "mock_random"),  # subscriptions
)
"""Where moto draws what follows from nothing but the order in which things are made."""


def repeat_ids(patches: Patches, chance: Chance, account: str, region: str) -> None:
    """Let all ids and names from now on follow from the seed.

    The id of an EC2 resource follows from how many of its kind were made before, a name that
    CloudFormation makes up from the stack, the logical id, and how often it was made.
    """
    make_name = parsing.generate_resource_name
    network = ec2_backends[account][region]

    def random_id(prefix: str = "", size: int = 17) -> str:
        return f"{prefix}-{chance.text(_HEX, size, prefix)}"

    def generate_resource_name(kind: str, stack: str, logical_id: str) -> str:
        made = make_name(kind, stack, logical_id)
        suffix = chance.text(_UPPER, _SUFFIX, f"{stack}/{logical_id}")
        return made[:-_SUFFIX] + (suffix.lower() if kind == "AWS::S3::Bucket" else suffix)

    patches.replace(ec2, "random_id", random_id)
    patches.replace(parsing, "generate_resource_name", generate_resource_name)
    for module, name in _SOURCES:
        patches.replace(module, name, MotoRandom(f"{chance.seed}/{module.__name__}"))
    network.reset()  # the default network too is made from now on, not before


_SUFFIX = 12  # characters that moto's random_suffix has
