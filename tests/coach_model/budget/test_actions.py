import numpy as np
from hypothesis import given

from coach_model.budget.actions import eligible_levels, eligible_levels_of, essential_shares, previous_levels
from coach_model.budget.context import COLUMN, Contexts
from tests.support.contexts import contexts, random_contexts


def context(**values: float) -> Contexts:
    row = np.full((1, 10), 0.5, dtype=np.float32)
    row[0, COLUMN["needs_share"]] = 0.3
    row[0, COLUMN["unexpected_share"]] = 0.05
    for name, value in values.items():
        row[0, COLUMN[name]] = value
    return row


def levels_of(row: Contexts, lever: int) -> list[int]:
    return np.flatnonzero(eligible_levels(row)[0, lever]).tolist()


def test_a_previous_level_is_snapped_to_the_nearest_and_a_tie_goes_up() -> None:
    values = [0.0, 0.1249, 0.125, 0.25, 0.3749, 0.375, 0.5, 0.625, 0.8749, 0.875, 1.0]
    rows = np.concatenate([context(prev_w_adj=value) for value in values])
    assert previous_levels(rows)[:, 0].tolist() == [0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 4]


def test_a_lever_moves_by_at_most_one_step() -> None:
    assert levels_of(context(prev_w_adj=0.0), 0) == [0, 1]
    assert levels_of(context(prev_w_adj=0.5), 0) == [1, 2, 3]
    assert levels_of(context(prev_w_adj=1.0), 0) == [3, 4]


def test_a_nearly_used_budget_loosens_neither_wants_nor_culture_and_leaves_savings_alone() -> None:
    tight = context(budget_used_ratio=0.9, prev_w_adj=0.5, prev_c_adj=0.75, prev_s_adj=0.5)
    assert [levels_of(tight, lever) for lever in range(3)] == [[1, 2], [2], [1, 2, 3]]
    assert levels_of(context(budget_used_ratio=0.9, prev_w_adj=1.0), 0) == [3]
    just_below = float(np.nextafter(np.float32(0.9), np.float32(0)))
    assert levels_of(context(budget_used_ratio=just_below, prev_w_adj=0.5), 0) == [1, 2, 3]


def test_heavy_essentials_do_not_raise_savings_and_leave_the_others_alone() -> None:
    heavy = context(needs_share=0.75, unexpected_share=0.125, prev_s_adj=0.5)
    assert [levels_of(heavy, lever) for lever in range(3)] == [[1, 2, 3], [1, 2, 3], [1, 2]]


@given(contexts())
def test_some_level_is_always_eligible_and_the_eligible_ones_have_no_gap(row: Contexts) -> None:
    for mask in eligible_levels(row)[0]:
        found = np.flatnonzero(mask)
        assert len(found)
        assert (np.diff(found) == 1).all()


def test_one_context_and_many_have_the_same_eligible_levels() -> None:
    rows = random_contexts(50_000, seed=11)
    many = eligible_levels(rows).tolist()
    single = [
        list(eligible_levels_of(row, e)) for row, e in zip(rows.tolist(), essential_shares(rows).tolist(), strict=True)
    ]
    assert single == many
