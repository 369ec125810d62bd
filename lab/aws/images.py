"""The public SSM parameters of today's Amazon Linux images."""

from __future__ import annotations

from moto.core.utils import utcnow
from moto.ssm.models import Parameter, ssm_backends

from lab.aws.behaviour import Behaviour, Patches

_PATH = "/aws/service/ami-amazon-linux-latest"
_IMAGE = "ami-0123456789abcdef0"


class CurrentImages(Behaviour):
    """Each AL2023 image has a public parameter per kernel line and architecture.

    moto's copy of these parameters is of 2024 and lacks the kernel lines 6.12 and 6.18. An image of
    the lab is an id without content.
    """

    source = "AL2023 user guide, 'Launching AL2023 by using the SSM parameter'"

    def install(self, patches: Patches) -> None:
        """Add the parameters that moto lacks."""
        del patches  # the region forgets its parameters when it ends
        ssm = ssm_backends[self._aws.account][self._aws.region]
        for edition in ("ami", "ami-minimal"):
            for kernel in ("default", "6.1", "6.12", "6.18"):
                for architecture in ("arm64", "x86_64"):
                    name = f"{_PATH}/al2023-{edition}-kernel-{kernel}-{architecture}"
                    versions = ssm._parameters[name]  # noqa: SLF001 - put_parameter refuses /aws
                    if not versions:
                        versions.append(_parameter(self._aws.account, name))


def _parameter(account: str, name: str) -> Parameter:
    return Parameter(  # type: ignore[abstract]  # as moto itself does
        account_id=account,
        name=name,
        value=_IMAGE,
        parameter_type="String",
        description=None,
        allowed_pattern=None,
        keyid=None,
        last_modified_date=utcnow(),
        version=1,
        data_type="text",
    )
