"""A synthetic study: simulates people through its phases and logs what a real study would log."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from coach_model.budget.actions import LEVELS, LEVERS, Levels, eligible_levels
from coach_model.budget.context import COLUMN, Contexts
from coach_model.budget.rules import RULES_VERSION, rules_levels
from coach_model.budget.study import CONFIRM_EPSILON, EXPLORE_EPSILON, Drawn, Phase, confirm, explore
from coach_model.exploration import decision_seed
from data.synthetic.people import Array, People, concatenate, draw_people, take
from data.synthetic.tables import Columns, concatenated, decision_columns, outcome_columns, participant_columns
from data.synthetic.world import State, contexts_of, draw_noise, first_state, live_a_week

SIMULATOR_VERSION = "budget-world/1"
"""Changes with every change of a constant, so that the truth of a dataset can be recomputed from its metadata."""

WARM_UP_WEEKS = 4
"""Weeks before the study with all levers on hold, so that shares and budgets reach usual values."""
OPENING_LOGIT = 2.6
"""Logit of opening the app in a week, after an average week."""
BAD_WEEK_LOGIT = 2.0
"""Change of the logits of opening and uploading for each unit of reward above or below `AVERAGE_REWARD`."""
AVERAGE_REWARD = 0.6
UPLOADING_LOGIT = 3.0
"""Logit of uploading a weekly summary, after an average week."""
DROP_OUT = 0.02
"""Weekly probability of leaving the study permanently."""
DROP_OUT_BY_FATIGUE = 0.03
"""Increase of that probability for each unit of fatigue."""
LEARN_SHARE = 2 / 3
"""Share of participants in the training split; the others are in the evaluation split."""


@dataclass(frozen=True)
class StudyConfig:
    """The parameters of a synthetic study, except the policies that act in it."""

    participants: int = 300
    explore_weeks: int = 16
    confirm_weeks: int = 0
    explore_epsilon: float = EXPLORE_EPSILON
    confirm_epsilon: float = CONFIRM_EPSILON
    effect: float = 1.0
    """Scales the effects of the levers: with 0 the levers have no effect."""
    bad_weeks: float = 1.0
    """Scales how much more often outcomes are missing after bad weeks: with 0 they are missing at random."""
    start: str = "2026-01-05"
    """A Monday."""
    seed: int = 2026


@dataclass(frozen=True)
class Rounds:
    """The decision points with the hidden people and states, one row for each decision. The truth is computed from
    them."""

    people: People
    state: State
    date: Array  # (n,) datetime64[D]

    def __len__(self) -> int:
        return len(self.date)

    def contexts(self) -> Contexts:
        return contexts_of(self.people, self.state)


@dataclass(frozen=True)
class Decisions:
    """The coach's decisions at the decision points of one week, and those of rules and candidate."""

    drawn: Drawn
    rules: Levels  # (n, 3) what the rules would take
    candidate: Levels | None  # (n, 3) what the candidate would take, in the confirm phase


@dataclass(frozen=True)
class Study:
    """The logged columns by table (see `data.schema`), and the rounds of the decisions in the same order."""

    config: StudyConfig
    tables: dict[str, Columns]
    rounds: Rounds


type LevelPolicy = Callable[[Contexts], Levels]
"""The deployed policy, with the fallback to the rules, as a function: contexts (n, 10) to levels (n, 3)."""


