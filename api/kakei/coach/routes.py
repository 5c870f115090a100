"""Routes of the budget coach: one decision, many decisions, and the policy for apps that decide on the device."""

import asyncio
from dataclasses import dataclass

import msgspec
from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.app_state import services_of
from api.clock import Clock, to_the_second
from api.db.failures import RETRY_SECONDS
from api.http.error_texts import msgspec_sentence
from api.http.idempotency import LONGEST_KEY, Answered, claim_key, keep_answer
from api.http.json_body import decoded, field_errors
from api.http.openapi import header_parameter, json_body, json_content, problem_responses
from api.http.problems import INVALID_INPUT, NO_POLICY, TOO_BUSY, FieldError, ProblemOccurred
from api.http.request_body import read_json
from api.kakei.accounts.dependencies import writer_or_404
from api.kakei.accounts.queries import Writer
from api.kakei.coach.actions import Answering
from api.kakei.coach.app_state import coach_of
from api.kakei.coach.decider import Decider
from api.kakei.coach.responses import answer_of
from api.kakei.coach.schemas import (
    EXAMPLE_ANSWER,
    EXAMPLE_CONTEXT,
    CoachAnswer,
    CoachBatch,
    CoachBatchAnswer,
    CoachContext,
    RowError,
)
from api.models import IdempotencyKey
from coach_model.budget.messages import BALANCED, LANGUAGES, messages, preferred_language
from coach_model.onnx_policy import OnnxPolicy

LARGEST_BATCH_BODY = 4 * 2**20
"""Bytes."""
HEADERS = [
    header_parameter("X-User-UUID", "Who asks; without it nothing is stored.", maxLength=64),
    header_parameter("Idempotency-Key", "With `X-User-UUID`: same key (1 to 255 characters), same answer."),
    header_parameter("Accept-Language", "English or Japanese."),
]
MOST_BATCHES = 8
"""Batches that may wait in each process: each holds some tens of megabytes, and takes some tenths of a second."""
BODIES_READ_HERE = frozenset({"/coach/suggestions", "/coach/suggestions/batch"})
"""Paths whose endpoints limit their bodies themselves."""

router = APIRouter(prefix="/coach", tags=["coach"])
_context = msgspec.json.Decoder(CoachContext)
_batch = msgspec.json.Decoder(CoachBatch)
_encode = msgspec.json.Encoder().encode


@router.post(
    "/suggestions",
    operation_id="coach_suggest",
    summary="Ask the coach for one decision",
    openapi_extra=json_body(CoachContext, EXAMPLE_CONTEXT) | {"parameters": HEADERS},
    responses={
        200: json_content("The decision", CoachAnswer, EXAMPLE_ANSWER),
        **problem_responses(404, 409, 413, 422, 429),
    },
)
async def suggest(request: Request) -> Response:
    """The learned policy answers, or the rules if it is not usable: `source` says which, `fallback_reason` why.

    Anonymous requests store nothing. With `X-User-UUID` the coach uses the tone of the user's `coach_style`, and stores
    the suggested challenges for 60 days, so that they can be accepted with `source: ai`. The decision for a user who
    consented to research is stored before the answer. The coach also answers without the database.
    `Accept-Language` chooses English or Japanese. Anonymous requests are not rate limited.
    """
    body = await read_json(request)
    context = msgspec.structs.astuple(decoded(_context, body))
    coach, language = coach_of(request), _language(request)
    uuid = request.headers.get("x-user-uuid")
    if uuid is None:
        decision = await coach.decider.decision(context)
        return _response(answer_of(decision, messages(language, BALANCED), to_the_second(coach.clock)))
    asker = _Asker(request, uuid, _idempotency_key(request), body)
    try:
        return _response(await Answering(coach, asker, context, language).answer())
    except Answered as answered:
        return answered.response


