"""How faults are written, and what is said of those that cannot be understood."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.drills.faults import FAULTS, Fault
from lab.drills.injectors.table import INJECTORS
from lab.drills.scenario import ScenarioError, ScheduledFault, read_faults, read_scenario

if TYPE_CHECKING:
    from pathlib import Path


def said(faults: tuple[ScheduledFault, ...]) -> list[str]:
    """Return faults as they are written."""
    return [str(scheduled) for scheduled in faults]


@pytest.mark.parametrize(
    ("written", "scheduled"),
    [
        ("terminate", ("terminate", None, 0, None)),
        ("stop:b", ("stop", "b", 0, None)),
        ("terminate:b@10.5", ("terminate", "b", 10.5, None)),
        ("zone-outage:b@5+60", ("zone-outage", "b", 5, 60)),
        ("zone-outage", ("zone-outage", None, 0, 600)),
    ],
)
def test_fault_is_read_with_its_option_and_times(
    written: str, scheduled: tuple[str, str | None, float, float | None]
) -> None:
    """NAME[:OPTION][@START][+SECONDS]; what lasts has a time of its own where none is given."""
    (read,) = read_faults([written])
    assert (read.fault.name, read.option, read.start, read.seconds) == scheduled
    assert read_faults([str(read)]) == (read,)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("earthquake", "'earthquake' is no fault; there are terminate, stop"),
        ("terminate:z", "has no option 'z'; allowed: a zone's letter"),
        ("tamper:z", "has no option 'z'; allowed: a zone's letter, elsewhere"),
        ("both:a", "has no option 'a'; allowed: none"),
        ("planned:a", "has no option 'a'; allowed: none"),
        ("terminate:ab", "has no option 'ab'; allowed: a zone's letter"),
        ("terminate:", "'terminate:' is not a fault: write NAME"),
        ("terminate:B", "'terminate:B' is not a fault: write NAME"),
        ("terminate+5", "leave \\+5 out"),
        ("lost+0", "seconds is '0'; allowed: a number of seconds, more than 0, up to 3600"),
        ("terminate@9999", "start is '9999'; allowed: a number of seconds, 0 to 3600"),
        ("Terminate!", "'Terminate!' is not a fault: write NAME"),
        ("terminate@-5", "is not a fault"),
        ("", "is not a fault"),
    ],
)
def test_fault_that_is_wrong_is_refused_with_what_is_allowed(written: str, said: str) -> None:
    """The message names what was given and what there is."""
    with pytest.raises(ScenarioError, match=said):
        read_faults([written])


def test_condition_alone_comes_with_the_death_of_a_nat() -> None:
    """Lost messages harm nobody while nothing happens."""
    assert said(read_faults(["lost"])) == ["lost", "terminate"]
    assert said(read_faults(["during-deploy@10"])) == ["during-deploy@10", "terminate@40"]


def test_condition_comes_alone_when_there_is_harm_already() -> None:
    """What a person combines is injected as it is, in the order of time."""
    assert said(read_faults(["stop:b@20", "lost"])) == ["lost", "stop:b@20"]


def test_scenario_file_says_what_the_command_line_could(tmp_path: Path) -> None:
    """Faults, seed and strategy."""
    file = tmp_path / "any.toml"
    file.write_text(
        'seed = 7\nstrategy = "swap-route-table"\n'
        '[[fault]]\nname = "terminate"\noption = "b"\nstart = 10\n'
        '[[fault]]\nname = "lost"\nseconds = 60\n'
    )
    scenario = read_scenario(file)
    assert (scenario.seed, scenario.strategy) == (7, "swap-route-table")
    assert scenario.faults == read_faults(["terminate:b@10", "lost+60"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seed = ", "is not TOML"),
        ("seed = 1", r"fault is missing; allowed: one \[\[fault\]\] table or more"),
        ("fault = []", r"fault is \[\]; allowed: one"),
        ("fault = [1]", "fault 1 is 1; allowed: one"),
        ("[[fault]]\nstart = 5", "fault 1 name is missing; allowed: a fault's name"),
        (
            '[[fault]]\nname = "stop"\nwhen = 5',
            "fault 1 when is no key; allowed here: name, option",
        ),
        ('seed = -1\n[[fault]]\nname = "stop"', "seed is -1; allowed: a whole number, 0 or more"),
        (
            'strategy = "hope"\n[[fault]]\nname = "stop"',
            "strategy is 'hope'; allowed: 'replace-route' or 'swap-route-table'",
        ),
        ('[[fault]]\nname = "quake"', "'quake' is no fault"),
        ("\xff\xfe", "is not TOML"),
    ],
)
def test_scenario_file_that_is_wrong_is_refused_with_what_is_allowed(
    text: str, said: str, tmp_path: Path
) -> None:
    """The message names the file, the key and what is allowed."""
    file = tmp_path / "any.toml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(ScenarioError, match=said):
        read_scenario(file)


def test_scenario_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """One sentence instead of a traceback."""
    with pytest.raises(ScenarioError, match=r"nowhere\.toml cannot be read: No such file"):
        read_scenario(tmp_path / "nowhere.toml")


def test_every_fault_has_an_injector_and_those_that_last_an_end() -> None:
    """What the table says and what the region plays are the same faults."""
    assert INJECTORS.keys() == {fault.name for fault in FAULTS}
    lasting = {fault.name for fault in FAULTS if fault.seconds is not None}
    assert lasting == {name for name, injector in INJECTORS.items() if injector.end}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_can_be_written_as_it_is_listed(fault: Fault) -> None:
    """Every row of the table is a fault that a drill can play, with each of its options."""
    for option in (None, *fault.options):
        written = f"{fault.name}:{option}" if option else fault.name
        assert fault in [scheduled.fault for scheduled in read_faults([written])]
