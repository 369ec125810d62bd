"""What can be found before a deployment in the account and Region that it is for.

`examine` reads; it writes nothing. Each check says that nothing is wrong, what is wrong and what to
do, or why it is not known. What it needs are the permissions in `CHECKS`, all of which read.

What it cannot find: a service control policy that denies what the deployment or Auto Scaling calls
(no call of a member account shows it, and the simulator of IAM leaves it out), capacity, and
whatever changes after it.
"""

from lab.doctor.examined import look_at
from lab.doctor.findings import Checked, State
from lab.doctor.run import CHECKS, examine

__all__ = ["CHECKS", "Checked", "State", "examine", "look_at"]
