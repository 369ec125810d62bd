"""The custom resource through which CloudFormation waits for the default routes."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from nat_failover.contract import Failback, Strategy
from tests.aws import messages
from tests.aws.conftest import SHORT, at_rest, shows_waiting
from tests.aws.region import Region
from tests.factories import ANY_STACK_ID

if TYPE_CHECKING:
    from tests.aws.cloudformation import CloudFormation
    from tests.aws.conftest import Deploy


KNOWN = ("rtbassoc-00000000000000000",)
"""An association that CloudFormation made, and that is not there any more."""


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_deployment_succeeds_when_every_table_is_served(
    request_type: str, fresh: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """The function opens the tables itself and then answers, with every id that was given."""
    deploy(fresh.settings)(messages.deployment(request_type, cloudformation.url))

    assert fresh.served_by() == fresh.nats
    assert cloudformation.answers == [
        {
            "Status": "SUCCESS",
            "Reason": "done",
            "PhysicalResourceId": "DefaultRoutes",
            "StackId": ANY_STACK_ID,
            "RequestId": "any-request",
            "LogicalResourceId": "DefaultRoutes",
        }
    ]


def test_deployment_waits_when_the_nats_are_not_there_yet(
    deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """No answer is given before a NAT runs and serves every table."""
    region = Region()
    function = deploy(region.settings)
    answers = count(1)

    def launch_before_the_third_look() -> None:
        if next(answers) == 3:
            assert cloudformation.answers == []
            region.launch("a", checked=True)

    function.wire.hold("DescribeInstances", launch_before_the_third_look)

    function(messages.deployment("Create", cloudformation.url))

    assert region.served_by() == {"a": region.nats["a"], "b": region.nats["a"]}
    assert [answer["Status"] for answer in cloudformation.answers] == ["SUCCESS"]


def test_deployment_fails_with_the_reason_when_time_is_up(
    deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """A group that cannot launch a NAT is not a deployed stack."""
    function = deploy(Region().settings)

    function(messages.deployment("Create", cloudformation.url), seconds=SHORT)

    (answer,) = cloudformation.answers
    assert answer["Status"] == "FAILED"
    assert "before every private subnet had a working default route" in answer["Reason"]
    assert "the group has no instances" in answer["Reason"]


def test_deployment_says_which_zone_is_not_served_and_what_becomes_of_its_nats(
    fresh: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """Whoever reads the stack's events knows where to look."""
    function = deploy(fresh.settings)
    for letter in fresh.tables:
        fresh.kill(fresh.nats[letter])

    function(messages.deployment("Update", cloudformation.url), seconds=SHORT)

    (answer,) = cloudformation.answers
    for letter in fresh.tables:
        assert f"{fresh.name}{letter} has no internet (" in answer["Reason"]
        assert f" with {fresh.homes[letter].table}: " in answer["Reason"]
        assert f"{fresh.nats[letter]} in {fresh.name}{letter} is gone: EC2 " in answer["Reason"]


