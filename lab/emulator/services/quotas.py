"""The quotas that Service Quotas tells."""

from __future__ import annotations

import json
from typing import Any

from moto.servicequotas.models import ServiceQuotasBackend
from moto.servicequotas.responses import ServiceQuotasResponse

from lab.emulator.behaviour import Behaviour, Patches

_OF_EC2 = {
    "L-1216C47A": (
        "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances",
        5.0,
        32.0,
    ),
    "L-0263D0A3": ("EC2-VPC Elastic IPs", 5.0, 5.0),
}
"""Name, AWS's default, and the account's own value: as of an account that has been used for a
while, in which AWS raises the first one (assumed)."""


class QuotasOfInstancesAreTold(Behaviour):
    """Service Quotas tells the quotas of vCPUs and Elastic IPs, as applied and by default.

    Nothing is refused by them. moto knows quotas of VPCs alone, and their applied values.
    """

    source = "Service Quotas API reference, GetServiceQuota and GetAWSDefaultServiceQuota"

    def install(self, patches: Patches) -> None:
        """Answer for EC2, and with defaults."""
        self._get = ServiceQuotasBackend.get_service_quota
        patches.method(ServiceQuotasBackend, "get_service_quota", self._applied)
        patches.method(ServiceQuotasResponse, "get_aws_default_service_quota", self._default)

    def _applied(
        self, backend: ServiceQuotasBackend, service_code: str, quota_code: str
    ) -> dict[str, Any]:
        if service_code == "ec2" and quota_code in _OF_EC2:
            return _quota(quota_code, _OF_EC2[quota_code][2])
        return self._get(backend, service_code, quota_code)

    def _default(self, request: ServiceQuotasResponse) -> str:
        asked = json.loads(request.body)
        service, code = asked["ServiceCode"], asked["QuotaCode"]
        if service == "ec2" and code in _OF_EC2:
            return json.dumps({"Quota": _quota(code, _OF_EC2[code][1])})
        return json.dumps({"Quota": self._get(request.backend, service, code)})


def _quota(code: str, value: float) -> dict[str, Any]:
    return {
        "ServiceCode": "ec2",
        "ServiceName": "Amazon Elastic Compute Cloud (Amazon EC2)",
        "QuotaCode": code,
        "QuotaName": _OF_EC2[code][0],
        "Value": value,
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }
