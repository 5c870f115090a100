"""Logged bandit data: the context, action, propensity and reward of each round, one row for each round.

These are the arrays that estimators need. `data.logs.budget` makes them from a dataset package, `bandit_rounds` makes
them from any table.
"""

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt

type Column = npt.NDArray[np.float64]
type Index = npt.NDArray[np.int64]


class InvalidLog(ValueError):
    """The arrays contradict each other or have invalid values; the message says where."""


@dataclass(frozen=True)
class LoggedBanditData:
    """n logged rounds. The action space is joint, with `action` (n,), or factored into l levers, with `action` (n, l).

    `propensity` is the probability of the whole action also in a factored space: under a mixture of policies it is not
    the product over the levers.
    """

    context: npt.NDArray[np.float32]  # (n, d)
    action: Index  # (n,) or (n, l) index into the action order
    propensity: Column  # (n,) in (0, 1], of the action under the policy that acted
    reward: Column  # (n,) in [0, 1], or in the range of a table from elsewhere; NaN where it was not observed
    participant: Index  # (n,) the participant of the round; rounds of one participant are not independent

    def __len__(self) -> int:
        return len(self.reward)

    @property
    def observed(self) -> npt.NDArray[np.bool_]:
        """(n,): True where the reward was observed."""
        return ~np.isnan(self.reward)

    def where(self, rows: npt.NDArray[Any]) -> Self:
        """The rounds at `rows`, an index or a mask."""
        return type(self)(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def bandit_rounds(
    action: npt.ArrayLike,
    propensity: npt.ArrayLike,
    reward: npt.ArrayLike,
    *,
    context: npt.ArrayLike | None = None,
    participant: npt.ArrayLike | None = None,
) -> LoggedBanditData:
    """A log from elsewhere as arrays. Without `participant`, every round counts as a participant of its own.

    A reward of NaN was not observed. Raises InvalidLog when lengths differ, an action is not an index, a propensity is
    outside (0, 1], or a reward is infinite.
    """
    acted = np.asarray(action)
    count = len(acted)
    who = np.arange(count) if participant is None else np.unique(np.asarray(participant), return_inverse=True)[1]
    with np.errstate(invalid="ignore"):  # what is no index is named below
        index = acted.astype(np.int64)
    log = LoggedBanditData(
        context=np.zeros((count, 0), np.float32) if context is None else np.asarray(context, dtype=np.float32),
        action=index,
        propensity=np.asarray(propensity, dtype=np.float64),
        reward=np.asarray(reward, dtype=np.float64),
        participant=who.astype(np.int64),
    )
    for field in fields(log):
        if len(getattr(log, field.name)) != count:
            raise InvalidLog(f"{field.name} has {len(getattr(log, field.name))} rows, action has {count}")
    if not count:
        raise InvalidLog("there are no rounds")
    if not log.observed.any():
        raise InvalidLog("no reward was observed")
    problems = {
        "action is no index, 0 or more": (acted != log.action) | (log.action < 0),
        "propensity is outside of (0, 1]": ~((log.propensity > 0) & (log.propensity <= 1)),
        "reward is infinite": np.isinf(log.reward),
        "context is not finite": ~np.isfinite(log.context).all(axis=1),
    }
    for problem, rows in problems.items():
        if rows.any():
            row = int(np.argwhere(rows)[0, 0])
            raise InvalidLog(f"{problem} in {int(rows.sum())} rows, first in row {row + 1}")
    return log
