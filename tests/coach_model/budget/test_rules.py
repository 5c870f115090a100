import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coach_model.budget.actions import eligible_levels
from coach_model.budget.context import COLUMN, Contexts
from coach_model.budget.rules import CONDITIONS, ESSENTIALS, rules_because, rules_levels
from tests.support.contexts import contexts, random_contexts, shares

TIGHTER = [  # a higher value of the feature, all else equal, never loosens the lever
    (0, "wants_share"),
    (0, "budget_used_ratio"),
    (1, "culture_share"),
    (1, "budget_used_ratio"),
    (2, "needs_share"),
    (2, "unexpected_share"),
    (2, "budget_used_ratio"),
]


@given(contexts())
def test_rules_choose_an_eligible_level(row: Contexts) -> None:
    taken = np.take_along_axis(eligible_levels(row), rules_levels(row)[:, :, None], axis=2)
    assert taken.all()


@pytest.mark.parametrize(("lever", "feature"), TIGHTER)
@given(row=contexts(), other=shares)
def test_rules_are_monotone(lever: int, feature: str, row: Contexts, other: float) -> None:
    more = row.copy()
    more[0, COLUMN[feature]] = max(other, row[0, COLUMN[feature]])
    assert rules_levels(more)[0, lever] <= rules_levels(row)[0, lever]


@given(row=contexts(), other=shares, lever=st.integers(0, 2))
def test_rules_are_monotone_in_the_level_in_force(row: Contexts, other: float, lever: int) -> None:
    column = COLUMN["prev_w_adj"] + lever
    more = row.copy()
    more[0, column] = max(other, row[0, column])
    if eligible_levels(row)[0, lever].sum() == eligible_levels(more)[0, lever].sum():  # no guard between them
        assert rules_levels(more)[0, lever] >= rules_levels(row)[0, lever]


def test_the_matrices_agree_with_the_conditions() -> None:
    rows = random_contexts(20_000, seed=5)
    essentials = rows[:, COLUMN["needs_share"]] + rows[:, COLUMN["unexpected_share"]]
    requested = {"wants": np.full(len(rows), 2), "culture": np.full(len(rows), 2), "savings": np.full(len(rows), 2)}
    for condition in CONDITIONS:
        holds = np.ones(len(rows), dtype=bool)
        for quantity, value in condition.at_least.items():
            holds &= (essentials if quantity == ESSENTIALS else rows[:, COLUMN[quantity]]) >= np.float32(value)
        for quantity, value in condition.below.items():
            holds &= (essentials if quantity == ESSENTIALS else rows[:, COLUMN[quantity]]) < np.float32(value)
        requested[condition.lever] += condition.move * holds
    eligible = eligible_levels(rows)
    for lever, name in enumerate(requested):
        distance = np.abs(np.arange(5) - np.clip(requested[name], 0, 4)[:, None]) + 10 * ~eligible[:, lever]
        assert (rules_levels(rows)[:, lever] == distance.argmin(axis=1)).all()


def test_reasons_are_the_conditions_that_hold_and_the_level_that_limited_them() -> None:
    row = np.array([[0.95, 0.45, 0.41, 0.22, 0.05, 0.4, 0.5, 1.0, 0.5, 0.5]], dtype=np.float32)
    assert rules_levels(row).tolist() == [[1, 3, 2]]
    assert rules_because(row) == [
        [["budget_used_ratio", "wants_share", "prev_w_adj"], ["budget_used_ratio", "culture_share", "prev_c_adj"], []]
    ]
