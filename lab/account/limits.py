"""How long a drill waits for the stack to be as it was, before it puts back what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.drills.faults import ActionKind

if TYPE_CHECKING:
    from collections.abc import Mapping

REPAIR_S = 240.0
"""What the function repairs: four of its sweeps, so that one may be late and one may fail."""

REPLACE_S = 900.0
"""What the group replaces: one was seen to take 65 s until it launched (github.com/nowakeai/
betternat, research 031), a termination 82 s (sample in the EC2 Auto Scaling user guide), a launch
37 s (sample notifications), and the stack gives a NAT 300 s to boot; nearly twice all that."""

REFRESH_S = 2400.0
"""An instance refresh of two NATs: for each a termination, a launch and the time to boot, which are
419 s; nearly three times that, because nobody says how long AWS waits between."""

LIMITS_S: Mapping[ActionKind, float] = {
    ActionKind.TERMINATE_NAT: REPLACE_S,
    ActionKind.STOP_NAT: REPLACE_S,
    ActionKind.REFRESH_GROUP: REFRESH_S,
    ActionKind.DELETE_DEFAULT_ROUTE: REPAIR_S,
    ActionKind.SWITCH_CHECK_ON: REPAIR_S,
}
