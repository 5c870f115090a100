"""A graph on one row, always in the same memory, answers what it answers otherwise."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from coach_model.budget.coach import CONTRACT as BUDGET
from coach_model.budget.context import FEATURES, Contexts
from coach_model.onnx_policy import load_policy
from tests.support import artifacts

POLICY = load_policy(artifacts.PACKAGED, BUDGET)
ANY_ROW = arrays(np.float32, (1, len(FEATURES)), elements=st.floats(width=32))
"""NaN and infinities among them."""


def usual(contexts: Contexts) -> list[bytes]:
    """What onnxruntime answers into new memory, as bytes: NaN is not equal to NaN."""
    return [answer.tobytes() for answer in POLICY.session.run(POLICY.output_names, {"context": contexts})]


@settings(deadline=None)
@given(ANY_ROW)
def test_the_same_answer_comes_out(context: Contexts) -> None:
    answers = POLICY.one_row({"context": context})
    assert [answer.tobytes() for answer in answers] == usual(context)
    assert {answer.shape[0] for answer in answers} == {1}


def test_a_later_call_does_not_change_an_earlier_answer() -> None:
    first, second = np.zeros((1, len(FEATURES)), np.float32), np.ones((1, len(FEATURES)), np.float32)
    answers = POLICY.one_row({"context": first})
    POLICY.one_row({"context": second})
    assert [answer.tobytes() for answer in answers] == usual(first) != usual(second)


def test_threads_do_not_mix_their_rows() -> None:
    rows = np.random.default_rng(3).random((40, len(FEATURES)), np.float32)
    expected = [usual(row[None]) for row in rows]

    def ask(place: int) -> bool:
        return [answer.tobytes() for answer in POLICY.one_row({"context": rows[place][None]})] == expected[place]

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, [place % len(rows) for place in range(4_000)]))


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        *(((rows, columns), "float32") for rows, columns in ((2, 10), (1, 9), (0, 10), (1, 1))),
        ((10,), "float32"),
        ((1, 10), "float64"),
        ((1, 10), "int64"),
    ],
)
def test_another_shape_or_type_is_refused(shape: tuple[int, ...], dtype: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        POLICY.one_row({"context": np.zeros(shape, dtype)})
