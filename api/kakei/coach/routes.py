"""The budget coach: one decision, many decisions, and the policy itself for apps that decide on the device."""

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor

import msgspec
from fastapi import APIRouter, FastAPI, Request, Response

from api.bodies import decoded, field_errors, read_body
from api.errors import NO_POLICY, FieldError, ProblemOccurred
from api.kakei.coach.answers import answer_of, now_utc
from api.kakei.coach.schemas import (
    EXAMPLE_ANSWER,
    EXAMPLE_CONTEXT,
    CoachAnswer,
    CoachBatch,
    CoachBatchAnswer,
    CoachContext,
    RowError,
)
from api.kakei.coach.serving import Decider, ServedPolicy
from api.openapi import json_body, json_content, problems
from coach_model.budget.messages import BALANCED, LANGUAGES, messages, preferred_language
from coach_model.onnx_policy import OnnxPolicy

LARGEST_BATCH_BODY = 4 * 2**20
"""Bytes."""
BODIES_READ_HERE = frozenset({"/coach/suggestions", "/coach/suggestions/batch"})
"""Paths whose endpoints bound their bodies themselves."""

router = APIRouter(prefix="/coach", tags=["coach"])
_context = msgspec.json.Decoder(CoachContext)
_batch = msgspec.json.Decoder(CoachBatch)
_encode = msgspec.json.Encoder().encode


@router.post(
    "/suggestions",
    operation_id="coach_suggest",
    summary="Ask the coach for one decision",
    openapi_extra=json_body(CoachContext, EXAMPLE_CONTEXT),
    responses={200: json_content("The decision", CoachAnswer, EXAMPLE_ANSWER), **problems(413, 422)},
)
async def suggest(request: Request) -> Response:
    """The learned policy answers, or the rules where it cannot be trusted: `source` says who, `fallback_reason` why.

    Anonymous: nothing is stored. `Accept-Language` chooses English or Japanese.
    """
    context = decoded(_context, await read_body(request))
    decision = await request.app.state.decider.decision(msgspec.structs.astuple(context))
    said = messages(_language(request), BALANCED)
    return Response(_encode(answer_of(decision, said, now_utc())), media_type="application/json")


@router.post(
    "/suggestions/batch",
    operation_id="coach_suggest_batch",
    summary="Ask the coach for many decisions",
    openapi_extra=json_body(CoachBatch, {"contexts": [EXAMPLE_CONTEXT]}),
    responses={
        200: json_content("The decisions", CoachBatchAnswer, {"answers": [EXAMPLE_ANSWER], "errors": []}),
        **problems(413, 422, 429),
    },
)
async def suggest_batch(request: Request) -> Response:
    """Decide for up to 10,000 contexts, 4 MiB in all. A bad context is null among the answers and named in `errors`;
    the others are answered all the same."""
    body = await read_body(request, LARGEST_BATCH_BODY)
    language = _language(request)
    work = asyncio.get_running_loop().run_in_executor(
        request.app.state.batches, _answer_batch, request.app, body, language
    )
    return Response(await work, media_type="application/json")


@router.get(
    "/model",
    operation_id="coach_get_model",
    summary="The card of the policy that is served",
    responses={200: {"description": "The card", "content": {"application/json": {}}}, **problems(404)},
)
async def get_model(request: Request) -> Response:
    """Where the policy comes from, what it was judged by, and what may be concluded."""
    policy = _policy(request)
    return _cacheable(request, policy.card_bytes, "application/json")


@router.get(
    "/model/policy.onnx",
    operation_id="coach_get_model_graph",
    summary="The policy as an ONNX graph",
    responses={200: {"description": "The graph", "content": {"application/octet-stream": {}}}, **problems(404)},
)
async def get_model_graph(request: Request) -> Response:
    """For apps that decide on the device: the graph holds standardisation, eligibility, rules and support, so that its
    `level` is the decision that the service would take."""
    return _cacheable(request, _policy(request).graph, "application/octet-stream")


def start(app: FastAPI, served: ServedPolicy) -> None:
    """Give the routes what they need for the life of the app."""
    app.state.served = served
    app.state.decider = Decider(served, app.state.metrics)
    app.state.batches = ThreadPoolExecutor(max_workers=1, thread_name_prefix="coach-batch")


def _answer_batch(app: FastAPI, body: bytes, language: str) -> bytes:
    """The whole batch, in a thread of its own."""
    contexts = decoded(_batch, body).contexts
    good: list[tuple[float, ...]] = []
    places: list[int] = []
    errors: list[RowError] = []
    for index, row in enumerate(contexts):
        try:
            good.append(msgspec.structs.astuple(msgspec.convert(row, CoachContext)))
            places.append(index)
        except msgspec.ValidationError as error:
            bad = field_errors(CoachContext, row) or [FieldError("", str(error))]
            errors += [RowError(index, e.field, e.message) for e in bad]
    answers: list[CoachAnswer | None] = [None] * len(contexts)
    said, now = messages(language, BALANCED), now_utc()
    if good:
        for place, decision in zip(places, app.state.decider.decisions(good), strict=True):
            answers[place] = answer_of(decision, said, now)
    return _encode(CoachBatchAnswer(answers, errors))


def _policy(request: Request) -> OnnxPolicy:
    policy = request.app.state.served.now
    if not isinstance(policy, OnnxPolicy):
        raise ProblemOccurred(NO_POLICY, f"The rules answer every request ({policy}).")
    return policy


def _cacheable(request: Request, content: bytes, media_type: str) -> Response:
    etag = f'"{hashlib.sha256(content).hexdigest()}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if known & {etag, "*"}:
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=media_type)


def _language(request: Request) -> str:
    header = request.headers.get("accept-language")
    return preferred_language(header) if header else LANGUAGES[0]
