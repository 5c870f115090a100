"""Routes about the caller, and the health check."""

from fastapi import APIRouter

from api.dependencies import ReadSession
from api.kinderbud.ages import age_display
from api.kinderbud.auth import Reader
from api.kinderbud.envelope import Answer
from api.kinderbud.errors import failures
from api.kinderbud.guides.actions import age_of, current_stages
from api.kinderbud.guides.queries import plans_of
from api.kinderbud.households.queries import participants_of
from api.kinderbud.me.schemas import Health, HouseholdOut, Me, ParticipantOut, StageOut, UserOut

router = APIRouter(tags=["me"])


@router.get("/health", operation_id="get_health", summary="Health check")
async def health() -> Answer[Health]:
    """Needs no token."""
    return Answer(data=Health(version="1"))


@router.get("/me", operation_id="get_me", summary="You, your household, and its people", responses=failures(401))
async def get_me(caller: Reader, session: ReadSession) -> Answer[Me]:
    """All participants with their ages and the stages that are current for them today."""
    household, today = caller.household, caller.today
    plans = await plans_of(session, household.id)
    stages = await current_stages(session, plans, today)
    participants = []
    for one in await participants_of(session, household.id):
        current = [
            StageOut(guide_id=plan.guide.id, guide_title=plan.guide.short_title, stage_name=stage.name)
            for plan in plans
            if plan.participant.id == one.id and (stage := stages[plan.plan.id]) is not None
        ]
        shown = ParticipantOut(
            id=one.id,
            name=one.name,
            is_adult=one.is_adult,
            birthday=one.birthday,
            age_display=age_display(one.birthday, today) if one.birthday else None,
            age_months=age_of(one, today),
            current_stages=current,
        )
        participants.append(shown)
    return Answer(
        data=Me(
            user=UserOut.model_validate(caller.user),
            household=HouseholdOut(
                id=household.id,
                name=household.name,
                timezone=household.time_zone,
                daily_task_count=household.daily_task_count,
            ),
            participants=participants,
        )
    )