def test_deployment_fails_with_awss_words_when_a_route_is_refused(
    fresh: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """Whoever reads the stack's events learns what AWS said."""
    function = deploy(fresh.settings)
    function.wire.fail("CreateRoute", "UnauthorizedOperation")

    # Two rounds of writes, the checks and then the routes: more time than the others, or a machine
    # that is still loading moto would not come to the second.
    function(messages.deployment("Create", cloudformation.url), seconds=SHORT + 4)

    (answer,) = cloudformation.answers
    assert answer["Status"] == "FAILED"
    assert "UnauthorizedOperation: any words of AWS" in answer["Reason"]


def test_deployment_fails_with_awss_words_when_the_observation_fails(
    fresh: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """The last failed observation is the reason."""
    function = deploy(fresh.settings)
    function.wire.fail("DescribeInstances", "UnauthorizedOperation")

    function(messages.deployment("Create", cloudformation.url), seconds=SHORT)

    (answer,) = cloudformation.answers
    assert answer["Status"] == "FAILED"
    assert "UnauthorizedOperation" in answer["Reason"]


def test_physical_id_is_kept_when_cloudformation_gives_it(
    region: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """Another id would make CloudFormation delete what it takes for the old resource."""
    event = {
        **messages.deployment("Update", cloudformation.url),
        "PhysicalResourceId": "any-physical-id",
    }

    deploy(region.settings)(event)

    assert cloudformation.answers[0]["PhysicalResourceId"] == "any-physical-id"


def test_deletion_leaves_the_associations_of_a_vpc_that_stays(
    region: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """Where subnets are observed, others associate them, and nothing is asked of AWS."""
    tables = tuple(replace(table, zone="", subnets=()) for table in region.settings.tables)
    function = deploy(replace(region.settings, tables=tables))

    function(messages.release(cloudformation.url))

    assert function.wire.calls == []
    assert [answer["Status"] for answer in cloudformation.answers] == ["SUCCESS"]


@pytest.mark.parametrize("strategy", Strategy)
def test_deletion_takes_every_association_away_that_cloudformation_does_not_know(
    strategy: Strategy, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """EC2 deletes the tables after that, also where subnets were swapped once, and are not now."""
    region = at_rest(Region(subnets_per_table=2))
    function = deploy(replace(region.settings, strategy=Strategy.SWAP_ROUTE_TABLE))
    region.kill(region.nats["a"])
    function(messages.terminated(region, region.nats["a"]))

    region.empty_group()
    now = deploy(replace(region.settings, strategy=strategy))
    now(messages.release(cloudformation.url, *KNOWN))

    assert [answer["Status"] for answer in cloudformation.answers] == ["SUCCESS"]
    for home in region.homes.values():
        region.ec2.delete_route_table(RouteTableId=home.table)


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_first_deployment_gives_each_zone_its_own_nat_also_when_failback_is_manual(
    request_type: str,
    region: Region,
    deploy: Deploy,
    cloudformation: CloudFormation,
) -> None:
    """The first NAT took all tables before the second was there; an update leaves it to people."""
    function = deploy(replace(region.settings, failback=Failback.MANUAL))
    region.point("a", NetworkInterfaceId=region.interface(region.nats["b"]))
    region.point("b", NetworkInterfaceId=region.interface(region.nats["b"]))

    function(messages.deployment(request_type, cloudformation.url))

    own = (
        region.nats if request_type == "Create" else {"a": region.nats["b"], "b": region.nats["b"]}
    )
    assert region.served_by() == own


def test_subnets_are_released_when_a_group_of_that_name_has_members_that_serve_nobody(
    region: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """It may be somebody else's, for which the stack could not be made."""
    function = deploy(replace(region.settings, strategy=Strategy.SWAP_ROUTE_TABLE))
    region.lose_route("a")
    region.lose_route("b")

    function(messages.release(cloudformation.url, *KNOWN))

    assert cloudformation.answers[-1]["Status"] == "SUCCESS"
    assert region.associations("a") == {}


@pytest.mark.parametrize("known", [KNOWN, ("rtbassoc-00000000000000000",)])
def test_subnets_are_not_released_while_the_stack_has_nats(
    known: tuple[str, ...], region: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """Whoever asks: the group goes before the associations when the stack is deleted."""
    function = deploy(replace(region.settings, strategy=Strategy.SWAP_ROUTE_TABLE))

    function(messages.release(cloudformation.url, *known), seconds=SHORT)

    assert function.wire.writes == []
    (answer,) = cloudformation.answers
    assert answer["Status"] == "FAILED"
    assert f"{region.group} still has members" in answer["Reason"]


def test_release_succeeds_when_the_vpc_is_gone(
    region: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """Somebody deleted it by hand; nothing is left to release."""
    function = deploy(replace(region.settings, strategy=Strategy.SWAP_ROUTE_TABLE))
    region.empty_group()
    function.wire.edit("DescribeRouteTables", lambda answer: answer["RouteTables"].clear())

    function(messages.release(cloudformation.url, *KNOWN))

    assert [answer["Status"] for answer in cloudformation.answers] == ["SUCCESS"]


def test_deletion_succeeds_when_the_group_is_gone(
    region: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """Somebody deleted it by hand; nothing keeps its members."""
    function = deploy(region.settings)
    function.wire.edit(
        "DescribeAutoScalingGroups", lambda answer: answer["AutoScalingGroups"].clear()
    )

    function(messages.deployment("Delete", cloudformation.url))

    assert [answer["Status"] for answer in cloudformation.answers] == ["SUCCESS"]


def test_deletion_waits_for_a_protected_member_until_it_is_in_service(
    region: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """Its protection cannot be lifted before, and what is in service is not held up by it."""
    function = deploy(region.settings)
    launching, serving = sorted(region.nats.values())
    region.autoscaling.set_instance_protection(
        AutoScalingGroupName=region.group,
        InstanceIds=[launching, serving],
        ProtectedFromScaleIn=True,
    )
    seen: list[set[str]] = []

    def show(answer: Any) -> None:  # noqa: ANN401 - a parsed answer
        (group,) = answer["AutoScalingGroups"]
        members = {row["InstanceId"]: row for row in group["Instances"]}
        seen.append({id_ for id_, row in members.items() if row["ProtectedFromScaleIn"]})
        if len(seen) < 4:
            members[launching]["LifecycleState"] = "Pending:Wait"

    function.wire.edit("DescribeAutoScalingGroups", show)

    function(messages.deployment("Delete", cloudformation.url))

    assert seen == [{launching, serving}, *[{launching}] * 3, set()]
    assert [answer["Status"] for answer in cloudformation.answers] == ["SUCCESS"]


def test_deletion_fails_with_awss_words_when_an_association_stays(
    region: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """The other association goes nevertheless."""
    function = deploy(replace(region.settings, strategy=Strategy.SWAP_ROUTE_TABLE))
    (stays,) = region.associations("a").values()
    function.wire.fail("DisassociateRouteTable", "UnauthorizedOperation", mentions=stays)

    region.empty_group()
    function(messages.release(cloudformation.url, *KNOWN), seconds=SHORT)

    (answer,) = cloudformation.answers
    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == "UnauthorizedOperation: any words of AWS"
    assert region.associations("b") == {}


def test_deletion_fails_with_awss_words_when_the_observation_fails(
    region: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """Nothing is written without an observation."""
    function = deploy(replace(region.settings, strategy=Strategy.SWAP_ROUTE_TABLE))
    function.wire.fail("DescribeRouteTables", "UnauthorizedOperation")

    region.empty_group()
    function(messages.release(cloudformation.url, *KNOWN), seconds=SHORT)

    (answer,) = cloudformation.answers
    assert answer["Status"] == "FAILED"
    assert "UnauthorizedOperation" in answer["Reason"]
    assert function.wire.writes == []


def test_answer_fits_when_aws_has_much_to_say(
    region: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """CloudFormation takes answers of 4096 bytes and waits an hour after a longer one."""
    function = deploy(replace(region.settings, strategy=Strategy.SWAP_ROUTE_TABLE))
    function.wire.fail("DisassociateRouteTable", "UnauthorizedOperation" + "…" * 5000)

    region.empty_group()
    function(messages.release(cloudformation.url, *KNOWN), seconds=SHORT)

    assert cloudformation.sizes[0] <= 4096


def test_deletion_of_the_routes_resource_touches_no_subnet(
    region: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """It comes first, while NATs still serve."""
    function = deploy(replace(region.settings, strategy=Strategy.SWAP_ROUTE_TABLE))

    function(messages.deployment("Delete", cloudformation.url))

    assert function.wire.writes == []
    assert [answer["Status"] for answer in cloudformation.answers] == ["SUCCESS"]


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_making_the_associations_resource_needs_nothing(
    request_type: str, region: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """It is there for its deletion."""
    function = deploy(replace(region.settings, strategy=Strategy.SWAP_ROUTE_TABLE))

    function({**messages.release(cloudformation.url, *KNOWN), "RequestType": request_type})

    assert function.wire.calls == []
    assert [answer["Status"] for answer in cloudformation.answers] == ["SUCCESS"]


def test_deletion_leaves_what_cloudformation_knows_when_nothing_was_moved(
    region: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """CloudFormation deletes the associations that it made itself."""
    function = deploy(replace(region.settings, strategy=Strategy.SWAP_ROUTE_TABLE))
    known = [*region.associations("a").values(), *region.associations("b").values()]

    region.empty_group()
    function(messages.release(cloudformation.url, *known))

    assert function.wire.writes == []
    assert [answer["Status"] for answer in cloudformation.answers] == ["SUCCESS"]


def test_deletion_goes_on_when_a_write_or_an_observation_fails_once(
    region: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """A passing fault does not leave the stack half deleted."""
    function = deploy(replace(region.settings, strategy=Strategy.SWAP_ROUTE_TABLE))
    function.wire.fail("DescribeRouteTables", "UnauthorizedOperation", times=1)
    function.wire.fail("DisassociateRouteTable", "InvalidAssociationID.NotFound", times=1)

    region.empty_group()
    function(messages.release(cloudformation.url, *KNOWN))

    assert [answer["Status"] for answer in cloudformation.answers] == ["SUCCESS"]
    assert (region.associations("a"), region.associations("b")) == ({}, {})


def test_invocation_fails_when_cloudformation_cannot_be_answered(
    region: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """Lambda then invokes the function again."""
    cloudformation.status = 503

    with pytest.raises(OSError, match="503"):
        deploy(region.settings)(messages.deployment("Create", cloudformation.url))


def test_answer_is_logged_and_not_repeated_when_s3_refuses_it_for_good(
    region: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """A signature that has expired does not come back: invoking again would only repeat it."""
    cloudformation.status = 403

    deploy(region.settings)(messages.deployment("Create", cloudformation.url))

    assert len(cloudformation.answers) == 1


def test_release_is_refused_when_a_request_names_no_association_to_keep(
    region: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """Nothing would tell the function's associations from CloudFormation's."""
    function = deploy(replace(region.settings, strategy=Strategy.SWAP_ROUTE_TABLE))

    function(messages.release(cloudformation.url))

    assert function.wire.writes == []
    assert [answer["Status"] for answer in cloudformation.answers] == ["FAILED"]


def test_request_inside_a_message_of_the_topic_is_not_served(
    region: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """Whoever may publish cannot release a subnet."""
    function = deploy(replace(region.settings, strategy=Strategy.SWAP_ROUTE_TABLE))

    function(messages.sns(messages.release(cloudformation.url, *KNOWN)))

    assert function.wire.writes == []
    assert cloudformation.answers == []


def test_deletion_lifts_every_hold_of_the_group(
    region: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """CloudFormation waits in vain for members that are protected; what is in standby ends."""
    function = deploy(region.settings)
    region.hold_members()

    function(messages.deployment("Delete", cloudformation.url))

    answer = region.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[region.group])
    (group,) = answer["AutoScalingGroups"]
    assert group["SuspendedProcesses"] == []
    assert all(member["LifecycleState"] == "InService" for member in group["Instances"])
    assert not any(member["ProtectedFromScaleIn"] for member in group["Instances"])
    assert min(region.nats.values()) not in str(group["Instances"])
    assert [answer["Status"] for answer in cloudformation.answers] == ["SUCCESS"]


@pytest.mark.parametrize("answer", [None, "ValidationError"])
def test_deletion_ends_drains_at_once_and_asks_only_once(
    answer: str | None, region: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """It would wait for them; a member that goes on waiting does so in another hook."""
    function = deploy(region.settings)
    region.hold_members()
    shows_waiting(function, region.nats["a"])
    if answer:
        function.wire.fail("CompleteLifecycleAction", answer)

    function(messages.deployment("Delete", cloudformation.url))

    ended = [w for w in function.wire.writes if w.operation == "CompleteLifecycleAction"]
    assert [call.parameters for call in ended] == [
        {
            "AutoScalingGroupName": region.group,
            "LifecycleHookName": "drain",
            "InstanceId": region.nats["a"],
            "LifecycleActionResult": "CONTINUE",
        }
    ]
    assert "ResumeProcesses" in function.wire.written()
    assert [answer["Status"] for answer in cloudformation.answers] == ["SUCCESS"]


def test_deletion_fails_with_awss_words_when_a_hold_stays(
    region: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """A person has to lift it, and learns so at once instead of after hours."""
    function = deploy(region.settings)
    region.autoscaling.set_instance_protection(
        AutoScalingGroupName=region.group,
        InstanceIds=[region.nats["a"]],
        ProtectedFromScaleIn=True,
    )
    function.wire.fail("SetInstanceProtection", "AccessDenied")

    function(messages.deployment("Delete", cloudformation.url), seconds=SHORT)

    (answer,) = cloudformation.answers
    assert (answer["Status"], answer["Reason"]) == ("FAILED", "AccessDenied: any words of AWS")


def test_nothing_is_published_when_the_stack_is_deleted(
    region: Region, deploy: Deploy, cloudformation: CloudFormation
) -> None:
    """That its NATs go is no incident."""
    function = deploy(region.settings)
    function(messages.deployment("Delete", cloudformation.url))
    for nat in region.nats.values():
        region.kill(nat)

    function(messages.terminated(region, region.nats["a"]))

    assert region.notifications() == []
