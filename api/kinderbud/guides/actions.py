"""Following guides: subscribing, and creating the todos of each stage."""

from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from api.db.engine import Database
from api.kinderbud.ages import age_months
from api.kinderbud.guides import queries
from api.kinderbud.guides.queries import Followed
from api.kinderbud.guides.rules import current_stage
from api.kinderbud.households.queries import locked
from api.models import Guide, GuideStage, HouseholdParticipant, Plan


class AlreadySubscribed(Exception):
    """The participant already follows this guide."""


def age_of(participant: HouseholdParticipant, today: date) -> int | None:
    """Completed months; None for adults."""
    return None if participant.birthday is None else age_months(participant.birthday, today)


async def subscribe(
    session: AsyncSession, participant: HouseholdParticipant, guide: Guide, today: date, now: datetime
) -> tuple[Plan, GuideStage | None]:
    """Create a plan and the todos of the current stage. Todos of an earlier plan are reused, with their log. The
    household is locked. Raises AlreadySubscribed.
    """
    if await queries.active_plan(session, participant.id, guide.id) is not None:
        raise AlreadySubscribed
    plan = Plan(
        household_id=participant.household_id,
        participant_id=participant.id,
        guide_id=guide.id,
        active=True,
        created_at=now,
    )
    session.add(plan)
    await session.flush()
    stages = await queries.stages_of(session, [guide.id])
    stage = current_stage(stages, age_of(participant, today))
    await _make_todos(session, plan, stage, today)
    return plan, stage


async def current_stages(session: AsyncSession, plans: list[Followed], today: date) -> dict[int, GuideStage | None]:
    """The stage that is current today, by plan id."""
    stages = await queries.stages_of(session, sorted({one.guide.id for one in plans}))
    return {
        one.plan.id: current_stage(
            [stage for stage in stages if stage.guide_id == one.guide.id], age_of(one.participant, today)
        )
        for one in plans
    }


async def caught_up(database: Database, session: AsyncSession, household_id: int, today: date) -> dict[int, int]:
    """The stage that is current today, by plan, after its todos are created; this also holds on the morning of a
    birthday. `session` reads. It is closed if something must be written.
    """
    plans = await queries.plans_of(session, household_id)
    stages = await current_stages(session, plans, today)
    if all(stage is None or stage.id == one.plan.stage_id for one in plans for stage in [stages[one.plan.id]]):
        return {plan_id: stage.id for plan_id, stage in stages.items() if stage is not None}
    await session.close()  # releases its connection: many requests that need a second one would wait for each other
    async with database.write() as writing:
        await locked(writing, household_id)
        return await move_on(writing, household_id, today)


async def move_on(session: AsyncSession, household_id: int, today: date) -> dict[int, int]:
    """Create the todos of stages that have become current. Returns the stage by plan, for plans with one."""
    plans = await queries.plans_of(session, household_id)
    stages = await current_stages(session, plans, today)
    for one in plans:
        stage = stages[one.plan.id]
        if stage is not None and stage.id != one.plan.stage_id:
            await _make_todos(session, one.plan, stage, today)
    return {plan_id: stage.id for plan_id, stage in stages.items() if stage is not None}


async def _make_todos(session: AsyncSession, plan: Plan, stage: GuideStage | None, today: date) -> None:
    """Create todos for the items of a stage. Existing todos join the plan."""
    plan.stage_id = stage.id if stage is not None else None
    if stage is None:
        return
    for item in await queries.items_of(session, [stage.id]):
        await queries.put_todo(session, plan, item.id, today)
