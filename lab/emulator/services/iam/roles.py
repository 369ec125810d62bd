"""IAM roles: the managed policies that are attached to them, and what they allow."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend, Role, iam_backends
from moto.utilities.utils import get_partition

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.iam.callers import Caller
from lab.emulator.iam.refusals import refusal
from lab.emulator.services.throttling import ThrottlesCalls

if TYPE_CHECKING:
    from lab.emulator.iam.calls import ApiCall
    from lab.emulator.lambda_runtime.calls import Reply
    from lab.emulator.lambda_runtime.environment import ExecutionEnvironment


class RolesAreEvaluated(Behaviour):
    """A call of a function is refused when its role's policies do not allow it.

    EC2 says UnauthorizedOperation, others AccessDenied or a code of their own. moto evaluates the
    policies of few services, without resources, and only if told to.
    """

    source = "IAM user guide, 'Policy evaluation logic'; EC2 API reference, error codes"
    after = (ThrottlesCalls,)

    def install(self, patches: Patches) -> None:
        """Judge the calls of functions."""
        del patches  # moto itself stays as it is
        self._aws.calls.judges.append(self._judge)

    def _judge(self, call: ApiCall, caller: ExecutionEnvironment) -> Reply | None:
        session = Caller(caller.role, caller.function)
        refused = self._aws.permissions.refused(session, call)
        return refusal(call, session, refused) if refused else None


class AttachesManagedPolicies(Behaviour):
    """A role has the managed policies that its template names, AWS's own among them.

    They are detached when the stack deletes the role. moto's CloudFormation drops the property, and
    moto knows AWS's policies only when it is to load all of them, anew for each region.
    """

    source = "CloudFormation template reference, AWS::IAM::Role"

    def install(self, patches: Patches) -> None:
        """Attach after creation, and detach before deletion."""
        self._attach = IAMBackend.attach_role_policy
        self._moto_delete = Role.delete_from_cloudformation_json
        patches.method(IAMBackend, "attach_role_policy", self._attach_known)
        patches.creation(Role, after=self._attach_named)
        patches.replace(Role, "delete_from_cloudformation_json", self._delete)

    def _attach_known(self, backend: IAMBackend, policy_arn: str, role_name: str) -> None:
        name = policy_arn.rsplit("/", 1)[-1]
        if ":iam::aws:" in policy_arn and name in _policies_of_aws():
            policy = AWSManagedPolicy.from_data(
                name, backend.account_id, backend.region_name, _policies_of_aws()[name]
            )
            backend.managed_policies.setdefault(policy.arn, policy)
        self._attach(backend, policy_arn, role_name)

    @staticmethod
    def _attach_named(role: Role, properties: dict[str, Any]) -> None:
        backend = iam_backends[role.account_id][role.partition]
        for arn in properties.get("ManagedPolicyArns", []):
            backend.attach_role_policy(arn, role.name)

    def _delete(self, name: str, body: dict[str, Any], account: str, region: str) -> None:
        backend = iam_backends[account][get_partition(region)]
        for arn in list(backend.get_role(name).managed_policies):
            backend.detach_role_policy(arn, name)
        self._moto_delete(name, body, account, region)


@cache
def _policies_of_aws() -> dict[str, dict[str, Any]]:
    """Return AWS's own policies by name, as moto ships them."""
    policies: dict[str, dict[str, Any]] = json.loads(aws_managed_policies_data)
    return policies
