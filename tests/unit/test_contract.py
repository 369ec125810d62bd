"""The function's environment: what the CDK app writes is what the function reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nat_failover.contract import Failback, HomeTable, Settings, SettingsError, Strategy

names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1)


@st.composite
def settings(draw: st.DrawFn) -> Settings:
    """Draw settings with any number of tables and subnets."""
    subnets = draw(st.lists(names, unique=True))
    tables = draw(st.lists(names, unique=True, min_size=1))
    return Settings(
        stack=draw(names),
        stack_id=f"arn:{draw(names)}",
        vpc=f"vpc-{draw(names)}",
        group=draw(names),
        wanted=draw(st.integers(min_value=1)),
        memory=draw(names),
        tables=tuple(
            HomeTable(
                id=f"rtb-{name}",
                zone=draw(names),
                subnets=tuple(f"subnet-{s}" for s in subnets[i :: len(tables)]),
            )
            for i, name in enumerate(tables)
        ),
        outcome_topic=f"arn:{draw(names)}",
        strategy=draw(st.sampled_from(Strategy)),
        failback=draw(st.sampled_from(Failback)),
        adopt=draw(st.booleans() | st.lists(names.map("rtb-{}".format)).map(tuple)),
        watch=draw(st.booleans()),
        elastic_ips=(ips := draw(st.sampled_from(((), ("eipalloc-1", "eipalloc-2"))))),
        launch=draw(names) if ips else "",
        standby_gateway=draw(st.none() | names.map("nat-{}".format)),
    )


@given(settings())
def test_settings_are_the_same_when_written_and_read(given_settings: Settings) -> None:
    """`from_env` is the inverse of `to_env`."""
    assert Settings.from_env(given_settings.to_env()) == given_settings


GOOD = Settings(
    stack="Any",
    stack_id="arn:any-stack",
    vpc="vpc-1",
    group="any-group",
    wanted=2,
    memory="any-table",
    tables=(HomeTable(id="rtb-1", zone="zone-a", subnets=("subnet-1",)),),
    outcome_topic="arn:any",
).to_env()

ADOPT = 'allowed: true, false, or a JSON list such as ["rtb-…"]'
TABLES = (
    'allowed: a JSON list such as [{"id":"rtb-…","zone":"eu-west-1a","subnets":["subnet-…"]}] of'
    " one table or more, each table and each subnet once; without zone and subnets they are"
    " observed"
)
IPS = (
    "allowed: ids of allocations with commas between them, such as eipalloc-…, each once, or"
    " nothing"
)
TWICE = '{"id":"rtb-1","zone":"z","subnets":["subnet-1"]}'


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("NAT_STACK", "", "is ''; allowed: the name of the stack"),
        ("NAT_STACK_ID", "Any", "is 'Any'; allowed: the ARN of the stack"),
        ("NAT_VPC", "10.0.0.0/16", "is '10.0.0.0/16'; allowed: the id of a VPC"),
        ("NAT_GROUP", "", "is ''; allowed: the name of the Auto Scaling group"),
        ("NAT_WANTED", "0", "is '0'; allowed: a number of NATs, 1 or more"),
        ("NAT_MEMORY", "", "is ''; allowed: the name of a DynamoDB table"),
        ("NAT_TABLES", "[", f"is '['; {TABLES}"),
        ("NAT_TABLES", "[]", f"is '[]'; {TABLES}"),
        ("NAT_TABLES", '{"a":1}', f"is '{{\"a\":1}}'; {TABLES}"),
        ("NAT_TABLES", f"[{TWICE},{TWICE}]", f"is '[{TWICE},{TWICE}]'; {TABLES}"),
        (
            "NAT_TABLES",
            f"[{TWICE},{TWICE.replace('rtb-1', 'rtb-2')}]",
            f"is '[{TWICE},{TWICE.replace('rtb-1', 'rtb-2')}]'; {TABLES}",
        ),
        (
            "NAT_TABLES",
            '[{"id":"x","zone":"z","subnets":[]}]',
            f'is \'[{{"id":"x","zone":"z","subnets":[]}}]\'; {TABLES}',
        ),
        ("NAT_OUTCOME_TOPIC", "people", "is 'people'; allowed: the ARN of an SNS topic"),
        ("NAT_STRATEGY", "swap", "is 'swap'; allowed: replace-route or swap-route-table"),
        ("NAT_FAILBACK", "no", "is 'no'; allowed: automatic or manual"),
        ("NAT_ADOPT", "yes", f"is 'yes'; {ADOPT}"),
        ("NAT_ADOPT", '["x"]', f"is '[\"x\"]'; {ADOPT}"),
        ("NAT_WATCH", "on", "is 'on'; allowed: true or false"),
        ("NAT_ELASTIC_IPS", "1.1.1.1", f"is '1.1.1.1'; {IPS}"),
        ("NAT_ELASTIC_IPS", "eipalloc-1,eipalloc-1", f"is 'eipalloc-1,eipalloc-1'; {IPS}"),
    ],
)
def test_settings_name_the_variable_when_its_value_is_wrong(
    variable: str, value: str, message: str
) -> None:
    """A mistake names the variable, the value it has, and what is allowed."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({**GOOD, variable: value})
    assert str(caught.value).splitlines() == [
        f"environment variable {variable} {message}",
        "deploy the stack again: it writes these variables",
    ]


def test_settings_name_every_variable_when_none_is_set() -> None:
    """All mistakes come at once."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({})
    lines = str(caught.value).splitlines()
    assert [f"environment variable {variable} is not set" for variable in GOOD] == [
        line.split(";")[0] for line in lines[:-1]
    ]
