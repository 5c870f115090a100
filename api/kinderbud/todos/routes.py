"""Routes of todos and their actions."""

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.ext.asyncio import AsyncSession

from api.dependencies import ReadSession, WriteSession
from api.http.idempotency import IdempotentRoute
from api.kinderbud.action_types import ActionType
from api.kinderbud.auth import Caller, Reader, Writer
from api.kinderbud.dependencies import Stages
from api.kinderbud.envelope import Answer, OfParticipant, PathId
from api.kinderbud.errors import failures, invalid, not_found
from api.kinderbud.households.queries import locked, participant_in, participants_of
from api.kinderbud.idempotency import Once
from api.kinderbud.todos import actions, queries
from api.kinderbud.todos.queries import Seen
from api.kinderbud.todos.rules import Status, TooLongAgo
from api.kinderbud.todos.schemas import (
    Complete,
    Completed,
    CustomTodoCreated,
    CustomTodoOut,
    Deleted,
    Dismissed,
    Snooze,
    Snoozed,
    TodoCreate,
    TodoDetail,
    TodoPage,
    TodoUpdate,
    Undo,
    Undone,
    in_full,
    shown,
)
from api.models import HouseholdParticipant, Todo
from data.catalog.guides import Category, Frequency

LARGEST_OFFSET = 10**6

router = APIRouter(prefix="/todos", tags=["todos"], route_class=IdempotentRoute)


