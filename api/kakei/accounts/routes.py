"""Users and their budget profiles."""

import uuid as uuids
from typing import Any

from fastapi import APIRouter, Request, Response

from api.app_state import services_of
from api.dependencies import Now, ReadSession, WriteSession
from api.http.idempotency import IdempotencyKeyHeader, IdempotentRoute, claim_key
from api.http.openapi import problem_responses
from api.http.problems import (
    INCOME_RANGE_UNKNOWN,
    PROFILE_MISSING,
    RESERVED_NAME,
    UUID_NEEDED,
    FieldError,
    ProblemOccurred,
)
from api.http.user_ids import cannot_be_guessed, canonical_id
from api.kakei.accounts import erasure, queries
from api.kakei.accounts.dependencies import get_user_or_404, owner
from api.kakei.accounts.rules import is_reserved
from api.kakei.accounts.schemas import (
    BudgetProfile,
    BudgetProfileUpdate,
    IncomeRangeOut,
    Points,
    Receipt,
    Status,
    UserCreate,
    UserCreated,
)
from api.models import IdempotencyKey, Profile

router = APIRouter(prefix="/api", tags=["users"], route_class=IdempotentRoute)


@router.post(
    "/users",
    operation_id="users_create",
    summary="Create an anonymous user",
    status_code=201,
    response_model=UserCreated,
    responses={
        200: {"model": UserCreated, "description": "The user existed before"},
        **problem_responses(409, 413, 422, 503),
    },
)
async def create(
    session: WriteSession,
    now: Now,
    request: Request,
    response: Response,
    body: UserCreate | None = None,
    idempotency_key: IdempotencyKeyHeader = None,
) -> UserCreated:
    """201 for a new user, 200 for an existing one. The id is a capability: keep it like a password. The body is
    optional. Without a `uuid` the service generates one, and an `Idempotency-Key` has no owner and is ignored.

    UUIDs ignore case (RFC 9562) and are returned in lower case. Every other id is opaque and compares exactly, also a
    UUID without hyphens. An id that is not a UUID can be guessed: the app can upload with it, but cannot read or erase
    a person's data. If the operator requires UUIDs, other ids are refused (422).
    """
    sent = body.uuid if body else None
    wanted = canonical_id(sent) if sent else str(uuids.uuid4())
    if is_reserved(wanted):
        raise ProblemOccurred(RESERVED_NAME, "This name is reserved.", [FieldError("uuid", "is reserved")])
    refused = services_of(request).settings.require_uuids and not cannot_be_guessed(wanted)
    found = await queries.user_by_uuid(session, sent) if sent and (refused or sent != wanted) else None
    if found is not None:
        wanted, response.status_code = found.uuid, 200
    elif refused:
        needed = FieldError("uuid", "must be a UUID, such as 6f1c2f0e-5b0a-4a6f-9d5e-3b1f0a7c2d11")
        raise ProblemOccurred(UUID_NEEDED, f"uuid: {needed.message}", [needed])
    elif not await queries.create_user(session, wanted, now):
        response.status_code = 200
    if sent is not None and idempotency_key is not None:
        user = await get_user_or_404(session, wanted)
        await claim_key(request, session, IdempotencyKey, user.id, idempotency_key, await request.body(), now)
    return UserCreated(uuid=wanted)


@router.get(
    "/users/{uuid}/data",
    operation_id="users_get_data",
    summary="All stored data of a user",
    responses=problem_responses(403, 404, 503),
)
async def get_data(uuid: str, session: ReadSession) -> dict[str, list[dict[str, Any]]]:
    """Every row by table. Only for UUIDs, which cannot be guessed."""
    user = await owner(session, uuid)
    return await erasure.personal_data_of(session, user)


@router.delete(
    "/users/{uuid}",
    operation_id="users_erase",
    summary="Erase a user for good",
    responses=problem_responses(403, 404, 503),
)
async def erase(uuid: str, session: WriteSession, now: Now) -> Receipt:
    """Deletes all rows of the user in every table and returns the receipt. Only for UUIDs, which cannot be guessed."""
    user = await owner(session, uuid)
    return Receipt.model_validate(await erasure.erase(session, user, now))


@router.get(
    "/income-ranges", operation_id="income_ranges_list", summary="The income ranges", responses=problem_responses(503)
)
async def list_income_ranges(session: ReadSession) -> list[IncomeRangeOut]:
    """The seeded ranges, lowest first."""
    return [IncomeRangeOut.model_validate(found) for found in await queries.income_ranges(session)]


@router.put(
    "/users/{uuid}/profile",
    operation_id="users_put_profile",
    summary="Create or update a budget profile",
    responses=problem_responses(404, 413, 422, 503),
)
async def put_profile(uuid: str, body: BudgetProfileUpdate, session: WriteSession, now: Now) -> Status:
    """Replaces the whole profile; safe to retry."""
    user = await get_user_or_404(session, uuid)
    if not await queries.is_income_range(session, body.income_range_id):
        unknown = FieldError("income_range_id", "is not one of the income ranges")
        raise ProblemOccurred(INCOME_RANGE_UNKNOWN, "GET /api/income-ranges lists the ranges.", [unknown])
    before = await queries.profile_of(session, user.id)
    values = body.model_dump() | {"user_profile": str(body.user_profile), "updated_at": now}
    await queries.put_profile(session, user.id, values)
    return Status(status="updated" if before else "created")


@router.get(
    "/users/{uuid}/profile",
    operation_id="users_get_profile",
    summary="Read a budget profile",
    responses=problem_responses(403, 404, 503),
)
async def get_profile(uuid: str, session: ReadSession) -> BudgetProfile:
    """The stored profile, including the exact income. Only for UUIDs."""
    user = await owner(session, uuid)
    profile: Profile | None = await queries.profile_of(session, user.id)
    if profile is None:
        raise ProblemOccurred(PROFILE_MISSING, "This user has no profile yet.")
    return BudgetProfile.model_validate(profile)


@router.get(
    "/users/{uuid}/points",
    operation_id="users_get_points",
    summary="Total points",
    responses=problem_responses(404, 503),
)
async def get_points(uuid: str, session: ReadSession) -> Points:
    """The sum of the user's points ledger."""
    user = await get_user_or_404(session, uuid)
    return Points(total_points=await queries.total_points(session, user.id))
