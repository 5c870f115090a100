"""Quasi-identifiers of small groups are suppressed."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.disclosure import SMALLEST_CELL, Cell, TooSmall, disclosure
from data.schema.missing import Missing

cells = st.builds(
    Cell,
    st.sampled_from(["a", "b"]),
    st.sampled_from([None, 1, 2]),
    st.sampled_from([None, "student", "retired"]),
    st.sampled_from(["2026-01", "2026-02"]),
)
counts = st.dictionaries(cells, st.integers(1, 12), max_size=20)


@given(counts)
def test_every_group_that_shows_a_value_is_large_enough(counted: dict[Cell, int]) -> None:
    shown = disclosure(counted, {})
    groups = Counter[tuple[Any, ...]]()
    for cell, count in counted.items():
        groups[cell.study_version, *shown.shown(cell)] += count
    for group, size in groups.items():
        if not all(part is Missing.SUPPRESSED for part in group[1:]):
            assert size >= SMALLEST_CELL


@given(counts)
def test_large_cells_are_left_alone_and_strict_refuses_the_others(counted: dict[Cell, int]) -> None:
    shown = disclosure(counted, {})
    large = {cell for cell, count in counted.items() if count >= SMALLEST_CELL}
    assert all(Missing.SUPPRESSED not in shown.shown(cell) for cell in large)
    if large == set(counted):
        disclosure(counted, {}, strict=True)
    else:
        with pytest.raises(TooSmall):
            disclosure(counted, {}, strict=True)


def test_the_month_is_suppressed_first_then_the_profile_then_the_range() -> None:
    def cell(income: int, profile: str, month: str) -> Cell:
        return Cell("s", income, profile, f"2026-{month}")

    shown = disclosure(
        {
            cell(1, "student", "01"): 3,
            cell(1, "student", "02"): 3,
            cell(2, "student", "01"): 3,
            cell(2, "retired", "01"): 3,
            cell(3, "other", "01"): 1,
        },
        {},
    )
    assert shown.shown(cell(1, "student", "01")) == (1, "student", Missing.SUPPRESSED)
    assert shown.shown(cell(2, "retired", "01")) == (2, Missing.SUPPRESSED, Missing.SUPPRESSED)
    assert shown.shown(cell(3, "other", "01")) == (Missing.SUPPRESSED,) * 3
    report = shown.report()
    assert (report["start_month_suppressed"], report["user_profile_suppressed"]) == (13, 7)
    assert (report["income_range_id_suppressed"], report["k_after"]) == (1, 6)


def test_a_rare_time_zone_is_suppressed_and_an_unknown_one_says_so() -> None:
    shown = disclosure({}, {("s", "Asia/Manila"): 5, ("s", "Pacific/Chatham"): 1})
    assert shown.zone("s", "Asia/Manila") == "Asia/Manila"
    assert shown.zone("s", "Pacific/Chatham") is Missing.SUPPRESSED
    assert shown.zone("s", None) is Missing.NOT_UPLOADED
