"""The simulated people of a synthetic study: incomes, habits, and responses to the levers.

`docs/simulator.md` justifies every constant below. The constants were fixed before any policy was trained.
"""

from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

type Array = npt.NDArray[Any]

CATEGORIES = ("needs", "wants", "culture", "unexpected")
INCOME_RANGES = 5
INCOME_RANGE_PROBABILITIES = (0.18, 0.24, 0.26, 0.20, 0.12)
USER_PROFILES = ("student", "employee", "self_employed", "family", "retired", "other")
USER_PROFILE_PROBABILITIES = (0.28, 0.38, 0.08, 0.14, 0.05, 0.07)

SPENDING_SHARES = np.array(  # shares of the total spending, by income range; columns as CATEGORIES
    [
        [0.62, 0.23, 0.08, 0.07],
        [0.58, 0.25, 0.10, 0.07],
        [0.54, 0.27, 0.12, 0.07],
        [0.51, 0.28, 0.14, 0.07],
        [0.48, 0.29, 0.16, 0.07],
    ]
)
SAVING_GOALS = np.array([0.05, 0.08, 0.10, 0.13, 0.16])
"""The goal as a share of the available money, by income range."""
SHARE_SPREAD = np.array([0.15, 0.25, 0.40, 0.30])
"""Between people: standard deviation of the logarithm of a category's share."""
OVERSPENDING_SPREAD = 0.13
"""Between people: standard deviation of the logarithm of spending over plan."""
LOGGING_LOGIT = (1.3, 0.8)
"""Between people: mean and standard deviation of the logit of logging a day's spending."""
ADHERENCE_SPREAD = 0.35
"""Between people: standard deviation of the logarithm of actual over planned saving."""
RESPONSIVENESS_SPREAD = 0.5
"""Between people: standard deviation of the logarithm of the response to a lever; the mean response is one."""
IDEAL_SPREAD = 0.25
"""Between people: standard deviation of the part of the ideal demand that the context does not show."""
RISK_NOISE = 0.10
"""Standard deviation of the questionnaire's error around a person's real attitude to risk."""


def take[T](arrays: T, rows: Array) -> T:
    """A dataclass of arrays (or of such dataclasses), indexed by `rows` on the first axis."""
    values = {f.name: getattr(arrays, f.name) for f in fields(arrays)}  # type: ignore[arg-type]
    chosen = {name: take(value, rows) if is_dataclass(value) else value[rows] for name, value in values.items()}
    return type(arrays)(**chosen)


def concatenate[T](parts: list[T]) -> T:
    """Several dataclasses of arrays (or of such dataclasses), concatenated on the first axis."""
    values = {f.name: [getattr(part, f.name) for part in parts] for f in fields(parts[0])}  # type: ignore[arg-type]
    joined = {
        name: concatenate(value) if is_dataclass(value[0]) else np.concatenate(value) for name, value in values.items()
    }
    return type(parts[0])(**joined)


@dataclass(frozen=True)
class People:
    """Traits, one row for each person. Shares are shares of the money available in a cycle."""

    income_range: Array  # (n,) 0 to 4
    user_profile: Array  # (n,) index into USER_PROFILES
    cycle_start_day: Array  # (n,) 1 to 28
    weekday: Array  # (n,) 0 to 6, the day of the request to the coach
    shares: Array  # (n, 4) habitual spending by category; the four and `goal` add up to about one
    goal: Array  # (n,) saving goal
    adherence: Array  # (n,) actual over planned saving
    logging: Array  # (n,) logit of logging a day's spending
    risk: Array  # (n,) attitude to risk in [0, 1]
    risk_profile: Array  # (n,) `risk` as measured by the questionnaire
    responsiveness: Array  # (n, 3) by lever, mean one
    ideal_offset: Array  # (n, 3) by lever, the part of the ideal demand that the context does not show

    def __len__(self) -> int:
        return len(self.goal)


def draw_people(count: int, rng: np.random.Generator) -> People:
    """`count` people, drawn independently."""
    income_range = rng.choice(INCOME_RANGES, count, p=INCOME_RANGE_PROBABILITIES)
    goal = np.clip(SAVING_GOALS[income_range] * np.exp(rng.normal(0, 0.3, count)), 0.02, 0.35)
    shares = SPENDING_SHARES[income_range] * np.exp(rng.normal(0, SHARE_SPREAD, (count, 4)))
    shares *= ((1 - goal) / shares.sum(axis=1))[:, None]
    shares *= np.exp(rng.normal(0, OVERSPENDING_SPREAD, count))[:, None]
    risk = rng.beta(2, 2, count)
    spread = RESPONSIVENESS_SPREAD
    return People(
        income_range=income_range,
        user_profile=rng.choice(len(USER_PROFILES), count, p=USER_PROFILE_PROBABILITIES),
        cycle_start_day=rng.integers(1, 29, count),
        weekday=rng.integers(0, 7, count),
        shares=shares,
        goal=goal,
        adherence=np.exp(rng.normal(-0.05, ADHERENCE_SPREAD, count)),
        logging=rng.normal(*LOGGING_LOGIT, count),
        risk=risk,
        risk_profile=np.clip(risk + rng.normal(0, RISK_NOISE, count), 0, 1),
        responsiveness=np.exp(rng.normal(-(spread**2) / 2, spread, (count, 3))),
        ideal_offset=rng.normal(0, IDEAL_SPREAD, (count, 3)),
    )
