"""Lambda: how long a function's asynchronous events are tried, as the function says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from moto.awslambda.models import LambdaBackend
from moto.awslambda.utils import get_backend

from lab.emulator.behaviour import Behaviour, Patches
from lab.emulator.lambda_runtime.asynchronous import RetryPolicy
from lab.emulator.services.resource import Place, Properties, Resource

if TYPE_CHECKING:
    from moto.awslambda.models import LambdaFunction

_SETTINGS = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds")


def retry_policy_of(function: LambdaFunction) -> RetryPolicy:
    """Return how a function wants its asynchronous events tried."""
    configured = function.event_invoke_config[-1:]
    config = configured[0].config if configured else {}
    usual = RetryPolicy()
    return RetryPolicy(
        retries=config.get("MaximumRetryAttempts", usual.retries),
        age=config.get("MaximumEventAgeInSeconds", usual.age),
    )


class InvokeConfigsAreReplaced(Behaviour):
    """PutFunctionEventInvokeConfig replaces the configuration that a function has.

    moto goes on showing the first one.
    """

    source = "Lambda API reference, PutFunctionEventInvokeConfig"

    def install(self, patches: Patches) -> None:
        """Forget the old one first."""
        self._put = LambdaBackend.put_function_event_invoke_config
        patches.method(LambdaBackend, "put_function_event_invoke_config", self._replace)

    def _replace(
        self, backend: LambdaBackend, function_name: str, config: dict[str, Any]
    ) -> dict[str, Any]:
        reply: dict[str, Any] = self._put(backend, function_name, config)
        function = backend.get_function(function_name)
        del function.event_invoke_config[:-1]
        return reply


class EventInvokeConfig(Resource):
    """AWS::Lambda::EventInvokeConfig, for the function's unpublished version; no destinations."""

    type = "AWS::Lambda::EventInvokeConfig"
    updatable = frozenset(_SETTINGS)

    def __init__(self, name: str, function: str) -> None:
        super().__init__(name)
        self._function = function

    @classmethod
    def create(cls, name: str, given: Properties, place: Place) -> Self:
        """Configure the function."""
        return cls(name, given["FunctionName"]).updated(given, {}, place)

    def updated(self, given: Properties, old: Properties, place: Place) -> Self:
        """Configure the function anew."""
        del old
        function, destinations = given["FunctionName"], given.get("DestinationConfig")
        if destinations or given["Qualifier"] != "$LATEST":
            message = f"the lab does not emulate destinations and qualifiers of a {self.type}"
            raise NotImplementedError(message)
        config = {key: int(given[key]) for key in _SETTINGS if key in given}
        backend = get_backend(place.account, place.region)
        backend.put_function_event_invoke_config(function, config)
        return self

    def delete(self, account_id: str, region_name: str) -> None:
        """Leave the function to its defaults."""
        get_backend(account_id, region_name).delete_function_event_invoke_config(self._function)
