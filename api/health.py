"""The welcome, the health checks and the metrics."""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from api.app_state import services_of
from api.db.failures import RETRY_SECONDS
from api.http.bearer import is_token
from api.http.local_requests import is_this_machine
from api.http.openapi import problem_responses
from api.http.problems import METRICS_FORBIDDEN, NOT_READY, FieldError, ProblemOccurred
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


@router.get(
    "/health/ready", operation_id="health_ready", summary="Can requests be answered?", responses=problem_responses(503)
)
async def ready(request: Request) -> dict[str, str | None]:
    """Says that the service is ready, and what decides: a policy by its id, or the rules and why. Answers 503 with the
    reasons while the database does not answer or has the tables of another version, and while the process stops.
    A probe every second is fine."""
    services = services_of(request)
    reasons = [FieldError("process", "it is about to stop")] if services.shutdown.is_announced else []
    complaint = await services.readiness.complaint()
    if complaint is not None:
        reasons.append(FieldError("database", complaint))
    if reasons:
        detail = "; ".join(reason.message for reason in reasons)
        raise ProblemOccurred(NOT_READY, detail, reasons, {"Retry-After": str(RETRY_SECONDS)})
    policy = services.budget.now
    if isinstance(policy, OnnxPolicy):
        return {"status": "ready", "coach": "policy", "policy_id": policy.policy_id, "fallback_reason": None}
    return {"status": "ready", "coach": "rules", "policy_id": None, "fallback_reason": policy}


@router.get(
    "/metrics",
    operation_id="metrics_read",
    summary="Prometheus metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}, **problem_responses(403)},
)
async def metrics(request: Request) -> Response:
    """With `METRICS_TOKEN` as a bearer token. Without a token this machine reads it, unless the settings say that the
    service is reached from elsewhere (`TRUSTED_PROXIES`, `PUBLIC_URL`, `HOST`). A forwarded request is not this
    machine's."""
    services = services_of(request)
    if not _may_read(request, services.settings):
        raise ProblemOccurred(
            METRICS_FORBIDDEN, "Send METRICS_TOKEN as a bearer token, or ask a private service from its own machine."
        )
    return Response(services.metrics.exposed(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _may_read(request: Request, settings: Settings) -> bool:
    if settings.metrics_token is not None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return scheme.casefold() == "bearer" and is_token(token.strip(), settings.metrics_token)
    return not settings.is_public and is_this_machine(request)
