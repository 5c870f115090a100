"""Routes of consent to research and of the data mode, which decides whether a person's texts may be exported."""

from fastapi import APIRouter, Request, Response

from api.app_state import services_of
from api.dependencies import Now, ReadSession, WriteSession
from api.http.idempotency import IdempotentRoute
from api.http.openapi import problem_responses
from api.http.problems import NO_CONSENT, ProblemOccurred
from api.http.user_ids import cannot_be_guessed
from api.kakei.accounts.dependencies import get_user_or_404, owner
from api.kakei.consent import actions, queries
from api.kakei.consent.schemas import ConsentCreate, ConsentHistory, ConsentOut, DataModeUpdate
from api.kakei.idempotency import OnceSessionForUpdate
from api.models import Consent, User

router = APIRouter(prefix="/api/users/{uuid}/research", tags=["research"], route_class=IdempotentRoute)


@router.post(
    "/consent",
    operation_id="consents_create",
    summary="Give or take back consent",
    status_code=201,
    responses={
        200: {"model": ConsentOut, "description": "In force already"},
        **problem_responses(404, 409, 413, 422, 503),
    },
)
async def consent(
    uuid: str, body: ConsentCreate, session: OnceSessionForUpdate, now: Now, request: Request, response: Response
) -> ConsentOut:
    """Adds an entry to the history, which is never overwritten. Without consent in force no research data are
    collected, and data received then are never exported. A withdrawal ends the collection immediately, and no later
    export includes the person."""
    user = await get_user_or_404(session, uuid, for_update=True)
    wanted = body.model_dump() | {"data_mode": str(body.data_mode)}
    entry, is_new = await actions.change_consent(session, services_of(request).keyring, user, wanted, now)
    if not is_new:
        response.status_code = 200
    return ConsentOut.model_validate(entry)


@router.get(
    "/consent",
    operation_id="consents_list",
    summary="The history of consent",
    responses=problem_responses(403, 404, 503),
)
async def get_consent(uuid: str, session: ReadSession) -> ConsentHistory:
    """Whether research data are collected now, and all changes of consent. Only for UUIDs."""
    user = await owner(session, uuid)
    entries = await queries.history(session, user.id)
    return ConsentHistory(
        in_force=bool(entries) and entries[0].consented,
        history=[ConsentOut.model_validate(entry) for entry in entries],
    )


@router.patch(
    "/data-mode",
    operation_id="consents_set_data_mode",
    summary="Choose whether own words may leave",
    responses=problem_responses(403, 404, 413, 422, 503),
)
async def set_data_mode(uuid: str, body: DataModeUpdate, session: WriteSession, now: Now) -> ConsentOut:
    """Text is exported only if the mode was `sync` when it was written and is `sync` at the export. The answer has the
    `participant_code` only for UUIDs."""
    user = await get_user_or_404(session, uuid, for_update=True)
    try:
        entry = await actions.change_data_mode(session, user, body.data_mode, now)
    except actions.NoConsent as error:
        raise ProblemOccurred(NO_CONSENT, "There is no consent in force whose mode could be changed.") from error
    return _told(entry, user)


def _told(entry: Consent, user: User) -> ConsentOut:
    """The entry, without the participant's code if the id can be guessed."""
    told = ConsentOut.model_validate(entry)
    return told if cannot_be_guessed(user.uuid) else told.model_copy(update={"participant_code": None})
