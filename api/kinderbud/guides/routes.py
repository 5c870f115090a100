"""Routes of guides and plans."""

from fastapi import APIRouter

from api.dependencies import ReadSession, WriteSession
from api.http.idempotency import IdempotentRoute
from api.kinderbud.auth import Reader, Writer
from api.kinderbud.envelope import Answer, PathId, local
from api.kinderbud.errors import Code, Refused, failures, invalid, not_found
from api.kinderbud.guides import actions, queries
from api.kinderbud.guides.schemas import (
    GuideDetail,
    GuideItemOut,
    GuideOut,
    Guides,
    GuideStageOut,
    PlanCreate,
    PlanCreated,
    PlanEnded,
    PlanOut,
    Plans,
    Subscribed,
)
from api.kinderbud.households.queries import locked, participant_in
from api.kinderbud.idempotency import Once
from data.catalog.guides import Category, Frequency

router = APIRouter(tags=["guides"], route_class=IdempotentRoute)


@router.get("/guides", operation_id="list_guides", summary="All guides", responses=failures(401))
async def list_guides(caller: Reader, session: ReadSession) -> Answer[Guides]:
    """With the members of your household who follow each guide."""
    plans = await queries.plans_of(session, caller.household.id)
    listed = []
    for one in await queries.guides(session):
        following = [
            Subscribed(participant_id=p.participant.id, participant_name=p.participant.name, plan_id=p.plan.id)
            for p in plans
            if p.guide.id == one.guide.id
        ]
        guide = GuideOut(
            id=one.guide.id,
            title=one.guide.title,
            description=one.guide.description,
            source_type=one.guide.source_type,
            color=one.guide.color,
            stage_count=one.stages,
            item_count=one.items,
            subscribed_participants=following,
        )
        listed.append(guide)
    return Answer(data=Guides(guides=listed))


@router.get("/guides/{guide_id}", operation_id="get_guide", summary="One guide", responses=failures(401, 404))
async def get_guide(guide_id: PathId, _: Reader, session: ReadSession) -> Answer[GuideDetail]:
    """With all its stages and items."""
    guide = await queries.guide_with_id(session, guide_id)
    if guide is None:
        raise not_found("guide")
    stages = await queries.stages_of(session, [guide.id])
    items = await queries.items_of(session, [stage.id for stage in stages])
    shown = [
        GuideStageOut(
            id=stage.id,
            stage_key=stage.stage_key,
            name=stage.name,
            age_start_months=stage.age_start_months,
            age_end_months=stage.age_end_months,
            goals=stage.goals,
            items=[
                GuideItemOut(
                    id=item.id,
                    item_key=item.item_key,
                    category=Category(item.category),
                    title=item.title,
                    description=item.description,
                    frequency=Frequency(item.frequency),
                )
                for item in items
                if item.stage_id == stage.id
            ],
        )
        for stage in stages
    ]
    detail = GuideDetail(
        id=guide.id,
        title=guide.short_title,
        description=guide.description,
        source_type=guide.source_type,
        color=guide.color,
        stages=shown,
    )
    return Answer(data=detail)


@router.get("/plans", operation_id="list_plans", summary="Who follows which guide", responses=failures(401))
async def list_plans(caller: Reader, session: ReadSession) -> Answer[Plans]:
    """The active plans of your household."""
    plans = await queries.plans_of(session, caller.household.id)
    stages = await actions.current_stages(session, plans, caller.today)
    listed = [
        PlanOut(
            id=one.plan.id,
            participant_id=one.participant.id,
            participant_name=one.participant.name,
            guide_id=one.guide.id,
            guide_title=one.guide.short_title,
            active=True,
            created_at=local(one.plan.created_at, caller.household.time_zone),
            current_stage=stage.name if (stage := stages[one.plan.id]) else None,
        )
        for one in plans
    ]
    return Answer(data=Plans(plans=listed))


@router.post(
    "/plans",
    operation_id="subscribe_participant",
    summary="Let a participant follow a guide",
    responses=failures(401, 404, 409),
    dependencies=[Once],
)
async def subscribe(body: PlanCreate, caller: Writer, session: WriteSession) -> Answer[PlanCreated]:
    """Creates the todos of the stage that is current today. A child's guide is for children, an adults' guide for
    adults.
    """
    await locked(session, caller.household.id)
    participant = await participant_in(session, caller.household.id, body.participant_id)
    if participant is None:
        raise not_found("participant")
    guide = await queries.guide_with_id(session, body.guide_id)
    if guide is None:
        raise not_found("guide")
    if guide.for_adults != participant.is_adult:
        raise invalid("guide_id", "this guide is for " + ("adults" if guide.for_adults else "children"))
    try:
        plan, stage = await actions.subscribe(session, participant, guide, caller.today, caller.now)
    except actions.AlreadySubscribed as error:
        said = f"{participant.name} follows {guide.short_title} already."
        raise Refused(409, Code.ALREADY_SUBSCRIBED, said) from error
    created = PlanCreated(
        id=plan.id,
        participant_id=participant.id,
        participant_name=participant.name,
        guide_id=guide.id,
        guide_title=guide.title,
        current_stage=stage.name if stage else None,
        active=True,
    )
    return Answer(data=created)


@router.delete(
    "/plans/{plan_id}",
    operation_id="unsubscribe_participant",
    summary="Let a participant stop following a guide",
    responses=failures(401, 404),
)
async def unsubscribe(plan_id: PathId, caller: Writer, session: WriteSession) -> Answer[PlanEnded]:
    """Deactivates the plan's todos. History stays, and a new subscription continues from there. A repeated request gets
    the same answer.
    """
    await locked(session, caller.household.id)
    if not await queries.end_plan(session, caller.household.id, plan_id, caller.now):
        raise not_found("plan")
    return Answer(data=PlanEnded(plan_id=plan_id, active=False))
