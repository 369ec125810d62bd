"""How long the app's instances take to boot and to say so, in rows like those of AWS's delays."""

from __future__ import annotations

from lab.emulator.time.delays import Delay, Evidence

_DOCUMENTED, _, _ASSUMED = Evidence

BOOT_SCRIPT = Delay(
    "a running instance boots until its self-test has shown that it forwards",
    20,
    45,
    _ASSUMED,
    "no figure published; the system's start and the installation of nftables",
)
BOOT_GIVES_UP = Delay(
    "a running instance boots in vain until its boot script gives up",
    15,
    290,
    _DOCUMENTED,
    "cdk_nat_failover/instances/boot/boot.sh: from steps that take seconds and one that fails, to"
    " the limits of all steps, 5 + 15 + 145 + 15 + 50 + 15 + 45 s",
)
BOOT_SWITCHES_OFF = Delay(
    "a running instance switches itself off because it cannot unpack its boot script",
    5,
    40,
    _ASSUMED,
    "no figure published; the system's start, and the limit of 10 s in"
    " cdk_nat_failover/instances/boot/unpack.sh",
)
SELF_TEST = Delay(
    "an instance that boots goes on trying to reach the internet",
    50,
    50,
    _DOCUMENTED,
    "cdk_nat_failover/instances/boot/boot.sh: the limit of that step",
)
SELF_TEST_TRIES_AGAIN = Delay(
    "it tries again", 1, 1, _ASSUMED, "cdk_nat_failover/instances/boot/self-test.sh: in turns"
)
BOOT_TRIES_AGAIN = Delay(
    "an instance tells its group again how its launch went",
    3,
    3,
    _DOCUMENTED,
    "cdk_nat_failover/instances/boot/boot.sh",
)
BOOT_TELLS = Delay(
    "an instance goes on trying to tell its group that it forwards",
    45,
    45,
    _DOCUMENTED,
    "cdk_nat_failover/instances/boot/boot.sh: the limit of that step",
)
BOOT_SIGNALS = Delay(
    "an instance that is in service signals its stack",
    25,
    35,
    _DOCUMENTED,
    "cdk_nat_failover/instances/boot/boot.sh: 30 s after it told its group that it forwards",
)
CLI_CALL = Delay(
    "a call that an instance makes with the AWS CLI, with the start of the CLI",
    1,
    4,
    _ASSUMED,
    "no figure published for a small instance",
)
WATCH_BEATS = Delay(
    "a NAT's next heartbeat comes",
    0,
    0.5,
    _DOCUMENTED,
    "cdk_nat_failover/instances/watch/judgement.py: one each 0.5 s",
)
WATCH_PROBES = Delay(
    "a NAT's next attempt to reach the internet comes",
    0,
    2,
    _DOCUMENTED,
    "cdk_nat_failover/instances/watch/judgement.py: one each 2 s",
)
WATCH_READS = Delay(
    "a NAT's next read of the ring comes",
    0,
    2,
    _DOCUMENTED,
    "cdk_nat_failover/instances/watch/judgement.py: one each 2 s",
)
WATCH_CALL = Delay(
    "a NAT connects to the internet, or makes one signed call of AWS's API",
    0.02,
    0.2,
    _ASSUMED,
    "no figure published for a small instance; three round trips within the Region",
)
WATCH_RENEWS = Delay(
    "a NAT's next claim comes that says the same again",
    0,
    10,
    _DOCUMENTED,
    "cdk_nat_failover/instances/watch/judgement.py: one each 60 s, or each 10 s while not all is"
    " well; the NATs have no common clock",
)
CLAIM_AGAIN = Delay(
    "a NAT tries again to publish a claim",
    2,
    2,
    _ASSUMED,
    "cdk_nat_failover/instances/watch: until the topic takes it",
)
FLOWS_END = Delay(
    "the last established flow of a NAT that leaves ends",
    20,
    400,
    _ASSUMED,
    "no figure published; shorter and longer than the drain of 300 s",
)
TABLE: tuple[Delay, ...] = tuple(row for row in globals().values() if isinstance(row, Delay))
"""All rows, in the order of this file."""
