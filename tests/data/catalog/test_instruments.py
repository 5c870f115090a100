"""Instruments score as published."""

from collections.abc import Mapping
from typing import Any

import pytest

from data.catalog.instruments import Instrument, instruments, score
from data.schema.missing import Missing


def answers(instrument: Instrument, values: list[int], **more: int) -> dict[str, Any]:
    items = [item.id for item in instrument.items if item.id.startswith("q")]
    return dict(zip(items, values, strict=True)) | more


@pytest.mark.parametrize(
    ("values", "age_group", "administration", "expected"),
    [
        # consumerfinance.gov's own tests of its calculator: 62 and older, self-administered
        ([4, 3, 2, 1, 4, 3, 2, 3, 0, 1], 2, 1, 57),
        # the browser tests of the same calculator
        ([4] * 10, 1, 1, 86),
        ([0] * 10, 1, 2, 16),
        ([3] * 10, 2, 1, 67),
        ([2] * 10, 1, 1, 50),
    ],
)
def test_the_cfpb_scale_scores_its_published_examples(
    values: list[int], age_group: int, administration: int, expected: float
) -> None:
    scale = instruments()["cfpb_financial_well_being_10"]
    given = answers(scale, values, age_group=age_group, administration=administration)
    assert score(scale, given) == expected


def test_the_cfpb_scale_needs_every_answer_and_the_age_group() -> None:
    scale = instruments()["cfpb_financial_well_being_5"]
    whole = answers(scale, [2] * 5, age_group=1, administration=1)
    assert score(scale, whole) == 50
    assert score(scale, whole | {"q3": None}) is Missing.SKIPPED
    assert score(scale, {name: value for name, value in whole.items() if name != "age_group"}) is Missing.NOT_ASKED


@pytest.mark.parametrize("key", ["cfpb_financial_well_being_10", "cfpb_financial_well_being_5"])
def test_the_published_tables_are_whole_and_rise(key: str) -> None:
    scale = instruments()[key]
    assert scale.scoring is not None
    highest = 4 * len(scale.scoring["items"])
    tables: Mapping[str, list[int]] = scale.scoring["tables"]
    assert set(tables) == {"1.1", "1.2", "2.1", "2.2"}
    for table in tables.values():
        assert len(table) == highest + 1
        assert table == sorted(set(table))
        assert table[0] >= 0
        assert table[-1] <= 100


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # Tullis & Albert, Measuring the User Experience: contributions 4 1 1 4 1 2 1 1 4 3 add up to 22
        ([5, 4, 2, 1, 2, 3, 2, 4, 5, 2], 55),
        ([5, 1] * 5, 100),
        ([1, 5] * 5, 0),
        ([3] * 10, 50),
    ],
)
def test_the_sus_scores_as_published(values: list[int], expected: float) -> None:
    scale = instruments()["system_usability_scale"]
    assert score(scale, answers(scale, values)) == expected


def test_a_quiz_counts_right_answers_and_skipped_ones_as_not_right() -> None:
    quiz = instruments()["kakeibo_knowledge"]
    assert quiz.scoring is not None
    right = dict(quiz.scoring["right"])
    assert score(quiz, right) == 1
    assert score(quiz, right | {"q1": None}) == pytest.approx(1 - 1 / len(right), abs=1e-4)
    assert score(quiz, {"q1": right["q1"]}) is Missing.NOT_ASKED


def test_an_instrument_without_scoring_has_no_score() -> None:
    assert score(instruments()["background"], {}) is None


def test_every_choice_has_options_and_every_number_its_bounds() -> None:
    for instrument in instruments().values():
        names = [item.id for item in instrument.items]
        assert len(set(names)) == len(names)
        for item in instrument.items:
            assert bool(item.options) == (item.type == "choice")
            assert (item.minimum is not None and item.maximum is not None) == (item.type == "number")
            assert (item.maximum_length is not None) == (item.type == "text")
