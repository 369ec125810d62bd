"""The benchmark of the data plane: it runs, and any project's file can be the contender."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from lab.bench.dataplane import handed, kept, speed
from lab.bench.dataplane.__main__ import Extent, run
from lab.bench.dataplane.bed import DEFAULT, Bed, BedError
from lab.bench.dataplane.contenders import Contender, from_file, ours, plain
from lab.bench.dataplane.load import STREAM
from lab.bench.dataplane.pair import FIRST, SECOND, Pair
from lab.bench.dataplane.sizes import Sizes
from lab.emulator.isolation import PROJECT
from lab.packets.namespaces import Namespaces

if TYPE_CHECKING:
    from collections.abc import Iterator

TINY = Extent(speed.Extent(1, 0.05), kept.Extent((100,), empty=0.1, filled=0.1), 0.1)

RULESET = """
table ip theirs {
    chain postrouting {
        type nat hook postrouting priority srcnat; policy accept;
        oifname "ens5" masquerade
    }
}
"""
SCRIPT = f"""
yum install --assumeyes nftables
modprobe nf_conntrack
sysctl --quiet --write net.ipv4.ip_forward=1
sysctl --quiet --write net.netfilter.nf_conntrack_max=32768
echo 8192 >/sys/module/nf_conntrack/parameters/hashsize
mkdir --parents /opt/theirs
nft --file - <<RULES
{RULESET}
RULES
exit 3
"""


@pytest.fixture
def spaces() -> Iterator[Namespaces]:
    """Make namespaces for one test."""
    with Namespaces() as namespaces:
        yield namespaces


def tracked(bed: Bed) -> int:
    """Return how many connections the NAT tracks."""
    return int(bed.nat.run("cat", "/proc/sys/net/netfilter/nf_conntrack_count").stdout)


@pytest.mark.usefixtures("borrower")
def test_benchmark_prints_its_tables() -> None:
    """Every measure has a row for both sides, unless this machine's own connections forbid it."""
    console = Console(file=io.StringIO(), width=200)
    run(plain(), TINY, console)
    assert isinstance(console.file, io.StringIO)
    said = console.file.getvalue()
    for measure in speed.MEASURES:
        assert f"{measure.name}, {measure.unit}" in said
    for handed_over in handed.MEASURES:
        assert f"{handed_over.name}, {handed_over.unit}" in said
    assert re.search(r"A watch took [\d.]+ % of a processor and [1-9]\d* MiB", said)
    both = "100/s, a burst of 0.1 s" in said and "100/s, in the long run" in said
    assert both or "Dropped connections were not measured: this machine tracks" in said


