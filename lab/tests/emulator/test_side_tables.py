"""What the lab keeps beside moto's objects."""

from __future__ import annotations

import gc

import pytest

from lab.emulator.region import Region
from lab.emulator.side_tables import Attribute, SideTable


class Equal:
    """Something that is equal to all of its kind, and has no hash."""

    __hash__: None = None  # type: ignore[assignment]  # as with some of moto's classes

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Equal)


def test_fact_is_of_one_object_and_not_of_its_equal() -> None:
    """Also where objects have no hash."""
    table: SideTable[Equal, str] = SideTable()
    one, other = Equal(), Equal()
    table[one] = "one"
    assert one == other
    assert table[one] == "one"
    assert other not in table
    with pytest.raises(KeyError):
        table[other]


def test_first_value_is_made_once_for_each_object_when_it_is_read() -> None:
    """It can be changed in place."""
    table: SideTable[Equal, list[str]] = SideTable(list)
    one, other = Equal(), Equal()
    table[one].append("any")
    assert (table[one], table[other]) == (["any"], [])


def test_fact_ends_with_its_object() -> None:
    """Another one at the same address is to know nothing of it."""
    table: SideTable[Equal, bool] = SideTable(bool)
    one = Equal()
    table[one] = True
    del one
    gc.collect()
    assert table._facts == {}


def test_region_begins_without_the_facts_of_the_one_before() -> None:
    """Also without those whose value is the owner itself, which therefore would never end."""
    table: SideTable[Equal, Equal] = SideTable()
    one = Equal()
    table[one] = one
    with Region():
        assert one not in table


def test_attribute_has_its_default_until_it_is_set() -> None:
    """Then it is an attribute like moto's own."""
    attribute: Attribute[Equal, str] = Attribute("fact", "")
    one = Equal()
    assert attribute[one] == ""
    attribute[one] = "any"
    assert (attribute[one], vars(one)) == ("any", {"fact": "any"})
