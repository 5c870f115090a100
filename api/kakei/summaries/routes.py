"""Routes of weekly and monthly summaries; a new upload replaces the stored one."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.db.upsert import Upserted
from api.dependencies import Now, ReadSession
from api.http.idempotency import IdempotentRoute
from api.http.openapi import problem_responses
from api.http.pagination import Cursor, Limit, from_cursor, to_cursor
from api.http.problems import INVALID_INPUT, SUMMARY_MISSING, FieldError, ProblemOccurred
from api.kakei.accounts.dependencies import get_user_or_404, owner, writer_or_404
from api.kakei.challenges.rules import month_problem
from api.kakei.idempotency import OnceSession
from api.kakei.summaries import actions, queries
from api.kakei.summaries.rules import AMOUNTS, amounts_in_currency, parts_problem, week_problem
from api.kakei.summaries.schemas import (
    MonthKey,
    MonthlySummaries,
    MonthlySummaryCreate,
    MonthlySummaryOut,
    MonthlySummaryPut,
    WeekKey,
    WeeklySummaries,
    WeeklySummaryCreate,
    WeeklySummaryOut,
    WeeklySummaryPut,
)
from api.models import MonthlySummary, WeeklySummary

router = APIRouter(prefix="/api/users/{uuid}/summaries", tags=["summaries"], route_class=IdempotentRoute)
From = Annotated[MonthKey | None, Query(alias="from", description="First month, YYYYMM.")]
To = Annotated[MonthKey | None, Query(alias="to", description="Last month, YYYYMM.")]


@router.post(
    "/weekly",
    operation_id="summaries_put_weekly",
    summary="Upload a weekly summary",
    status_code=201,
    responses={
        200: {"model": WeeklySummaryPut, "description": "There was one"},
        **problem_responses(404, 409, 413, 422, 503),
    },
)
async def put_weekly(
    uuid: str, body: WeeklySummaryCreate, session: OnceSession, now: Now, response: Response
) -> WeeklySummaryPut:
    """201 for a new week, 200 for an existing one. The latest client time wins: `applied` is false if a later one is
    stored. The answer is the stored summary."""
    writer = await writer_or_404(session, uuid)
    _check_month(body.month_key, now)
    key = {"user_id": writer.id, "month_key": body.month_key, "week_key": body.week_key}
    values = await _amounts(session, WeeklySummary, key, body, writer.currency)
    put = await actions.put_weekly(session, writer, values, now)
    if not put.new:
        response.status_code = 200
    return _told(WeeklySummaryPut, put)


@router.get(
    "/weekly",
    operation_id="summaries_list_weekly",
    summary="List weekly summaries",
    responses=problem_responses(403, 404, 422, 503),
)
async def list_weekly(
    uuid: str, session: ReadSession, first: From = None, last: To = None, limit: Limit = 50, cursor: Cursor = None
) -> WeeklySummaries:
    """Newest first. Only for UUIDs."""
    user = await owner(session, uuid)
    before = from_cursor(cursor, 2)
    rows = await queries.page_of(session, WeeklySummary, user.id, (first, last), before, limit + 1)
    items = [WeeklySummaryOut.model_validate(row) for row in rows[:limit]]
    more = len(rows) > limit
    return WeeklySummaries(
        items=items, next_cursor=to_cursor((items[-1].month_key, items[-1].week_key)) if more else None
    )


@router.get(
    "/weekly/{month_key}/{week_key}",
    operation_id="summaries_get_weekly",
    summary="Read a weekly summary",
    responses=problem_responses(404, 422, 503),
)
async def get_weekly(
    uuid: str, month_key: Annotated[MonthKey, Path()], week_key: Annotated[WeekKey, Path()], session: ReadSession
) -> WeeklySummaryOut:
    """The stored summary of the week. 404 if there is none, 422 for a week that the month does not have."""
    problem = week_problem(month_key, week_key)
    if problem:
        raise ProblemOccurred(INVALID_INPUT, f"week_key: {problem}", [FieldError("week_key", problem)])
    user = await get_user_or_404(session, uuid)
    key = {"user_id": user.id, "month_key": month_key, "week_key": week_key}
    found = await queries.summary_at(session, WeeklySummary, key)
    if found is None:
        raise ProblemOccurred(SUMMARY_MISSING, "No summary of this week was uploaded.")
    return WeeklySummaryOut.model_validate(found)


@router.post(
    "/monthly",
    operation_id="summaries_put_monthly",
    summary="Upload a monthly summary",
    status_code=201,
    responses={
        200: {"model": MonthlySummaryPut, "description": "There was one"},
        **problem_responses(404, 409, 413, 422, 503),
    },
)
async def put_monthly(
    uuid: str, body: MonthlySummaryCreate, session: OnceSession, now: Now, response: Response
) -> MonthlySummaryPut:
    """201 for a new month, 200 for an existing one. The latest client time wins: `applied` is false if a later one is
    stored. The answer is the stored summary."""
    writer = await writer_or_404(session, uuid)
    _check_month(body.month_key, now)
    key = {"user_id": writer.id, "month_key": body.month_key}
    values = await _amounts(session, MonthlySummary, key, body, writer.currency)
    put = await actions.put_monthly(session, writer, values, now)
    if not put.new:
        response.status_code = 200
    return _told(MonthlySummaryPut, put)


@router.get(
    "/monthly",
    operation_id="summaries_list_monthly",
    summary="List monthly summaries",
    responses=problem_responses(403, 404, 422, 503),
)
async def list_monthly(
    uuid: str, session: ReadSession, first: From = None, last: To = None, limit: Limit = 50, cursor: Cursor = None
) -> MonthlySummaries:
    """Newest first. Only for UUIDs."""
    user = await owner(session, uuid)
    rows = await queries.page_of(session, MonthlySummary, user.id, (first, last), from_cursor(cursor, 1), limit + 1)
    items = [MonthlySummaryOut.model_validate(row) for row in rows[:limit]]
    return MonthlySummaries(items=items, next_cursor=to_cursor((items[-1].month_key,)) if len(rows) > limit else None)


@router.get(
    "/monthly/{month_key}",
    operation_id="summaries_get_monthly",
    summary="Read a monthly summary",
    responses=problem_responses(404, 422, 503),
)
async def get_monthly(uuid: str, month_key: Annotated[MonthKey, Path()], session: ReadSession) -> MonthlySummaryOut:
    """The stored summary of the month."""
    user = await get_user_or_404(session, uuid)
    found = await queries.summary_at(session, MonthlySummary, {"user_id": user.id, "month_key": month_key})
    if found is None:
        raise ProblemOccurred(SUMMARY_MISSING, "No summary of this month was uploaded.")
    return MonthlySummaryOut.model_validate(found)


def _check_month(month_key: int, now: datetime) -> None:
    """Raise ProblemOccurred (422) for a month after the next one, whose spending is not known yet."""
    if wrong := month_problem(f"{month_key // 100}-{month_key % 100:02}", now):
        raise ProblemOccurred(INVALID_INPUT, f"month_key: {wrong}", [FieldError("month_key", wrong)])


async def _amounts[T: (WeeklySummary, MonthlySummary)](
    session: AsyncSession,
    table: type[T],
    key: dict[str, int],
    body: WeeklySummaryCreate | MonthlySummaryCreate,
    currency: str | None,
) -> dict[str, Any]:
    """What is stored of an upload, in the person's currency. Raises ProblemOccurred (422) where the parts do not add up
    to the total, unless just that is stored: in another currency, or by an earlier rule."""
    values = amounts_in_currency(body.model_dump(), currency)
    if wrong := parts_problem(values, currency):
        stored = await queries.summary_at(session, table, key)
        if stored is None or any(getattr(body, name) != getattr(stored, name) for name in AMOUNTS):
            raise ProblemOccurred(INVALID_INPUT, f"total_spent: {wrong}", [FieldError("total_spent", wrong)])
    return values


def _told[T: (WeeklySummaryPut, MonthlySummaryPut)](shape: type[T], put: Upserted[Any]) -> T:
    """The stored summary after an upload, and whether the upload was applied."""
    stored = {name: getattr(put.row, name) for name in shape.model_fields if name != "applied"}
    return shape.model_construct(**stored | {"applied": put.applied})  # checked when it was stored
