"""Synthetic households with a known truth, for training and evaluating the daily coach. All of them are simulated.

Each household follows the real guides with one or two children and an adult. The probability that a family does a shown
activity depends on the household (how active it is), the participant, the areas that it likes, the duration, the
weekend, fatigue from an activity that is shown again and again, and a habit that grows with doing. The coach sees none
of these. It sees the features that `coach_model.daily.candidates` computes from the last four weeks.
`docs/simulator.md` gives the reasons.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np

from coach_model.daily.candidates import FEATURES, WINDOW_DAYS, Candidate, History, Showings, features
from coach_model.daily.rules import rules_order
from coach_model.daily.slate import Slate, best_slate, with_noise
from data.catalog.guides import Category, Frequency, Guide, guides

PERIODS = {Frequency.DAILY: 1, Frequency.WEEKLY: 7, Frequency.MONTHLY: 30, Frequency.QUARTERLY: 90}
FIRST_DAY = date(2026, 1, 5)
BASE = -0.9
"""Log-odds that an average family does an average activity, a probability of about 0.3."""
SPREADS = {"household": 0.7, "participant": 0.4, "area": 0.7, "item": 0.5}
"""Standard deviations of the differences between families, participants, areas and items, in log-odds."""
PER_MINUTE, WEEKEND, WEEKEND_PER_MINUTE = -0.06, -0.1, 0.05
"""Log-odds per minute, for a weekend, and per minute at a weekend. Long activities are done less often, but the
difference is smaller at weekends."""
TIRED, HABIT = -0.12, 0.25
"""Log-odds for each consecutive showing that was not done, and for each time that it was done within four weeks."""
MOST_HABIT = 6

FOLDS = 3
"""One fold of this number is for evaluation, the others are for training."""
SKIPPED_GUIDE = 0.4
"""Probability that a child does not follow a guide; the first guide of a household is never skipped."""

type Order = Callable[[list[Candidate], History, date], list[int]]
"""A function that ranks a day's candidates: positions, best first."""


@dataclass(frozen=True)
class HouseholdConfig:
    """A simulation. The same seed gives the same households for every ranker."""

    households: int = 200
    days: int = 84
    epsilon: float = 0.2
    seed: int = 2026


@dataclass
class _Todo:
    number: int
    participant: int
    area: str
    frequency: Frequency
    minutes: int
    taste: float
    stage: float
    is_adult: bool
    last_done: date | None = None
    shown: list[date] = field(default_factory=list)
    done: list[date] = field(default_factory=list)
    in_vain: int = 0


@dataclass(frozen=True)
class Shown:
    """A day of a household: its candidates with their true relevance, the slate, and the completed activities."""

    household: int
    day: int
    slots: int
    candidates: list[Candidate]
    history: History
    today: date
    relevance: list[float]
    slate: Slate
    done: dict[int, bool]  # position of a shown candidate to whether it was done


def rules_rank(candidates: list[Candidate], _: History, __: date) -> list[int]:
    """Rank by the rules."""
    return rules_order(candidates)


def simulate(config: HouseholdConfig, rank: Order = rules_rank) -> Iterator[Shown]:
    """The days of all households, ranked by `rank` and explored with the config's ε."""
    library = guides()
    for household in range(config.households):
        yield from _household(config, household, rank, library)


def rows_of(shown: Shown) -> Iterator[dict[str, Any]]:
    """The rows of a day in the daily log."""
    seen = features(shown.candidates, shown.history, shown.today)
    for place, candidate in enumerate(shown.candidates):
        yield {
            "household": f"h{shown.household:04d}",
            "fold": shown.household % FOLDS,
            "day": shown.day,
            "participant": candidate.participant,
            "area": candidate.area,
            "slots": shown.slots,
            "chosen": place in shown.done,
            "obligatory": place in shown.slate.obligatory,
            "propensity": shown.slate.inclusion[place],
            "done": shown.done.get(place),
            "relevance": shown.relevance[place],
        } | dict(zip(FEATURES, seen[place].tolist(), strict=True))


def about(config: HouseholdConfig) -> dict[str, Any]:
    """The `about` of a log of these households: the configuration and the true parameters."""
    return {
        "households": config.households,
        "days": config.days,
        "epsilon": config.epsilon,
        "seed": config.seed,
        "truth": {
            "base_log_odds": BASE,
            "spreads": SPREADS,
            "per_minute": PER_MINUTE,
            "weekend": WEEKEND,
            "weekend_per_minute": WEEKEND_PER_MINUTE,
            "tired": TIRED,
            "habit": HABIT,
        },
    }


