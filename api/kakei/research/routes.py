"""Routes of instruments and research uploads."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.db.upsert import Upserted
from api.dependencies import Now
from api.http import problems
from api.http.idempotency import IdempotentRoute
from api.http.openapi import problem_responses
from api.http.problems import FieldError, ProblemOccurred
from api.http.user_ids import cannot_be_guessed
from api.kakei.accounts.dependencies import get_user_or_404
from api.kakei.challenges.rules import month_problem
from api.kakei.consent.queries import consent_id_in_force, consent_in_force
from api.kakei.idempotency import OnceSession
from api.kakei.research import queries, rules
from api.kakei.research.actions import Answers, keep_answers
from api.kakei.research.schemas import (
    EventCreate,
    EventStored,
    InstrumentOut,
    ItemOut,
    Phase,
    ProgressSnapshotCreate,
    ProgressSnapshotOut,
    ResponseCreate,
    ResponseOut,
    Track,
)
from api.models import AppEvent, ProgressSnapshot
from api.models import Response as StoredResponse
from data.catalog import catalog
from data.catalog.instruments import Instrument, instruments, missing_answer
from data.schema.missing import Missing

router = APIRouter(prefix="/api", tags=["research"], route_class=IdempotentRoute)


@router.get(
    "/research/instruments",
    operation_id="instruments_list",
    summary="Survey instruments",
    responses=problem_responses(422),
)
async def list_instruments(
    phase: Annotated[Phase | None, Query(description="Only those asked in this phase.")] = None,
    track: Annotated[Track | None, Query(description="Only those of this track.")] = None,
) -> list[InstrumentOut]:
    """Items, response options with their values, source and licence, ready to display."""
    return [
        _shown(instrument)
        for instrument in instruments().values()
        if phase in {None, *instrument.phases} and track in {None, instrument.track}
    ]


@router.post(
    "/users/{uuid}/research/responses",
    operation_id="responses_create",
    summary="Store answers to an instrument",
    status_code=201,
    responses={
        200: {"model": ResponseOut, "description": "Stored before"},
        **problem_responses(403, 404, 409, 413, 422, 503),
    },
)
async def create_response(
    uuid: str, body: ResponseCreate, session: OnceSession, now: Now, response: Response
) -> ResponseOut:
    """Needs consent in force. Partial answers are kept with what is missing and why; a later answer to the same
    instrument in the same phase (weekly: the same week, monthly: the same month) is a new version. Older answers are
    kept beside it, and `applied` is false. A user whose id can be guessed is not told when the same was stored before:
    `received_at` is now."""
    user = await get_user_or_404(session, uuid)
    consent = await consent_in_force(session, user.id)
    if consent is None:
        raise ProblemOccurred(problems.NO_CONSENT, "Answers are collected only from those who consented to research.")
    instrument = instruments().get(body.instrument_key)
    if instrument is None:
        raise _invalid([("instrument_key", "GET /api/research/instruments lists the instruments")])
    wrong = rules.response_problems(instrument, body.phase, body.response_type, body.responses)
    if wrong:
        raise _invalid(wrong)
    answers = Answers(instrument, body.phase, body.responses, body.client_timestamp)
    kept = await keep_answers(session, consent, answers, now)
    if not kept.is_new:
        response.status_code = 200
    received_at = kept.response.received_at if cannot_be_guessed(user.uuid) else now
    return _response_out(instrument, kept.response, applied=kept.applied, received_at=received_at)


@router.post(
    "/users/{uuid}/events",
    operation_id="events_create",
    summary="Store an app event",
    status_code=201,
    responses={
        200: {"model": EventStored, "description": "Stored before, or not stored for want of consent"},
        **problem_responses(404, 409, 413, 422, 503),
    },
)
async def create_event(uuid: str, body: EventCreate, session: OnceSession, now: Now, response: Response) -> EventStored:
    """Without consent in force nothing is stored, and the answer says so. Known events are checked against the
    catalog; unknown names are stored and marked. A repeated event is stored once."""
    user = await get_user_or_404(session, uuid)
    known = {event["name"]: event.get("context", {}) for event in catalog("events")}.get(body.event_name)
    wrong = rules.context_problems(known, body.context) if known is not None else []
    if wrong:
        raise _invalid(wrong)
    consent = await consent_in_force(session, user.id)
    if consent is None:
        response.status_code = 200
        return EventStored(stored=False)
    values = {
        "user_id": user.id,
        "consent_id": consent.id,
        "client_timestamp": body.client_timestamp,
        "received_at": now,
        "fingerprint": rules.fingerprint(body.event_name, body.context, body.client_timestamp),
        "event_name": body.event_name,
        "known": known is not None,
        "context": body.context,
    }
    if not await queries.add_once(session, AppEvent, values):
        response.status_code = 200
    return EventStored(stored=True, known=known is not None)


@router.post(
    "/users/{uuid}/research/progress-snapshots",
    operation_id="progress_snapshots_put",
    summary="Upload a snapshot of progress",
    status_code=201,
    responses={
        200: {"model": ProgressSnapshotOut, "description": "There was one"},
        **problem_responses(404, 409, 413, 422, 503),
    },
)
async def put_snapshot(
    uuid: str, body: ProgressSnapshotCreate, session: OnceSession, now: Now, response: Response
) -> ProgressSnapshotOut:
    """201 for a new month, 200 where there was one. The latest client time wins: `applied` is false where a later one
    was there, and the answer is what is stored. A user whose id can be guessed is answered what this very request
    sent instead."""
    user = await get_user_or_404(session, uuid)
    if wrong := month_problem(body.month_range, now):
        raise _invalid([("month_range", wrong)])
    values = body.model_dump(exclude={"month_range"})
    values |= {"consent_id": await consent_id_in_force(session, user.id), "received_at": now}
    put = await queries.put_snapshot(session, values | {"user_id": user.id, "month": body.month_range})
    if not put.new:
        response.status_code = 200
    if not put.applied and not cannot_be_guessed(user.uuid):
        return ProgressSnapshotOut(**body.model_dump(), received_at=now, applied=False)
    return _snapshot_out(put)


def _shown(instrument: Instrument) -> InstrumentOut:
    return InstrumentOut(
        key=instrument.key,
        version=instrument.version,
        title=instrument.title,
        description=instrument.description,
        track=instrument.track,
        phases=list(instrument.phases),
        response_type=instrument.response_type,
        instructions=instrument.instructions,
        source=instrument.source,
        licence=instrument.licence,
        score=instrument.scoring["label"] if instrument.scoring else None,
        items=[ItemOut.model_validate(item) for item in instrument.items],
    )


def _response_out(
    instrument: Instrument, stored: StoredResponse, *, applied: bool, received_at: datetime
) -> ResponseOut:
    why = {item.id: missing_answer(stored.answers, item.id) for item in instrument.items}
    return ResponseOut(
        instrument_key=stored.instrument_key,
        instrument_version=stored.instrument_version,
        phase=stored.phase,
        period=stored.period,
        answered=sum(reason is None for reason in why.values()),
        skipped=[name for name, reason in why.items() if reason is Missing.SKIPPED],
        not_asked=[name for name, reason in why.items() if reason is Missing.NOT_ASKED],
        score=stored.score,
        score_missing=stored.score_missing,
        received_at=received_at,
        applied=applied,
    )


def _snapshot_out(put: Upserted[ProgressSnapshot]) -> ProgressSnapshotOut:
    names = ProgressSnapshotOut.model_fields.keys() - {"month_range", "applied"}
    values = {name: getattr(put.row, name) for name in names}
    return ProgressSnapshotOut(month_range=put.row.month, applied=put.applied, **values)


def _invalid(wrong: rules.Problems) -> ProblemOccurred:
    found = [FieldError(field, message) for field, message in wrong]
    return ProblemOccurred(problems.INVALID_INPUT, "; ".join(f"{e.field}: {e.message}" for e in found), found)
