"""The welcome, the health checks and the metrics."""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from api.auth.local_requests import is_this_machine
from api.errors import METRICS_FORBIDDEN, ProblemOccurred
from api.openapi import problems
from api.security import is_token
from api.settings import Settings
from coach_model.onnx_policy import OnnxPolicy

router = APIRouter(tags=["health"])


@router.get("/", operation_id="root_welcome", summary="Welcome")
async def welcome() -> dict[str, str]:
    """The greeting of the reference, its spelling included."""
    return {"message": "Welcome to KakieBuddy API"}


@router.get("/health/live", operation_id="health_live", summary="Is the process alive?")
async def live() -> dict[str, str]:
    """Answers as long as the process can answer at all."""
    return {"status": "live"}


@router.get("/health/ready", operation_id="health_ready", summary="Can requests be answered?")
async def ready(request: Request) -> dict[str, str | None]:
    """Ready, and who answers: a policy by its id, or the rules and why."""
    policy = request.app.state.served.now
    if isinstance(policy, OnnxPolicy):
        return {"status": "ready", "coach": "policy", "policy_id": policy.policy_id, "fallback_reason": None}
    return {"status": "ready", "coach": "rules", "policy_id": None, "fallback_reason": policy}


@router.get(
    "/metrics",
    operation_id="metrics_read",
    summary="Prometheus metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}, **problems(403)},
)
async def metrics(request: Request) -> Response:
    """For this machine only, or with `METRICS_TOKEN` as a bearer token. A request that a proxy forwarded is not from
    this machine, wherever the proxy runs."""
    if not _may_read(request, request.app.state.settings):
        raise ProblemOccurred(METRICS_FORBIDDEN, "Ask from the machine itself, or send the token as a bearer token.")
    return Response(request.app.state.metrics.exposed(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _may_read(request: Request, settings: Settings) -> bool:
    if settings.metrics_token is not None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return scheme.casefold() == "bearer" and is_token(token.strip(), settings.metrics_token)
    return is_this_machine(request)
