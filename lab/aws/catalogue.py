"""All restored behaviours, in the order in which they are installed (later ones wrap earlier)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.aws.autoscaling.launches import GroupsStabilize, LaunchesTakeTime, SpreadsOverZones
from lab.aws.autoscaling.notifications import PublishesNotifications
from lab.aws.autoscaling.terminations import ReplacesTheDead, TerminationsTakeTime
from lab.aws.cloudformation.corrections import (
    AssociationsAreReal,
    DeletesTheNetwork,
    RulesWithoutPorts,
)
from lab.aws.cloudformation.custom import CustomResources
from lab.aws.cloudformation.resources import MissingTypes
from lab.aws.cloudformation.stacks import ChangeSetsMayBeGone, StacksFail
from lab.aws.cloudformation.types import ResourcesAreTagged, UnknownTypesFail
from lab.aws.cloudwatch.alarms import AlarmsAreEvaluated
from lab.aws.cloudwatch.metrics import LogsCarryMetrics, MetricsHaveTheirTime, ServicesMeasure
from lab.aws.forwarding import InstancesForward
from lab.aws.function_policies import DeletesPermissions
from lab.aws.functions import KeepsFunctionConfiguration, RunsFunctions
from lab.aws.health import StatusChecksFail
from lab.aws.instances import (
    InstanceStates,
    InterfacesEndWithTheirInstance,
    OneSourceDestCheck,
    RootVolumesEndWithTheirInstance,
)
from lab.aws.invocations import InvokeConfigsAreReplaced
from lab.aws.late_instances import InstancesAreDescribedLate
from lab.aws.late_tables import TablesAreDescribedLate, WritesTakeEffectLate
from lab.aws.routes import (
    CreateRouteNeverReplaces,
    DryRunsChangeNothing,
    RoutesNameBothTargets,
    RoutesTurnBlackhole,
)
from lab.aws.schedules import RunsSchedules
from lab.aws.state_changes import PublishesStateChanges
from lab.aws.throttling import ThrottlesCalls
from lab.aws.topics import DeliversToFunctions
from lab.aws.trails import TrailsAreLate

if TYPE_CHECKING:
    from lab.aws.behaviour import Behaviour

ALL: tuple[type[Behaviour], ...] = (
    InstanceStates,
    StatusChecksFail,
    InstancesForward,
    PublishesStateChanges,
    InterfacesEndWithTheirInstance,
    RootVolumesEndWithTheirInstance,
    OneSourceDestCheck,
    InstancesAreDescribedLate,
    RoutesTurnBlackhole,
    RoutesNameBothTargets,
    CreateRouteNeverReplaces,
    DryRunsChangeNothing,
    TablesAreDescribedLate,
    WritesTakeEffectLate,
    SpreadsOverZones,
    LaunchesTakeTime,
    TerminationsTakeTime,
    ReplacesTheDead,
    PublishesNotifications,
    GroupsStabilize,
    DeliversToFunctions,
    RunsSchedules,
    RunsFunctions,
    KeepsFunctionConfiguration,
    InvokeConfigsAreReplaced,
    DeletesPermissions,
    ThrottlesCalls,
    MetricsHaveTheirTime,
    LogsCarryMetrics,
    ServicesMeasure,
    AlarmsAreEvaluated,
    TrailsAreLate,
    StacksFail,
    ChangeSetsMayBeGone,
    UnknownTypesFail,
    CustomResources,
    MissingTypes,
    ResourcesAreTagged,
    AssociationsAreReal,
    RulesWithoutPorts,
    DeletesTheNetwork,
)
