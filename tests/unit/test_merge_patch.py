"""The differences that snapshots are kept as."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.merge_patch import difference, merged

VALUES = st.recursive(
    st.booleans() | st.integers() | st.text() | st.lists(st.integers()),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner),
)
OBJECTS = st.dictionaries(st.sampled_from("abc"), VALUES)


@given(OBJECTS, OBJECTS)
def test_difference_turns_one_object_into_the_other(
    base: dict[str, Any], other: dict[str, Any]
) -> None:
    """Whatever is added, removed or changed, at any depth."""
    assert merged(base, difference(base, other)) == other


def test_difference_names_what_changed_and_nothing_else() -> None:
    """What is gone is null, and equal parts are left out."""
    base = {"a": {"b": 1, "c": 2}, "d": [1], "e": 5}
    other = {"a": {"b": 1, "c": 3}, "d": [1], "f": {"g": 6}}
    assert difference(base, other) == {"a": {"c": 3}, "e": None, "f": {"g": 6}}
