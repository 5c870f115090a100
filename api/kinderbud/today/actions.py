"""Choosing a household's day, once, whoever asks first and however many ask at once."""

import secrets
from dataclasses import dataclass
from datetime import date
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from api.kinderbud.caller import Caller
from api.kinderbud.guides.actions import age_of, move_on
from api.kinderbud.households.queries import locked
from api.kinderbud.today import queries
from api.kinderbud.today.queries import Window
from api.kinderbud.today.rules import daily_note
from api.kinderbud.todos.queries import Seen, current_todos
from api.kinderbud.todos.rules import is_due, is_snoozed, overdue
from api.models import DaySelection
from api.telemetry import Metrics
from coach_model.daily.candidates import Candidate, History, Showings
from coach_model.daily.coach import CONTRACT, Day, decide_day
from coach_model.daily.slate import EPSILON, with_noise
from coach_model.onnx_policy import OnnxPolicy
from coach_model.policy import FallbackReason
from data.guides import Category

CUSTOM_POSITION = 1000
"""The family's own come after what was chosen."""

log = structlog.get_logger("api.kinderbud")


@dataclass(frozen=True)
class Prepared:
    """What was made of a day; without a selection there was nothing to choose from."""

    selection: DaySelection | None
    fresh: bool


async def prepare_day(
    session: AsyncSession, caller: Caller, policy: OnnxPolicy | FallbackReason, metrics: Metrics
) -> Prepared:
    """Make the todos of stages that have become current, choose the day unless somebody did, and enter the family's own
    todos that are due. An empty choice is not kept: it is made again when somebody asks again."""
    household, today = caller.household, caller.today
    await locked(session, household.id)
    stages = await move_on(session, household.id, today)
    todos = await current_todos(session, household.id, stages, today)
    acted = await queries.acted_on(session, household.id, today)
    own = [seen.todo.id for seen in todos if is_own_of_today(seen, acted, today)]
    await queries.add_items(session, household.id, today, own, CUSTOM_POSITION)
    selection = await queries.selection_of(session, household.id, today)
    if selection is not None:
        return Prepared(selection, fresh=False)
    eligible = [seen for seen in todos if is_eligible(seen, today)]
    if not eligible:
        return Prepared(None, fresh=False)
    window = await queries.window(session, household.id, today)
    candidates = [candidate_of(seen, window, today) for seen in eligible]
    history = history_of(todos, window)
    day = decide_day(policy, candidates, history, today, household.daily_task_count)
    metrics.count_decision(CONTRACT.coach, day.source, day.fallback_reason)
    if day.problem is not None:
        log.error("the daily policy failed, the rules answer", why=day.problem)
    return Prepared(await _fix(session, caller, eligible, candidates, day), fresh=True)


def is_eligible(seen: Seen, today: date) -> bool:
    """Whether the coach may choose a todo: an activity of a guide that is due and not put off."""
    return (
        seen.item is not None
        and seen.category is Category.ACTIVITY
        and not seen.rests
        and not seen.todo.dismissed
        and not is_snoozed(seen.todo.snoozed_until, today)
        and is_due(seen.frequency, seen.todo.last_completed_on, today)
    )


def is_own_of_today(seen: Seen, acted: set[int], today: date) -> bool:
    """Whether a todo of the family's own belongs to the day: it is due, or something was done with it today."""
    if seen.item is not None or seen.rests:
        return False
    if seen.todo.id in acted:
        return True
    waits = seen.todo.dismissed or is_snoozed(seen.todo.snoozed_until, today)
    return not waits and is_due(seen.frequency, seen.todo.last_completed_on, today)


def candidate_of(seen: Seen, window: Window, today: date) -> Candidate:
    """An eligible todo as the coach sees it."""
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


def history_of(todos: list[Seen], window: Window) -> History:
    """What was shown and done in the window, in all, by participant and by area."""
    participants: dict[int, Showings] = {}
    areas: dict[str, Showings] = {}
    whole = Showings()
    for seen in todos:
        if seen.item is None:
            continue
        count = Showings(len(window.shown.get(seen.todo.id, [])), window.done[seen.todo.id])
        whole = _sum(whole, count)
        participants[seen.participant.id] = _sum(participants.get(seen.participant.id, Showings()), count)
        areas[seen.item.area] = _sum(areas.get(seen.item.area, Showings()), count)
    return History(whole, participants, areas)


async def _fix(
    session: AsyncSession, caller: Caller, eligible: list[Seen], candidates: list[Candidate], day: Day
) -> DaySelection:
    household = caller.household
    seed, slate, logged = None, day.slate, None
    if household.learning_since is not None:
        seed = secrets.token_hex(16)
        slate = with_noise(day.slate, candidates, household.daily_task_count, seed)
        rows = _logged(candidates, day, slate.chosen, slate.inclusion)
        logged = {"slots": household.daily_task_count, "candidates": rows}
    chosen = [eligible[place] for place in slate.chosen]
    selection = DaySelection(
        household_id=household.id,
        day=caller.today,
        source=day.source,
        fallback_reason=day.fallback_reason,
        policy_id=day.policy_id,
        daily_note=daily_note(
            [seen.participant.name for seen in chosen],
            [candidates[place].area for place in slate.chosen],
            chosen[0].title,
        ),
        seed=seed,
        epsilon=EPSILON if seed else 0.0,
        logged=logged,
        created_at=caller.now,
    )
    session.add(selection)
    await queries.add_items(session, household.id, caller.today, [seen.todo.id for seen in chosen], 0)
    await session.flush()
    return selection


def _logged(
    candidates: list[Candidate], day: Day, chosen: tuple[int, ...], inclusion: tuple[float, ...]
) -> list[dict[str, Any]]:
    """By candidate what learning needs of it: no name, no title, no note."""
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
    """How far through its stage a participant is."""
    months, stage = age_of(seen.participant, today), seen.stage
    if months is None or stage is None or stage.age_start_months is None or stage.age_end_months is None:
        return 0.5
    through = (months - stage.age_start_months) / (stage.age_end_months - stage.age_start_months)
    return min(1.0, max(0.0, through))


def _sum(one: Showings, other: Showings) -> Showings:
    return Showings(one.shown + other.shown, one.done + other.done)
