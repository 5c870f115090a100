"""The estimators on the small Open Bandit Dataset, compared with the values of the Open Bandit Pipeline.

`reference.json` states how the values were made. Data, target policy and q̂ are stored in `small.npz`.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.logs.bandit import LoggedBanditData, bandit_rounds
from training.ope.estimators import ESTIMATORS

OBD = Path(__file__).with_name("obd")
REFERENCE: dict[str, Any] = json.loads((OBD / "reference.json").read_text(encoding="utf-8"))
OPTIONS = {
    "switch_dr": {"threshold": REFERENCE["switch_threshold"]},
    "dr_os": {"shrinkage": REFERENCE["shrinkage"]},
}


@pytest.fixture(scope="module")
def frozen() -> tuple[LoggedBanditData, np.ndarray, np.ndarray]:
    """The log of the random policy; the target's distributions and q̂ at each round's position."""
    stored = np.load(OBD / "small.npz")
    log = bandit_rounds(stored["action"], stored["pscore"], stored["reward"])
    return log, stored["target"].T[stored["position"]], stored["q_millionths"][stored["q_row"]] / 1e6


@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_estimator_agrees_with_the_open_bandit_pipeline(
    name: str, frozen: tuple[LoggedBanditData, np.ndarray, np.ndarray]
) -> None:
    log, target, q = frozen
    value = ESTIMATORS[name](log, target, q, **OPTIONS.get(name, {})).mean()
    assert value == pytest.approx(REFERENCE["values"][name], rel=1e-9)


def test_bernoulli_ts_beats_random_by_a_fifth_in_the_weighted_clicks(
    frozen: tuple[LoggedBanditData, np.ndarray, np.ndarray],
) -> None:
    log, target, _ = frozen
    ratio = ESTIMATORS["ipw"](log, target).mean() / log.reward.mean()
    assert ratio == pytest.approx(1.198, abs=5e-4)
    assert min(REFERENCE["redraws_of_the_target"]["ratios"]) >= 1.188
    assert max(REFERENCE["redraws_of_the_target"]["ratios"]) <= 1.208
