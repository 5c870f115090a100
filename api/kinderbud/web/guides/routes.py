"""Guides: the list, their content, and their followers."""

from fastapi import APIRouter, Request, Response

from api.dependencies import ReadSession, WriteSession
from api.kinderbud.envelope import PathId
from api.kinderbud.guides import actions, queries
from api.kinderbud.guides.actions import age_of
from api.kinderbud.guides.rules import is_current
from api.kinderbud.households.queries import locked, participant_in, participants_of
from api.kinderbud.web.errors import NotHere
from api.kinderbud.web.forms import Text, number
from api.kinderbud.web.rendering import go, page
from api.kinderbud.web.sessions import Member
from api.kinderbud.web.today.cards import AREAS, EVERY
from data.catalog.guides import Category

router = APIRouter()


@router.get("/guides")
async def guides_page(request: Request, caller: Member, session: ReadSession) -> Response:
    """All guides, each with its followers and the people who could follow it."""
    plans = await queries.plans_of(session, caller.household.id)
    return page(
        request,
        "guides.html",
        guides=await queries.guides(session),
        people=await participants_of(session, caller.household.id),
        plans={(one.guide.id, one.participant.id): one.plan for one in plans},
    )


@router.get("/guides/{guide_id}")
async def guide_page(request: Request, guide_id: PathId, caller: Member, session: ReadSession) -> Response:
    """The content of a guide. Stages that are current for a participant are open."""
    guide = await queries.guide_with_id(session, guide_id)
    if guide is None:
        raise NotHere
    stages = await queries.stages_of(session, [guide.id])
    items = await queries.items_of(session, [stage.id for stage in stages])
    people = await participants_of(session, caller.household.id)
    return page(
        request,
        "guide.html",
        guide=guide,
        stages=stages,
        activities={
            stage.id: [item for item in items if item.stage_id == stage.id and item.category == Category.ACTIVITY]
            for stage in stages
        },
        milestones={
            stage.id: [item for item in items if item.stage_id == stage.id and item.category == Category.MILESTONE]
            for stage in stages
        },
        now_in={
            stage.id: [
                one.name
                for one in people
                if one.is_adult == guide.for_adults and is_current(stage, age_of(one, caller.today))
            ]
            for stage in stages
        },
        area_names=AREAS,
        every=EVERY,
    )


@router.post("/guides/{guide_id}/follow")
async def follow(guide_id: PathId, caller: Member, session: WriteSession, participant_id: Text = "") -> Response:
    """Follow a guide. A participant who already follows it continues."""
    await locked(session, caller.household.id)
    participant = await participant_in(session, caller.household.id, number(participant_id))
    guide = await queries.guide_with_id(session, guide_id)
    if participant is None or guide is None or guide.for_adults != participant.is_adult:
        raise NotHere
    if await queries.active_plan(session, participant.id, guide.id) is None:
        await actions.subscribe(session, participant, guide, caller.today, caller.now)
    return go("/guides", "following")


@router.post("/plans/{plan_id}/stop")
async def stop(plan_id: PathId, caller: Member, session: WriteSession) -> Response:
    """Stop following a guide; the plan's todos become inactive."""
    await locked(session, caller.household.id)
    if not await queries.end_plan(session, caller.household.id, plan_id, caller.now):
        raise NotHere
    return go("/guides", "stopped")
