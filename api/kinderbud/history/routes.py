"""Routes of the history and its statistics."""

from collections import Counter
from datetime import timedelta
from enum import StrEnum
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Query

from api.db.engine import LARGEST_ID
from api.dependencies import ReadSession
from api.kinderbud.action_types import ActionType
from api.kinderbud.auth import Reader
from api.kinderbud.dependencies import Stages
from api.kinderbud.envelope import Answer, OfParticipant, local
from api.kinderbud.errors import failures, not_found
from api.kinderbud.history import queries
from api.kinderbud.history.rules import by_weekday
from api.kinderbud.history.schemas import (
    ActionOut,
    DayOut,
    History,
    MilestoneOut,
    Milestones,
    ParticipantStats,
    ParticipantSummary,
    Stats,
    Summary,
    Week,
)
from api.kinderbud.households.queries import participant_in, participants_of, users_of
from api.kinderbud.streaks.rules import streak
from api.kinderbud.todos.queries import listed_todos
from api.kinderbud.todos.schemas import shown
from data.calendar_weeks import monday_of
from data.catalog.guides import Category

WEEK_DAYS, MONTH_DAYS = 7, 30
LEFT = "a former member"
OWN = "custom"
"""The area of the family's own todos."""

router = APIRouter(tags=["history"])


class Period(StrEnum):
    WEEK = "week"
    MONTH = "month"


@router.get("/history", operation_id="get_history", summary="What was done", responses=failures(401, 404))
async def get_history(
    caller: Reader,
    session: ReadSession,
    days: Annotated[int, Query(ge=1, le=90, description="Today and the days before it.")] = 7,
    participant_id: OfParticipant = None,
    action_type: Annotated[ActionType | None, Query(description="Only these.")] = None,
    performed_by: Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="Only this user's.")] = None,
) -> Answer[History]:
    """By day, latest first. Without undone actions."""
    household, today = caller.household, caller.today
    if participant_id is not None and await participant_in(session, household.id, participant_id) is None:
        raise not_found("participant")
    if performed_by is not None and performed_by not in {user.id for user in await users_of(session, household.id)}:
        raise not_found("user")
    found = await queries.actions_between(
        session,
        household.id,
        today - timedelta(days=days - 1),
        today,
        participant_id=participant_id,
        action_type=action_type,
        performed_by=performed_by,
    )
    entries = [
        DayOut(
            date=day,
            actions=[
                ActionOut(
                    id=action.id,
                    todo_id=todo.id,
                    todo_title=item.title if item else todo.title or "",
                    action_type=ActionType(action.action_type),
                    performed_by=user.display_name if user else action.former_name or LEFT,
                    notes=action.notes,
                    created_at=local(action.created_at, household.time_zone),
                )
                for action, todo, item, user in rows
            ],
        )
        for day, rows in groupby(found, key=lambda row: row[0].action_date)
    ]
    return Answer(data=History(days=days, total_actions=len(found), entries=entries))


@router.get("/stats", operation_id="get_stats", summary="Streak and counts", responses=failures(401))
async def get_stats(caller: Reader, session: ReadSession) -> Answer[Stats]:
    """The streak counts consecutive days with a completion. Today may still be without one."""
    household, today = caller.household, caller.today
    monday = monday_of(today)
    counts = await queries.completions_by_day(session, household.id, monday, today)
    by_week, by_month = [
        await queries.completions_by_participant(session, household.id, today - timedelta(days=days - 1), today)
        for days in (WEEK_DAYS, MONTH_DAYS)
    ]
    stats = Stats(
        streak=streak(await queries.latest_run(session, household.id, today), today),
        week=Week(
            completed=sum(counts.values()),
            total=await queries.shown_or_done(session, household.id, monday, today),
            by_day=by_weekday(counts, monday),
        ),
        by_participant=[
            ParticipantStats(
                participant_id=one.id,
                participant_name=one.name,
                completed_7d=by_week.get(one.id, 0),
                completed_30d=by_month.get(one.id, 0),
            )
            for one in await participants_of(session, household.id)
        ],
    )
    return Answer(data=stats)


@router.get("/milestones", operation_id="list_milestones", summary="Milestones", responses=failures(401, 404))
async def list_milestones(
    caller: Reader, session: ReadSession, stages: Stages, participant_id: OfParticipant = None
) -> Answer[Milestones]:
    """Milestones of the current stages, and milestones reached in earlier stages."""
    household, today = caller.household, caller.today
    if participant_id is not None and await participant_in(session, household.id, participant_id) is None:
        raise not_found("participant")
    listed = [
        MilestoneOut(
            **shown(seen, today).model_dump(),
            stage_name=seen.stage.name,
            by_months=seen.item.by_months,
            achieved_on=seen.todo.last_completed_on,
        )
        for seen in await listed_todos(
            session, household.id, stages, category=Category.MILESTONE, participant_id=participant_id
        )
        if seen.stage is not None and seen.item is not None
    ]
    achieved = sum(one.achieved_on is not None for one in listed)
    return Answer(data=Milestones(milestones=listed, achieved=achieved, total=len(listed)))


@router.get("/summary", operation_id="get_summary", summary="A week or a month in figures", responses=failures(401))
async def get_summary(
    caller: Reader,
    session: ReadSession,
    period: Annotated[Period, Query(description="The last 7 or the last 30 days.")] = Period.WEEK,
) -> Answer[Summary]:
    """What was done, in which areas, and by which participant."""
    household, today = caller.household, caller.today
    first = today - timedelta(days=(WEEK_DAYS if period is Period.WEEK else MONTH_DAYS) - 1)
    rows = await queries.actions_between(session, household.id, first, today)
    done = [row for row in rows if row[0].action_type == ActionType.COMPLETED]
    kinds = Counter(action.action_type for action, *_ in rows)
    people = Counter(todo.participant_id for _, todo, *_ in done)
    summary = Summary(
        period=period,
        first_day=first,
        last_day=today,
        completed=len(done),
        active_days=len({action.action_date for action, *_ in done}),
        snoozed=kinds[ActionType.SNOOZED],
        skipped=kinds[ActionType.SKIPPED],
        milestones_achieved=[item.title for *_, item, _ in done if item and item.category == Category.MILESTONE],
        by_area=dict(Counter(item.area if item else OWN for *_, item, _ in done).most_common()),
        by_participant=[
            ParticipantSummary(participant_id=one.id, participant_name=one.name, completed=people[one.id])
            for one in await participants_of(session, household.id)
        ],
    )
    return Answer(data=summary)