@router.get("", operation_id="list_todos", summary="Your todos", responses=failures(401, 404))
async def list_todos(
    caller: Reader,
    session: ReadSession,
    stages: Stages,
    participant_id: OfParticipant = None,
    category: Annotated[Category | None, Query(description="Only these.")] = None,
    status: Annotated[Status | None, Query(description="As it is today.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=LARGEST_OFFSET)] = 0,
) -> Answer[TodoPage]:
    """Todos of the current stages, the family's own, and milestones reached in earlier stages."""
    if participant_id is not None:
        await _participant(session, caller, participant_id)
    listed = await queries.listed_todos(
        session, caller.household.id, stages, category=category, participant_id=participant_id
    )
    todos = [one for one in (shown(seen, caller.today) for seen in listed) if status in {None, one.status}]
    page = todos[offset : offset + limit]
    return Answer(data=TodoPage(todos=page, total=len(todos), limit=limit, offset=offset))


@router.get("/{todo_id}", operation_id="get_todo", summary="One todo in full", responses=failures(401, 404))
async def get_todo(todo_id: PathId, caller: Reader, session: ReadSession) -> Answer[TodoDetail]:
    """A guide's todo also says how to do it and why."""
    return Answer(data=in_full(await _todo(session, caller, todo_id), caller.today))


@router.post(
    "", operation_id="create_todo", summary="Add a todo of your own", responses=failures(401, 404), dependencies=[Once]
)
async def create_todo(body: TodoCreate, caller: Writer, session: WriteSession) -> Answer[CustomTodoCreated]:
    """For the youngest child if no participant is given, else for the first adult."""
    if body.participant_id is not None:
        participant = await _participant(session, caller, body.participant_id)
    else:
        participant = await _youngest(session, caller)
    try:
        todo = await actions.add_own(session, caller, participant, body.title, body.description, body.frequency)
    except actions.TooManyTodos as error:
        raise invalid("title", str(error)) from error
    made = CustomTodoCreated(**_custom(todo).model_dump(), category=Category.ACTIVITY)
    return Answer(data=made)


@router.put("/{todo_id}", operation_id="edit_todo", summary="Edit a todo of your own", responses=failures(401, 404))
async def edit_todo(todo_id: PathId, body: TodoUpdate, caller: Writer, session: WriteSession) -> Answer[CustomTodoOut]:
    """404 for a todo of a guide. Fields that are left out stay as they are."""
    await locked(session, caller.household.id)
    todo = await _own(session, caller, todo_id)
    if body.participant_id is not None:
        await _participant(session, caller, body.participant_id)
    await actions.edit_own(session, todo, body.model_dump(exclude_unset=True))
    return Answer(data=_custom(todo))


@router.delete(
    "/{todo_id}", operation_id="delete_todo", summary="Delete a todo of your own", responses=failures(401, 404)
)
async def delete_todo(todo_id: PathId, caller: Writer, session: WriteSession) -> Answer[Deleted]:
    """404 for a todo of a guide. Past actions stay in the history. A repeated request gets the same answer."""
    await locked(session, caller.household.id)
    todo = await _own(session, caller, todo_id, deleted=True)
    await actions.delete_own(session, todo)
    return Answer(data=Deleted(todo_id=todo.id, active=False))


@router.post(
    "/{todo_id}/complete",
    operation_id="complete_todo",
    summary="Done today",
    responses=failures(401, 404),
    dependencies=[Once],
)
async def complete_todo(
    todo_id: PathId, caller: Writer, session: WriteSession, body: Complete | None = None
) -> Answer[Completed]:
    """Once a day, however often it is sent; later notes replace earlier ones. With a `client_timestamp` of the last 7
    days it counts for that day in the household's time zone. 400 for a dismissed todo.
    """
    seen, body = await _todo(session, caller, todo_id), body or Complete()
    try:
        done = await actions.complete(session, caller, seen, body.notes, body.client_timestamp)
    except actions.PutAway as error:
        raise invalid("todo_id", str(error)) from error
    except TooLongAgo as error:
        raise invalid("client_timestamp", str(error)) from error
    completed = Completed(todo_id=todo_id, action=ActionType.COMPLETED, action_date=done.action_date, notes=done.notes)
    return Answer(data=completed)


@router.post(
    "/{todo_id}/snooze",
    operation_id="snooze_todo",
    summary="Not now, or never",
    responses=failures(401, 404),
    dependencies=[Once],
)
async def snooze_todo(
    todo_id: PathId, caller: Writer, session: WriteSession, body: Snooze | None = None
) -> Answer[Snoozed | Dismissed]:
    """`permanent` dismisses it until that is undone. The coach uses the reason when it chooses the day."""
    body = body or Snooze()
    seen = await _todo(session, caller, todo_id)
    try:
        if body.permanent:
            done = await actions.dismiss(session, caller, seen, body.reason, body.client_timestamp)
        else:
            done = await actions.snooze(session, caller, seen, body.days, body.reason, body.client_timestamp)
    except TooLongAgo as error:
        raise invalid("client_timestamp", str(error)) from error
    if body.permanent:
        away = Dismissed(todo_id=todo_id, action=ActionType.SKIPPED, action_date=done.action_date, reason=done.reason)
        return Answer(data=away)
    put_off = Snoozed(
        todo_id=todo_id,
        action=ActionType.SNOOZED,
        action_date=done.action_date,
        snoozed_to=done.snoozed_to or done.action_date,
        reason=done.reason,
    )
    return Answer(data=put_off)


@router.post(
    "/{todo_id}/undo",
    operation_id="undo_action",
    summary="Take an action back",
    responses=failures(401, 404),
    dependencies=[Once],
)
async def undo_action(todo_id: PathId, body: Undo, caller: Writer, session: WriteSession) -> Answer[Undone]:
    """Once, in any order, by the `id` from `/history`. The todo then follows from the rest of the log."""
    seen = await _todo(session, caller, todo_id, deleted=True)
    undone = await actions.undo(session, caller, seen, body.action_id)
    if undone is None:
        raise not_found("action of this todo")
    told = Undone(todo_id=todo_id, undone_action_id=undone.id, undone_action_type=ActionType(undone.action_type))
    return Answer(data=told)


async def _todo(session: AsyncSession, caller: Caller, todo_id: int, *, deleted: bool = False) -> Seen:
    seen = await queries.todo_in(session, caller.household.id, todo_id, deleted=deleted)
    if seen is None:
        raise not_found("todo")
    return seen


async def _own(session: AsyncSession, caller: Caller, todo_id: int, *, deleted: bool = False) -> Todo:
    todo = (await _todo(session, caller, todo_id, deleted=deleted)).todo
    if todo.source_type != actions.CUSTOM:
        raise not_found("todo of your own")
    return todo


async def _participant(session: AsyncSession, caller: Caller, participant_id: int) -> HouseholdParticipant:
    participant = await participant_in(session, caller.household.id, participant_id)
    if participant is None:
        raise not_found("participant")
    return participant


async def _youngest(session: AsyncSession, caller: Caller) -> HouseholdParticipant:
    people = await participants_of(session, caller.household.id)
    children = [(one.birthday, one.id, one) for one in people if one.birthday is not None]
    if not children and not people:
        raise invalid("participant_id", "this household has no participants yet")
    return max(children)[2] if children else people[0]


def _custom(todo: Todo) -> CustomTodoOut:
    return CustomTodoOut(
        id=todo.id,
        title=todo.title or "",
        description=todo.description,
        frequency=Frequency(todo.frequency or Frequency.ONCE),
        participant_id=todo.participant_id,
        source_type=todo.source_type,
    )