def test_benchmark_says_in_a_sentence_that_it_needs_root() -> None:
    """Nothing was touched, and the exit status is that of wrong usage."""
    ended = subprocess.run(
        ["unshare", "--user", sys.executable, "-m", "lab.bench.dataplane"],  # noqa: S607 - the system's
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert 2 == ended.returncode
    assert "packets need root, for network namespaces: run it with sudo\n" == ended.stderr


def test_our_boot_leaves_the_sizes_for_512_mib(spaces: Namespaces) -> None:
    """The user data ran to its end, and took the machine for the small instance that it plays."""
    with Bed(spaces, ours(), name="a") as bed:
        assert 0 == bed.booted.status
        assert Sizes(65_536, 65_536) == bed.booted.sizes


def test_plain_rule_leaves_the_kernels_sizes(spaces: Namespaces) -> None:
    """It calls nothing that a namespace lacks."""
    with Bed(spaces, plain(), name="a") as bed:
        assert DEFAULT == bed.booted.sizes
        assert () == bed.booted.played


def test_script_runs_as_given_and_what_it_called_in_vain_is_known(
    spaces: Namespaces, tmp_path: Path
) -> None:
    """Its exit status, its sizes and its calls are noted; its files are not the machine's."""
    path = tmp_path / "boot.sh"
    path.write_text(SCRIPT)
    with Bed(spaces, from_file(path), name="a") as bed:
        assert 3 == bed.booted.status
        assert Sizes(32_768, 8_192) == bed.booted.sizes
        assert (
            "yum install --assumeyes nftables",
            "modprobe nf_conntrack",
        ) == bed.booted.played
    assert not Path("/opt/theirs").exists()


def test_ruleset_makes_a_nat(spaces: Namespaces, tmp_path: Path) -> None:
    """A ruleset is loaded, and forwards."""
    path = tmp_path / "theirs.nft"
    path.write_text(RULESET)
    with Bed(spaces, from_file(path), name="a") as bed:
        assert 0 == bed.booted.status


def test_settings_of_the_whole_kernel_are_left_alone(spaces: Namespaces) -> None:
    """A script may write them: it changes a copy."""
    setting = Path("/proc/sys/vm/swappiness")
    before = int(setting.read_text())
    script = f"{plain().script}\nsysctl --quiet --write vm.swappiness={before + 1} || exit 4\n"
    with Bed(spaces, Contender("any", script), name="a") as bed:
        assert 0 == bed.booted.status
        assert before == int(setting.read_text())


def test_contender_that_forwards_nothing_is_named_with_its_last_words(spaces: Namespaces) -> None:
    """Without a NAT nothing can be compared."""
    contender = Contender("their.sh", "echo first >&2\necho 'no such thing' >&2\nexit 5\n")
    with pytest.raises(BedError) as failed, Bed(spaces, contender, name="a"):
        pass
    assert (
        "their.sh ended with exit status 5, and the host forwards nothing;"
        " the last that it said: no such thing"
    ) == str(failed.value)


def test_contender_that_forwards_some_ports_only_is_named_with_the_load(
    spaces: Namespaces,
) -> None:
    """What it does not carry cannot be compared."""
    rules = f"""
table ip some {{
    chain forward {{
        type filter hook forward priority filter; policy accept;
        tcp dport {STREAM} reject with tcp reset
    }}
}}
"""
    contender = Contender("their.sh", f"{plain().script}\nnft --file - <<RULES\n{rules}RULES\n")
    with (
        Bed(spaces, contender, name="a") as bed,
        pytest.raises(BedError, match=r"their\.sh does not carry the load 'stream': .*refused"),
    ):
        bed.load("stream", 1, 1)


def test_contender_is_said_to_need_iptables_when_the_machine_has_none(spaces: Namespaces) -> None:
    """Without it a script cannot run as given, and the sentence says what to install."""
    contender = Contender("their.sh", "iptables --table nat --list-rules\n")
    with pytest.raises(BedError) as failed, Bed(spaces, contender, name="a"):
        pass
    expected = shutil.which("iptables") is None
    assert expected == str(failed.value).endswith("which this machine has not: install it")


def test_filled_table_holds_what_it_is_filled_with(spaces: Namespaces) -> None:
    """The entries are there, closed, and in place of what was there."""
    with Bed(spaces, plain(), name="a") as bed:
        bed.fill(1000)
        assert 950 < tracked(bed) <= 1000  # those of the last second may be forgotten already
        bed.fill(0)
        assert 0 == tracked(bed)


def test_pair_hands_over_what_comes_to_the_nat_that_does_not_know_the_flow() -> None:
    """And nothing where the table leads to the one that knows it."""
    with Pair() as pair:
        pair.lead(SECOND)
        pair.load("echo", 0.1)
        assert 0 == _handed_over(pair)
        pair.lead(FIRST)
        pair.load("echo", 0.1)
        assert 0 < _handed_over(pair)


def _handed_over(pair: Pair) -> int:
    listed = pair.first.run("nft", "list", "counter", "ip", "nat_failover_peers", "handed_over")
    return int(listed.stdout.split("packets ")[1].split()[0])