def simulate(config: StudyConfig, candidate: LevelPolicy | None = None, candidate_id: str = "candidate") -> Study:
    """Simulate the explore weeks, then the confirm weeks.

    The explore phase mixes each lever of the rules with uniform noise. The confirm phase flips a fair coin between
    rules and the frozen `candidate`, each with a little noise. Raises ValueError for confirm weeks without a candidate.
    """
    if config.confirm_weeks and candidate is None:
        raise ValueError("a confirm phase needs a candidate")
    rng = np.random.default_rng(config.seed)
    people = draw_people(config.participants, rng)
    participant_ids = np.array([f"syn-{config.seed}-{number:05d}" for number in range(config.participants)])
    participants = participant_columns(people, participant_ids, rng.random(len(people)) < LEARN_SHARE, config.start)
    decisions: list[Columns] = []
    outcomes: list[Columns] = []
    rounds: list[Rounds] = []
    state = first_state(people, rng)
    in_study = np.ones(len(people), dtype=bool)
    opens = in_study

    for week in range(-WARM_UP_WEEKS, config.explore_weeks + config.confirm_weeks):
        date = np.datetime64(config.start, "D") + (7 * week + people.weekday).astype("timedelta64[D]")
        levels = state.levels
        acting = np.flatnonzero(opens & in_study) if week >= 0 else np.array([], dtype=np.int64)
        now = Rounds(take(people, acting), take(state, acting), date[acting])
        if week >= 0:
            phase = Phase.EXPLORE if week < config.explore_weeks else Phase.CONFIRM
            ids = [f"{participant_ids[i]}-w{week:03d}" for i in acting]
            contexts = now.contexts()
            decided = _decide(config, phase, contexts, ids, candidate)
            levels = levels.copy()
            levels[acting] = decided.drawn.levels
            epsilon = config.explore_epsilon if phase == Phase.EXPLORE else config.confirm_epsilon
            decisions.append(
                {
                    **decision_columns(ids, participant_ids[acting], date[acting], contexts, eligible_levels(contexts)),
                    **_study_columns(week, phase, epsilon, decided, candidate_id),
                }
            )
            rounds.append(now)
        lived, state = live_a_week(people, state, levels, date, draw_noise(len(people), rng), config.effect)
        better = np.nan_to_num(lived.reward.reward, nan=AVERAGE_REWARD) - AVERAGE_REWARD
        mood = config.bad_weeks * BAD_WEEK_LOGIT * better
        opens = rng.random(len(people)) < _logistic(OPENING_LOGIT + mood)
        uploads = rng.random(len(people)) < _logistic(UPLOADING_LOGIT + mood)
        if week >= 0:
            leaves = rng.random(len(people)) < DROP_OUT + DROP_OUT_BY_FATIGUE * state.fatigue
            in_study = in_study & ~leaves
            seen = (in_study[acting], opens[acting], uploads[acting])
            needs = contexts_of(take(people, acting), take(state, acting))[:, COLUMN["needs_share"]]
            outcomes.append(outcome_columns(ids, participant_ids[acting], take(lived, acting), needs, *seen))

    tables = {
        "participants": participants,
        "decisions": concatenated(decisions),
        "outcomes": concatenated(outcomes),
    }
    return Study(config, tables, concatenate(rounds))


def metadata(config: StudyConfig) -> dict[str, Any]:
    """The `about` of the package: its origin, with all parameters that are needed to simulate it again."""
    return {
        "description": "A synthetic study of people who budget by kakeibo, with a known truth. "
        "The people are invented.",
        "licence": "MIT",
        "created_at": f"{config.start}T00:00:00Z",
        "synthetic": True,
        "simulator": SIMULATOR_VERSION,
        "config": asdict(config),
    }


def _decide(
    config: StudyConfig, phase: str, contexts: Contexts, ids: list[str], candidate: LevelPolicy | None
) -> Decisions:
    eligible, seeds, rules = eligible_levels(contexts), [decision_seed(one) for one in ids], rules_levels(contexts)
    if phase == Phase.EXPLORE or candidate is None:
        return Decisions(explore(seeds, rules, eligible, config.explore_epsilon), rules, None)
    by_candidate = candidate(contexts)
    return Decisions(confirm(seeds, rules, by_candidate, eligible, config.confirm_epsilon), rules, by_candidate)


def _study_columns(week: int, phase: str, epsilon: float, decided: Decisions, candidate_id: str) -> Columns:
    drawn = decided.drawn
    count = len(drawn.levels)
    columns: Columns = {
        "study_week": np.full(count, week),
        "phase": np.full(count, str(phase)),
        "component": np.where(drawn.from_candidate, "candidate", "rules"),
        "policy_id": np.where(drawn.from_candidate, candidate_id, RULES_VERSION),
        "candidate_id": np.full(count, candidate_id if phase == Phase.CONFIRM else None),
        "epsilon": np.full(count, epsilon),
        "propensity": drawn.propensity,
    }
    for lever, name in enumerate(LEVERS):
        columns[f"level_{name}"] = drawn.levels[:, lever]
        columns[f"rules_{name}"] = decided.rules[:, lever]
        no_candidate = np.full(count, None)
        columns[f"candidate_{name}"] = (
            no_candidate if decided.candidate is None else decided.candidate[:, lever].astype(object)
        )
        for level in range(len(LEVELS)):
            columns[f"prob_{name}_{level}"] = drawn.distributions[:, lever, level]
    return columns


def _logistic(logit: Array) -> Array:
    return 1 / (1 + np.exp(-logit))
