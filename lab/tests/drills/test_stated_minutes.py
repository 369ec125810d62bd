"""The minutes that the operations page states are those that drills hold."""

from __future__ import annotations

from cdk_nat_failover.instances.nat_fleet import HEARTBEAT_S
from lab.drills.boots import delays
from lab.drills.boots.forwarding import BadImage
from lab.emulator.isolation import PROJECT
from lab.tests.drills import test_first_deployment as first
from lab.tests.drills import test_updates as updates

PAGE = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")


def test_page_states_the_minutes_of_bad_images_that_drills_hold() -> None:
    """For a first deployment, an update, and one whose cause persists, by the kind of image."""
    _, _, section = PAGE.partition("### Images that cannot become a NAT")
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if "min |" in line]
    stated = [[60.0 * int(cell.removesuffix(" min")) for cell in row[2:]] for row in rows]
    assert stated == [[first.ENDS, updates.ENDS[False][1]]] * len(BadImage)
    assert f"ends after {updates.ENDS[True][1] / 60:.0f} min, {updates.ENDS[True][0]}" in section


def test_page_states_when_a_launch_is_given_up() -> None:
    """Seven minutes without a word, five with one."""
    assert HEARTBEAT_S == 7 * 60
    assert "ended after seven minutes" in PAGE
    assert delays.BOOT_GIVES_UP.high <= 5 * 60
    assert "within five minutes" in PAGE
