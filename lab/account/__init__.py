"""Drills of a stack that is deployed in a real AWS account, by the account's own clock.

`drill` finds the stack through CloudFormation, names what it will do to what, asks, injects one
fault after the other, observes it about once a second until the stack is as it was, and returns the
same `Outcome` as a drill in the emulated region. Nothing else of the lab uses a person's
credentials but `lab.doctor`, which only reads; and it touches nothing that does not carry the
stack's tag.

What it injects, and what ends it:

- `terminate`, `stop`: one NAT, behind its group's back. The group replaces it.
- `planned`: an instance refresh, which replaces every NAT, one after the other.
- `tamper`: the default route of a private table is deleted. The function's sweep puts it back.
- `check-reset`: a NAT's source/destination check is switched on, so that EC2 drops what it should
  forward. The function's sweep switches it off.

A letter chooses the zone (`terminate:b`); without it, it is the first one.

What it refuses: a stack that is not at rest, has fewer than two usable NATs, a zone without egress,
or a group that would not replace a NAT. Before it asks, EC2 says in dry runs whether the
credentials may do what the faults need and take it back; Auto Scaling has none for `planned`.

What it risks: the private subnets of the zone have no internet until the function has repaired
their route, and connections through the NAT break. A replaced NAT has another public address:
whoever let the old one in must let the new one in. While one NAT is gone, the others are all there
is. The outcome topic tells its subscribers, and the alarm NoEgress may go off. `tamper`,
`check-reset` and `planned` are reverted when they are not over in time (`limits`), and on Ctrl-C; a
NAT that is gone is the group's to replace. A drill that is killed (SIGKILL, a lost machine) reverts
nothing; the function's sweep still repairs.

What it costs: a replaced NAT and its address are billed for the seconds that they run, 60 at least
(Amazon EC2 pricing, On-Demand), which is a fraction of a cent; traffic that crosses zones meanwhile
costs 0.01 USD/GB each way in us-east-1; the calls are free.

What it needs: the permissions in `PERMISSIONS`.
"""

from lab.account.confirmation import person
from lab.account.errors import RealDrillError
from lab.account.permissions import PERMISSIONS
from lab.account.run import drill

__all__ = ["PERMISSIONS", "RealDrillError", "drill", "person"]