@dataclass(frozen=True, slots=True)
class _Asker:
    """The user in `X-User-UUID`, and the request's `Idempotency-Key`."""

    request: Request
    uuid: str
    key: str | None
    body: bytes

    async def user(self, session: AsyncSession) -> Writer:
        writer = await writer_or_404(session, self.uuid)
        if self.key is not None:
            now = coach_of(self.request).clock()
            await claim_key(self.request, session, IdempotencyKey, writer.id, self.key, self.body, now)
        return writer

    async def keep(self, session: AsyncSession, answer: CoachAnswer) -> None:
        await keep_answer(self.request, session, _response(answer))


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not 1 <= len(key) <= LONGEST_KEY:
        wrong = FieldError("Idempotency-Key", f"must have 1 to {LONGEST_KEY} characters")
        raise ProblemOccurred(INVALID_INPUT, f"Idempotency-Key: {wrong.message}", [wrong])
    return key


@router.post(
    "/suggestions/batch",
    operation_id="coach_suggest_batch",
    summary="Ask the coach for many decisions",
    openapi_extra=json_body(CoachBatch, {"contexts": [EXAMPLE_CONTEXT]}),
    responses={
        200: json_content("The decisions", CoachBatchAnswer, {"answers": [EXAMPLE_ANSWER], "errors": []}),
        **problem_responses(413, 422, 429, 503),
    },
)
async def suggest_batch(request: Request) -> Response:
    """Decides for up to 10,000 contexts, 4 MiB in total. A bad context gets null in the answers and an entry in
    `errors`; the others are still answered."""
    body = await read_json(request, LARGEST_BATCH_BODY)
    coach = coach_of(request)
    if len(coach.batches_waiting) >= MOST_BATCHES:
        headers = {"Retry-After": str(RETRY_SECONDS)}
        raise ProblemOccurred(TOO_BUSY, "Too many batches are waiting. Send it again.", headers=headers)
    work = asyncio.get_running_loop().run_in_executor(
        coach.batches, _answer_batch, coach.decider, body, _language(request), coach.clock
    )
    coach.batches_waiting.add(work)
    work.add_done_callback(coach.batches_waiting.discard)
    return Response(await work, media_type="application/json")


@router.get(
    "/model",
    operation_id="coach_get_model",
    summary="The card of the policy that is served",
    responses={200: {"description": "The card", "content": {"application/json": {}}}, **problem_responses(404)},
)
async def get_model(request: Request) -> Response:
    """The origin of the policy, its evaluation, and the conclusions that it supports."""
    return Response(_policy(request).card_bytes, media_type="application/json")


@router.get(
    "/model/policy.onnx",
    operation_id="coach_get_model_graph",
    summary="The policy as an ONNX graph",
    responses={
        200: {"description": "The graph", "content": {"application/octet-stream": {}}},
        **problem_responses(404),
    },
)
async def get_model_graph(request: Request) -> Response:
    """For apps that decide on the device: the graph includes standardisation, eligibility, rules and support, so that
    its `level` equals the decision of the service."""
    return Response(_policy(request).graph, media_type="application/octet-stream")


def _response(answer: CoachAnswer) -> Response:
    return Response(_encode(answer), media_type="application/json")


def _answer_batch(decider: Decider, body: bytes, language: str, clock: Clock) -> bytes:
    """Answer the whole batch; runs in its own thread."""
    contexts = decoded(_batch, body).contexts
    good: list[tuple[float, ...]] = []
    places: list[int] = []
    errors: list[RowError] = []
    for index, row in enumerate(contexts):
        try:
            good.append(msgspec.structs.astuple(msgspec.convert(row, CoachContext)))
            places.append(index)
        except msgspec.ValidationError as error:
            bad = field_errors(CoachContext, row) or [FieldError("", msgspec_sentence(str(error)))]
            errors += [RowError(index, e.field, e.message) for e in bad]
    answers: list[CoachAnswer | None] = [None] * len(contexts)
    said, now = messages(language, BALANCED), to_the_second(clock)
    if good:
        for place, decision in zip(places, decider.decisions(good), strict=True):
            answers[place] = answer_of(decision, said, now)
    return _encode(CoachBatchAnswer(answers, errors))


def _policy(request: Request) -> OnnxPolicy:
    policy = services_of(request).budget.now
    if not isinstance(policy, OnnxPolicy):
        raise ProblemOccurred(NO_POLICY, f"The rules answer every request ({policy}).")
    return policy


def _language(request: Request) -> str:
    header = request.headers.get("accept-language")
    return preferred_language(header) if header else LANGUAGES[0]
