"""Chooses a household's day once, however many requests arrive at the same time."""

import secrets
from dataclasses import dataclass
from datetime import date
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from api.kinderbud.auth import Caller
from api.kinderbud.guides.actions import age_of, move_on
from api.kinderbud.households.queries import locked
from api.kinderbud.today import queries
from api.kinderbud.today.queries import Window
from api.kinderbud.today.rules import daily_note
from api.kinderbud.todos.queries import Seen, current_todos
from api.kinderbud.todos.rules import is_due, is_snoozed, overdue
from api.models import DaySelection
from api.observability.metrics import Metrics
from coach_model.daily.candidates import Candidate, History, Showings
from coach_model.daily.coach import CONTRACT, Day, decide_day
from coach_model.daily.slate import EPSILON, with_noise
from coach_model.onnx_policy import OnnxPolicy
from coach_model.policy import FallbackReason
from data.catalog.guides import Category

LLM = "llm"
CUSTOM_POSITION = 1000
"""The family's own todos come after the chosen ones."""

log = structlog.get_logger("api.kinderbud")


@dataclass(frozen=True)
class Offer:
    """The candidates, and the choice of the policy or the rules."""

    eligible: list[Seen]
    candidates: list[Candidate]
    day: Day


@dataclass(frozen=True)
class Prepared:
    """A prepared day. Without a selection there are no candidates, or the day is not chosen yet."""

    selection: DaySelection | None
    fresh: bool = False
    offer: Offer | None = None


@dataclass(frozen=True)
class Curated:
    """Claude's choice: indexes of candidates in display order, and a note about the day."""

    places: tuple[int, ...]
    note: str
    prompt_version: str
    input_tokens: int
    output_tokens: int


async def prepare_day(
    session: AsyncSession, caller: Caller, policy: OnnxPolicy | FallbackReason, metrics: Metrics
) -> Prepared:
    """Choose the day unless it is chosen. An empty choice is not stored: the next request chooses again."""
    prepared = await offer_day(session, caller, policy)
    return prepared if prepared.offer is None else await fix_day(session, caller, prepared.offer, metrics)


async def offer_day(session: AsyncSession, caller: Caller, policy: OnnxPolicy | FallbackReason) -> Prepared:
    """Create the todos of new stages, add the family's own todos that are due, and return the candidates of a day that
    is not chosen yet. The household is locked until the end of the transaction.
    """
    household, today = caller.household, caller.today
    await locked(session, household.id)
    stages = await move_on(session, household.id, today)
    todos = await current_todos(session, household.id, stages, today)
    acted = await queries.acted_on(session, household.id, today)
    own = [seen.todo.id for seen in todos if is_own_of_today(seen, acted, today)]
    await queries.add_items(session, household.id, today, own, CUSTOM_POSITION)
    selection = await queries.selection_of(session, household.id, today)
    if selection is not None:
        return Prepared(selection)
    # In the order of their ids, which breaks ties: a reader of the log breaks them the same way.
    eligible = sorted((seen for seen in todos if is_eligible(seen, today)), key=lambda seen: seen.todo.id)
    if not eligible:
        return Prepared(None)
    window = await queries.window(session, household.id, today)
    candidates = [candidate_of(seen, window, today) for seen in eligible]
    history = history_of(window)
    day = decide_day(policy, candidates, history, today, household.daily_task_count)
    return Prepared(None, offer=Offer(eligible, candidates, day))


def is_eligible(seen: Seen, today: date) -> bool:
    """Whether the coach may choose a todo: an activity of a guide that is due and not snoozed."""
    return (
        seen.item is not None
        and seen.category is Category.ACTIVITY
        and not seen.rests
        and not seen.todo.dismissed
        and not is_snoozed(seen.todo.snoozed_until, today)
        and is_due(seen.frequency, seen.todo.last_completed_on, today)
    )


def is_own_of_today(seen: Seen, acted: set[int], today: date) -> bool:
    """Whether a todo of the family's own belongs to the day: it is due, or has an action today."""
    if seen.item is not None or seen.rests:
        return False
    if seen.todo.id in acted:
        return True
    waits = seen.todo.dismissed or is_snoozed(seen.todo.snoozed_until, today)
    return not waits and is_due(seen.frequency, seen.todo.last_completed_on, today)


