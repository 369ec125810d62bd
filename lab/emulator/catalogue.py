"""All restored behaviours.

Where the order of two matters, one of them says it (`after`); the others are installed, and hear
what is written in the journal, in the order in which they stand here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.emulator.services.autoscaling.attachments import InstancesAreAttached
from lab.emulator.services.autoscaling.attempts import FailedLaunchesAreRetried
from lab.emulator.services.autoscaling.balance import ZonesAreRebalanced
from lab.emulator.services.autoscaling.bounds import GroupsHaveBounds
from lab.emulator.services.autoscaling.deletion import DeletionNeedsAnEmptyGroup
from lab.emulator.services.autoscaling.health import (
    ReplacesTheDead,
    ReplacesTheImpaired,
    ReplacesTheReported,
    SuspensionsEnd,
)
from lab.emulator.services.autoscaling.hooks import LifecycleHooksHold
from lab.emulator.services.autoscaling.images import ImagesAreResolvedAtLaunch
from lab.emulator.services.autoscaling.launches import (
    GroupsStabilize,
    LaunchesTakeTime,
    SpreadsOverZones,
)
from lab.emulator.services.autoscaling.lifetimes import LifetimesAreLimited
from lab.emulator.services.autoscaling.maintenance import ReplacementsComeFirst
from lab.emulator.services.autoscaling.notifications import PublishesNotifications
from lab.emulator.services.autoscaling.refreshes import InstanceRefreshes
from lab.emulator.services.autoscaling.replacement import MembersKeepTheirTemplate
from lab.emulator.services.autoscaling.settings import GroupsKeepTheirSettings
from lab.emulator.services.autoscaling.standby import ProtectionIsForMembers, StandbyHasItsRules
from lab.emulator.services.autoscaling.terminations import TerminationsTakeTime
from lab.emulator.services.cloudformation.change_sets import (
    ChangeSetsMayBeGone,
    ChangeSetsSayWhatChanges,
)
from lab.emulator.services.cloudformation.corrections import (
    AssociationsAreReal,
    DeletesTheNetwork,
    RulesWithoutPorts,
    SubnetsHaveZoneIds,
)
from lab.emulator.services.cloudformation.custom import CustomResources
from lab.emulator.services.cloudformation.resources import MissingTypes
from lab.emulator.services.cloudformation.signals import ResourcesAreSignalled
from lab.emulator.services.cloudformation.stacks import StacksFail
from lab.emulator.services.cloudformation.types import ResourcesAreTagged, UnknownTypesFail
from lab.emulator.services.cloudtrail import TrailsAreLate
from lab.emulator.services.cloudwatch.alarms import AlarmsAreEvaluated
from lab.emulator.services.cloudwatch.metrics import (
    LogsCarryMetrics,
    MetricsHaveTheirTime,
    ServicesMeasure,
)
from lab.emulator.services.constraints import ValuesAreConstrained
from lab.emulator.services.dynamodb.tables import TablesOfStacksExpireItems
from lab.emulator.services.ec2.account_settings import AccountsHaveSettings
from lab.emulator.services.ec2.addresses import RangesOfAVpcAreApart
from lab.emulator.services.ec2.associations import SubnetsHaveOneTable, SubnetsTakeTheirAssociations
from lab.emulator.services.ec2.capacity import ZonesRunOutOfCapacity
from lab.emulator.services.ec2.dependencies import AddressesHoldTheGateway, UsedIsNotDeleted
from lab.emulator.services.ec2.elastic_ips import (
    ElasticIpsAreLimited,
    ElasticIpsOutliveTheirInstance,
    ElasticIpsReplaceTheAddress,
    StacksTakeTheirElasticIps,
)
from lab.emulator.services.ec2.endpoints import EndpointsKeepTheirRoutes
from lab.emulator.services.ec2.eventual_consistency.instances import InstancesAreDescribedLate
from lab.emulator.services.ec2.eventual_consistency.tables import (
    TablesAreDescribedLate,
    WritesTakeEffectLate,
)
from lab.emulator.services.ec2.health import StatusChecksFail
from lab.emulator.services.ec2.images import GroupsNeedAnImageThatBoots, PublicImagesAreDescribed
from lab.emulator.services.ec2.instances import (
    InstanceStates,
    InterfacesEndWithTheirInstance,
    OneSourceDestCheck,
    RootVolumesEndWithTheirInstance,
)
from lab.emulator.services.ec2.member_interfaces import MembersHaveTheirInterface
from lab.emulator.services.ec2.nat_gateways import (
    NatGatewaysTakeTime,
    RoutesLeadToNatGateways,
    StacksWaitForNatGateways,
)
from lab.emulator.services.ec2.propagation import GatewaysPropagateRoutes
from lab.emulator.services.ec2.routes import (
    CreateRouteNeverReplaces,
    DryRunsChangeNothing,
    RoutesNameBothTargets,
    RoutesTurnBlackhole,
)
from lab.emulator.services.ec2.tags import ReservedTagsAreRefused
from lab.emulator.services.ec2.targets import RoutesStayInTheirVpc, SeveralInterfacesAreNamed
from lab.emulator.services.ec2.volume_keys import LaunchesNeedTheirVolumeKey
from lab.emulator.services.ec2.volumes import VolumesTakeTheirSnapshotsSize
from lab.emulator.services.iam.profiles import MembersHaveTheirProfile
from lab.emulator.services.iam.roles import AttachesManagedPolicies, RolesAreEvaluated
from lab.emulator.services.lambda_.function_policies import DeletesPermissions
from lab.emulator.services.lambda_.functions import KeepsFunctionConfiguration, RunsFunctions
from lab.emulator.services.lambda_.invocations import InvokeConfigsAreReplaced
from lab.emulator.services.messaging.schedules import RunsSchedules
from lab.emulator.services.messaging.state_changes import PublishesStateChanges
from lab.emulator.services.messaging.topics import DeliversToFunctions
from lab.emulator.services.quotas import QuotasOfInstancesAreTold
from lab.emulator.services.throttling import ThrottlesCalls

if TYPE_CHECKING:
    from lab.emulator.behaviour import Behaviour

ALL: tuple[type[Behaviour], ...] = (
    InstanceStates,
    StatusChecksFail,
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
    ElasticIpsReplaceTheAddress,
    ElasticIpsOutliveTheirInstance,
    ElasticIpsAreLimited,
    StacksTakeTheirElasticIps,
    GatewaysPropagateRoutes,
    TablesAreDescribedLate,
    WritesTakeEffectLate,
    NatGatewaysTakeTime,
    RoutesLeadToNatGateways,
    StacksWaitForNatGateways,
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
    InstancesAreAttached,
    ProtectionIsForMembers,
    GroupsKeepTheirSettings,
    PublishesNotifications,
    LifecycleHooksHold,
    ResourcesAreSignalled,
    ReplacementsComeFirst,
    InstanceRefreshes,
    ImagesAreResolvedAtLaunch,
    PublicImagesAreDescribed,
    GroupsNeedAnImageThatBoots,
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
    SubnetsHaveZoneIds,
    DeletesTheNetwork,
    ValuesAreConstrained,
    AccountsHaveSettings,
    QuotasOfInstancesAreTold,
)
