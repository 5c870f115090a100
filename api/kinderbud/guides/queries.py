"""Guides, stages and items, and the plans of households."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.db.upsert import insert_into
from api.models import Guide, GuideItem, GuideStage, HouseholdParticipant, Plan, Todo

_STAGES = (
    select(GuideStage)
    .where(GuideStage.guide_id.in_(bindparam("guide_ids", expanding=True)), ~GuideStage.retired)
    .order_by(GuideStage.position, GuideStage.id)
)
_PLANS = (
    select(Plan, HouseholdParticipant, Guide)
    .join(HouseholdParticipant, HouseholdParticipant.id == Plan.participant_id)
    .join(Guide, Guide.id == Plan.guide_id)
    .where(Plan.household_id == bindparam("household_id"), Plan.active)
    .order_by(Plan.id)
)


@dataclass(frozen=True)
class Counted:
    """A guide and its number of stages and items."""

    guide: Guide
    stages: int
    items: int


@dataclass(frozen=True)
class Followed:
    """A plan with its guide and participant."""

    plan: Plan
    participant: HouseholdParticipant
    guide: Guide


async def guides(session: AsyncSession) -> list[Counted]:
    """All guides."""
    stages = select(func.count()).where(GuideStage.guide_id == Guide.id, ~GuideStage.retired).scalar_subquery()
    items = (
        select(func.count())
        .select_from(GuideItem)
        .join(GuideStage, GuideStage.id == GuideItem.stage_id)
        .where(GuideStage.guide_id == Guide.id, ~GuideStage.retired, ~GuideItem.retired)
        .scalar_subquery()
    )
    rows = await session.execute(select(Guide, stages, items).order_by(Guide.id))
    return [Counted(*row) for row in rows]


async def guide_with_id(session: AsyncSession, guide_id: int) -> Guide | None:
    """The guide with that id."""
    return await session.get(Guide, guide_id)


async def stages_of(session: AsyncSession, guide_ids: Sequence[int]) -> Sequence[GuideStage]:
    """The stages of guides, in order."""
    return (await session.scalars(_STAGES, {"guide_ids": guide_ids})).all()


async def items_of(session: AsyncSession, stage_ids: Sequence[int]) -> Sequence[GuideItem]:
    """The items of stages, in order."""
    query = select(GuideItem).where(GuideItem.stage_id.in_(stage_ids), ~GuideItem.retired)
    return (await session.scalars(query.order_by(GuideItem.position, GuideItem.id))).all()


async def plans_of(session: AsyncSession, household_id: int) -> list[Followed]:
    """The active plans of a household."""
    return [Followed(*row) for row in await session.execute(_PLANS, {"household_id": household_id})]


async def active_plan(session: AsyncSession, participant_id: int, guide_id: int) -> Plan | None:
    """The active plan of a participant for a guide, if there is one."""
    mine = (Plan.participant_id == participant_id, Plan.guide_id == guide_id, Plan.active)
    return await session.scalar(select(Plan).where(*mine))


async def end_plan(session: AsyncSession, household_id: int, plan_id: int, now: datetime) -> bool:
    """End a plan unless it has ended. Returns whether the plan exists."""
    mine = (Plan.id == plan_id, Plan.household_id == household_id)
    values = {"active": False, "ended_at": now}
    await session.execute(update(Plan).where(*mine, Plan.active).values(values))
    return await session.scalar(select(Plan.id).where(*mine)) is not None


async def put_todo(session: AsyncSession, plan: Plan, guide_item_id: int, today: date) -> None:
    """Create the participant's todo of an item; one that exists joins the plan."""
    made = insert_into(session, Todo).values(
        household_id=plan.household_id,
        participant_id=plan.participant_id,
        plan_id=plan.id,
        guide_item_id=guide_item_id,
        source_type="guide",
        dismissed=False,
        deleted=False,
        created_on=today,
    )
    same = ("participant_id", "guide_item_id")
    await session.execute(made.on_conflict_do_update(index_elements=same, set_={"plan_id": plan.id}))