def candidate_of(seen: Seen, window: Window, today: date) -> Candidate:
    """An eligible todo as a candidate of the coach."""
    if seen.item is None or seen.stage is None:
        raise ValueError("the family's own todos are no candidates")
    days = window.shown.get(seen.todo.id, [])
    return Candidate(
        todo_id=seen.todo.id,
        participant=seen.participant.id,
        area=seen.item.area,
        frequency=seen.frequency,
        minutes=seen.item.minutes,
        overdue=overdue(seen.frequency, seen.todo.last_completed_on, seen.todo.created_on, today),
        never_done=seen.todo.last_completed_on is None,
        showings=Showings(len(days), window.done[seen.todo.id]),
        unseen_days=(today - max(days)).days if days else None,
        snoozes=window.snoozes[seen.todo.id],
        stage_progress=_progress(seen, today),
        is_adult=seen.participant.is_adult,
    )


def history_of(window: Window) -> History:
    """What was shown and done in the window: in total, by participant and by area, without the family's own todos."""
    participants: dict[int, Showings] = {}
    areas: dict[str, Showings] = {}
    whole = Showings()
    for todo_id, (participant, area) in window.about.items():
        count = Showings(len(window.shown[todo_id]), window.done[todo_id])
        whole = _sum(whole, count)
        participants[participant] = _sum(participants.get(participant, Showings()), count)
        areas[area] = _sum(areas.get(area, Showings()), count)
    return History(whole, participants, areas)


async def fix_day(
    session: AsyncSession, caller: Caller, offer: Offer, metrics: Metrics, curated: Curated | None = None
) -> Prepared:
    """Store the choice of a day: Claude's if there is one, else that of the policy or the rules, with exploration for
    households that take part in learning.
    """
    household, candidates, day = caller.household, offer.candidates, offer.day
    source = LLM if curated else day.source
    metrics.count_decision(CONTRACT.coach, source, None if curated else day.fallback_reason)
    if day.problem is not None:
        log.error("the daily policy failed, the rules answer", why=day.problem)
    seed, places, logged = None, day.slate.chosen, None
    if curated is not None:
        places = curated.places  # their probabilities are unknown, so they are not used for learning
    elif household.learning_since is not None:
        seed = secrets.token_hex(16)
        slate = with_noise(day.slate, candidates, household.daily_task_count, seed)
        places = slate.chosen
        rows = _logged(candidates, day, slate.chosen, slate.inclusion)
        logged = {"slots": household.daily_task_count, "candidates": rows}
    chosen = [offer.eligible[place] for place in places]
    note = daily_note(
        [seen.participant.name for seen in chosen], [candidates[place].area for place in places], chosen[0].title
    )
    selection = DaySelection(
        household_id=household.id,
        day=caller.today,
        source=source,
        fallback_reason=None if curated else day.fallback_reason,
        policy_id=curated.prompt_version if curated else day.policy_id,
        daily_note=curated.note if curated else note,
        prompt_version=curated.prompt_version if curated else None,
        input_tokens=curated.input_tokens if curated else None,
        output_tokens=curated.output_tokens if curated else None,
        seed=seed,
        epsilon=EPSILON if seed else 0.0,
        logged=logged,
        created_at=caller.now,
    )
    session.add(selection)
    await queries.add_items(session, household.id, caller.today, [seen.todo.id for seen in chosen], 0)
    await session.flush()
    return Prepared(selection, fresh=True)


def _logged(
    candidates: list[Candidate], day: Day, chosen: tuple[int, ...], inclusion: tuple[float, ...]
) -> list[dict[str, Any]]:
    """The learning data of each candidate, without names, titles and notes."""
    rows = []
    for place, candidate in enumerate(candidates):
        rows.append(
            {
                "todo_id": candidate.todo_id,
                "participant_id": candidate.participant,
                "area": candidate.area,
                "features": [round(float(value), 6) for value in day.features[place]],
                "score": day.scores[place] if day.scores else None,
                "chosen": place in chosen,
                "obligatory": place in day.slate.obligatory,
                "propensity": inclusion[place],
            }
        )
    return rows


def _progress(seen: Seen, today: date) -> float:
    """How far a participant is through their stage."""
    months, stage = age_of(seen.participant, today), seen.stage
    if months is None or stage is None or stage.age_start_months is None or stage.age_end_months is None:
        return 0.5
    through = (months - stage.age_start_months) / (stage.age_end_months - stage.age_start_months)
    return min(1.0, max(0.0, through))


def _sum(one: Showings, other: Showings) -> Showings:
    return Showings(one.shown + other.shown, one.done + other.done)
