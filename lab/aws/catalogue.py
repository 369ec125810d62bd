"""All restored behaviours, in the order in which they are installed (later ones wrap earlier)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.aws.autoscaling.attempts import FailedLaunchesAreRetried
from lab.aws.autoscaling.balance import ZonesAreRebalanced
from lab.aws.autoscaling.bounds import GroupsHaveBounds
from lab.aws.autoscaling.health import (
    ReplacesTheDead,
    ReplacesTheImpaired,
    ReplacesTheReported,
    SuspensionsEnd,
)
from lab.aws.autoscaling.hooks import LifecycleHooksHold
from lab.aws.autoscaling.launches import GroupsStabilize, LaunchesTakeTime, SpreadsOverZones
from lab.aws.autoscaling.lifetimes import LifetimesAreLimited
from lab.aws.autoscaling.notifications import PublishesNotifications
from lab.aws.autoscaling.refreshes import InstanceRefreshes
from lab.aws.autoscaling.replacement import MembersKeepTheirTemplate
from lab.aws.autoscaling.settings import GroupsKeepTheirSettings
from lab.aws.autoscaling.terminations import TerminationsTakeTime
from lab.aws.boots import InstancesCompleteTheirLaunch
from lab.aws.capacity import ZonesRunOutOfCapacity
from lab.aws.cloudformation.change_sets import ChangeSetsMayBeGone, ChangeSetsSayWhatChanges
from lab.aws.cloudformation.corrections import (
    AssociationsAreReal,
    DeletesTheNetwork,
    RulesWithoutPorts,
)
from lab.aws.cloudformation.custom import CustomResources
from lab.aws.cloudformation.resources import MissingTypes
from lab.aws.cloudformation.stacks import StacksFail
from lab.aws.cloudformation.types import ResourcesAreTagged, UnknownTypesFail
from lab.aws.cloudwatch.alarms import AlarmsAreEvaluated
from lab.aws.cloudwatch.metrics import LogsCarryMetrics, MetricsHaveTheirTime, ServicesMeasure
from lab.aws.dependencies import AddressesHoldTheGateway, UsedIsNotDeleted
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
from lab.aws.member_interfaces import MembersHaveTheirInterface
from lab.aws.profiles import MembersHaveTheirProfile
from lab.aws.roles import AttachesManagedPolicies, RolesAreEvaluated
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
from lab.emulator.services.autoscaling.deletion import DeletionNeedsAnEmptyGroup
from lab.emulator.services.autoscaling.maintenance import ReplacementsComeFirst
from lab.emulator.services.autoscaling.standby import ProtectionIsForMembers, StandbyHasItsRules
from lab.emulator.services.cloudformation.boot_signals import InstancesSignalTheirStack
from lab.emulator.services.cloudformation.signals import ResourcesAreSignalled
from lab.emulator.services.constraints import ValuesAreConstrained
from lab.emulator.services.dynamodb.tables import TablesOfStacksExpireItems
from lab.emulator.services.ec2.addresses import RangesOfAVpcAreApart
from lab.emulator.services.ec2.associations import SubnetsHaveOneTable, SubnetsTakeTheirAssociations
from lab.emulator.services.ec2.endpoints import EndpointsKeepTheirRoutes
from lab.emulator.services.ec2.propagation import GatewaysPropagateRoutes
from lab.emulator.services.ec2.tags import ReservedTagsAreRefused
from lab.emulator.services.ec2.targets import RoutesStayInTheirVpc, SeveralInterfacesAreNamed
from lab.emulator.services.ec2.volume_keys import LaunchesNeedTheirVolumeKey
from lab.emulator.services.ec2.volumes import VolumesTakeTheirSnapshotsSize

if TYPE_CHECKING:
    from lab.aws.behaviour import Behaviour

ALL: tuple[type[Behaviour], ...] = (
    InstanceStates,
    StatusChecksFail,
    InstancesForward,
    PublishesStateChanges,
    InterfacesEndWithTheirInstance,
    RootVolumesEndWithTheirInstance,
    VolumesTakeTheirSnapshotsSize,
    OneSourceDestCheck,
    InstancesAreDescribedLate,
    RoutesTurnBlackhole,
    RoutesNameBothTargets,
    CreateRouteNeverReplaces,
    DryRunsChangeNothing,
    ReservedTagsAreRefused,
    SubnetsHaveOneTable,
    RangesOfAVpcAreApart,
    RoutesStayInTheirVpc,
    SeveralInterfacesAreNamed,
    EndpointsKeepTheirRoutes,
    UsedIsNotDeleted,
    SubnetsTakeTheirAssociations,
    AddressesHoldTheGateway,
    GatewaysPropagateRoutes,
    TablesAreDescribedLate,
    WritesTakeEffectLate,
    ZonesRunOutOfCapacity,
    LaunchesNeedTheirVolumeKey,
    SpreadsOverZones,
    FailedLaunchesAreRetried,
    LaunchesTakeTime,
    MembersKeepTheirTemplate,
    MembersHaveTheirProfile,
    MembersHaveTheirInterface,
    TerminationsTakeTime,
    DeletionNeedsAnEmptyGroup,
    ReplacesTheDead,
    ReplacesTheImpaired,
    ReplacesTheReported,
    SuspensionsEnd,
    ZonesAreRebalanced,
    GroupsHaveBounds,
    StandbyHasItsRules,
    ProtectionIsForMembers,
    GroupsKeepTheirSettings,
    PublishesNotifications,
    LifecycleHooksHold,
    InstancesCompleteTheirLaunch,
    ResourcesAreSignalled,
    InstancesSignalTheirStack,
    ReplacementsComeFirst,
    InstanceRefreshes,
    LifetimesAreLimited,
    GroupsStabilize,
    DeliversToFunctions,
    RunsSchedules,
    RunsFunctions,
    KeepsFunctionConfiguration,
    InvokeConfigsAreReplaced,
    DeletesPermissions,
    ThrottlesCalls,
    RolesAreEvaluated,
    MetricsHaveTheirTime,
    LogsCarryMetrics,
    ServicesMeasure,
    AlarmsAreEvaluated,
    AttachesManagedPolicies,
    TrailsAreLate,
    StacksFail,
    ChangeSetsSayWhatChanges,
    ChangeSetsMayBeGone,
    UnknownTypesFail,
    CustomResources,
    MissingTypes,
    TablesOfStacksExpireItems,
    ResourcesAreTagged,
    AssociationsAreReal,
    RulesWithoutPorts,
    DeletesTheNetwork,
    ValuesAreConstrained,
)