def _household(config: HouseholdConfig, household: int, rank: Order, library: tuple[Guide, ...]) -> Iterator[Shown]:
    household_rng = np.random.default_rng([config.seed, household, 0])
    base = BASE + household_rng.normal(0, SPREADS["household"])
    slots = int(household_rng.integers(4, 10))
    todos = list(_todos(household_rng, library))
    for number in range(config.days):
        today = FIRST_DAY + timedelta(days=number)
        due = [todo for todo in todos if _due(todo, today)]
        if not due:
            continue
        candidates = [_candidate(todo, today) for todo in due]
        relevance = [_relevance(todo, base, today) for todo in due]
        history = _history(todos, today)
        seed = f"{config.seed}/{household}/{number}"
        slate = best_slate(candidates, rank(candidates, history, today), slots)
        if config.epsilon:
            slate = with_noise(slate, candidates, slots, seed, config.epsilon)
        # Every ranker gets the same random number for a todo and day, so two rankers differ only by what they show.
        luck = np.random.default_rng([config.seed, household, 1, number]).random(len(todos))
        done = {place: bool(luck[due[place].number] < relevance[place]) for place in slate.chosen}
        yield Shown(household, number, slots, candidates, history, today, relevance, slate, done)
        for place, was_done in done.items():
            _remember(due[place], today, was_done=was_done)


def _todos(household_rng: np.random.Generator, library: tuple[Guide, ...]) -> Iterator[_Todo]:
    """The todos of a household with one or two children and an adult."""
    ages = [int(household_rng.integers(0, 72)) for _ in range(int(household_rng.integers(1, 3)))]
    participants = [*ages, None]
    likes: defaultdict[str, float] = defaultdict(lambda: float(household_rng.normal(0, SPREADS["area"])))
    number = 0
    for participant, age in enumerate(participants):
        person = float(household_rng.normal(0, SPREADS["participant"]))
        for guide in library:
            if guide.for_adults != (age is None) or (
                age is not None and household_rng.random() < SKIPPED_GUIDE and number
            ):
                continue
            for stage in guide.stages:
                start, end = stage.age_start_months, stage.age_end_months
                if age is not None and not (start is not None and end is not None and start <= age < end):
                    continue
                progress = 0.5 if age is None or start is None or end is None else (age - start) / (end - start)
                for item in stage.item:
                    if item.category is not Category.ACTIVITY:
                        continue
                    taste = person + likes[item.area] + float(household_rng.normal(0, SPREADS["item"]))
                    facts = (number, participant, item.area, item.frequency, item.minutes, taste, progress)
                    yield _Todo(*facts, is_adult=age is None)
                    number += 1


def _due(todo: _Todo, today: date) -> bool:
    if todo.last_done is None:
        return True
    period = PERIODS.get(todo.frequency)
    return period is not None and (today - todo.last_done).days >= period


def _relevance(todo: _Todo, base: float, today: date) -> float:
    weekend = today.weekday() >= 5  # noqa: PLR2004 - Saturday
    habit = min(len([day for day in todo.done if (today - day).days <= WINDOW_DAYS]), MOST_HABIT)
    odds = base + todo.taste + PER_MINUTE * todo.minutes + TIRED * min(todo.in_vain, MOST_HABIT) + HABIT * habit
    odds += weekend * (WEEKEND + WEEKEND_PER_MINUTE * todo.minutes)
    return float(1 / (1 + np.exp(-odds)))


def _candidate(todo: _Todo, today: date) -> Candidate:
    period = PERIODS.get(todo.frequency, PERIODS[Frequency.MONTHLY])
    since = (today - todo.last_done).days / period if todo.last_done else 1 + (today - FIRST_DAY).days / period
    showings = _showings(todo, today)
    recent = [day for day in todo.shown if (today - day).days <= WINDOW_DAYS]
    return Candidate(
        todo_id=todo.number,
        participant=todo.participant,
        area=todo.area,
        frequency=todo.frequency,
        minutes=todo.minutes,
        overdue=since,
        never_done=todo.last_done is None,
        showings=showings,
        unseen_days=(today - recent[-1]).days if recent else None,
        snoozes=0,
        stage_progress=todo.stage,
        is_adult=todo.is_adult,
    )


def _showings(todo: _Todo, today: date) -> Showings:
    within = [day for day in todo.shown if (today - day).days <= WINDOW_DAYS]
    return Showings(len(within), len([day for day in todo.done if (today - day).days <= WINDOW_DAYS]))


def _history(todos: list[_Todo], today: date) -> History:
    def total(some: list[_Todo]) -> Showings:
        counts = [_showings(todo, today) for todo in some]
        return Showings(sum(one.shown for one in counts), sum(one.done for one in counts))

    people = {todo.participant for todo in todos}
    areas = {todo.area for todo in todos}
    return History(
        total(todos),
        {person: total([todo for todo in todos if todo.participant == person]) for person in sorted(people)},
        {area: total([todo for todo in todos if todo.area == area]) for area in sorted(areas)},
    )


def _remember(todo: _Todo, today: date, *, was_done: bool) -> None:
    todo.shown.append(today)
    if was_done:
        todo.done.append(today)
        todo.last_done = today
    todo.in_vain = 0 if was_done else todo.in_vain + 1
