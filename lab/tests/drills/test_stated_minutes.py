"""The minutes that the operations page states are those that drills hold."""

from __future__ import annotations

from cdk_nat_failover.function.failover_function import ANSWER_LIMIT
from cdk_nat_failover.instances.nat_fleet import HEARTBEAT_S
from lab.drills.boots import delays
from lab.drills.boots.forwarding import BadImage
from lab.emulator.isolation import PROJECT
from lab.tests.drills import test_destroy as destroy
from lab.tests.drills import test_first_deployment as first
from lab.tests.drills import test_settings_in_failover as settings
from lab.tests.drills import test_updates as updates
from nat_failover.deployment import LIFT_LIMIT_S

PAGE = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")


def test_page_states_the_minutes_of_bad_images_that_drills_hold() -> None:
    """For a first deployment, an update, and one whose cause persists, by the kind of image."""
    _, _, section = PAGE.partition("### Images that cannot become a NAT")
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if "min |" in line]
    stated = [[60.0 * int(cell.removesuffix(" min")) for cell in row[2:]] for row in rows]
    assert stated == [[first.ENDS, updates.ENDS[False][1]]] * len(BadImage)
    assert f"ends after {updates.ENDS[True][1] / 60:.0f} min, {updates.ENDS[True][0]}" in section


def test_page_states_the_minutes_of_deployments_and_deletions_that_drills_hold() -> None:
    """And the function's own limits are within them."""
    assert settings.ENDS == 25 * 60
    assert "a deployment ends within 25 minutes" in PAGE
    assert LIFT_LIMIT_S < destroy.GIVES_UP == 9 * 60
    assert "after nine minutes at most" in PAGE
    assert ANSWER_LIMIT.to_seconds() < destroy.SILENCE == 15 * 60
    assert "or after 15 minutes if it says nothing" in PAGE


def test_page_states_when_a_launch_is_given_up() -> None:
    """Seven minutes without a word, five with one."""
    assert HEARTBEAT_S == 7 * 60
    assert "ended after seven minutes" in PAGE
    assert delays.BOOT_GIVES_UP.high <= 5 * 60
    assert "within five minutes" in PAGE
