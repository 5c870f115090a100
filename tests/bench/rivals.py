"""What the coach is compared with: a FastAPI app and a bare ASGI function, each with a fixed answer, and MLflow.

The fixed answer is one that the coach gave; the process finds it in the file that BENCH_ANSWER names. The coach itself
is not imported here, so that neither app carries any of it.
"""

import os
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

ANSWER_FILE = "BENCH_ANSWER"

type Share = Annotated[float, Field(ge=0, le=1, strict=True)]


class Context(BaseModel):
    model_config = ConfigDict(extra="forbid")

    budget_used_ratio: Share
    needs_share: Share
    wants_share: Share
    culture_share: Share
    unexpected_share: Share
    savings_goal_progress: Share
    prev_w_adj: Share
    prev_c_adj: Share
    prev_s_adj: Share
    risk_profile: Share


class Suggestion(BaseModel):
    code: str
    lever: str
    change_percent: int
    title: str
    message: str
    because: list[str]
    challenge_slug: str | None


class Answer(BaseModel):
    suggestion_id: str
    source: Literal["policy", "rules"]
    fallback_reason: str | None
    policy_id: str
    w_adj: float
    c_adj: float
    s_adj: float
    suggestions: list[Suggestion]
    created_at: datetime


def plain_fastapi() -> FastAPI:
    """As FastAPI's tutorial would write it; its own telemetry is off, as it is in `buddy serve`."""
    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})
    answer = Answer.model_validate_json(_answer())

    @app.post("/coach/suggestions")
    async def suggest(context: Context) -> Answer:  # noqa: ARG001 - parsed and validated, which is what is measured
        return answer

    return app


def bare_asgi() -> Callable[..., Awaitable[None]]:
    """The least that an ASGI server can be asked to do."""
    answer = _answer()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]

    async def app(scope: dict[str, Any], receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"only http is answered, not {scope['type']}")
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    return app


def save_mlflow_model(graph: Path, folder: Path) -> None:
    """Wrap the graph as `mlflow models serve` wants it, with the session options that the coach uses."""
    import mlflow.onnx
    import onnx

    mlflow.onnx.save_model(
        onnx.load(str(graph)),
        str(folder),
        pip_requirements=[],  # it runs in this environment; finding them out takes seconds
        onnx_execution_providers=["CPUExecutionProvider"],
        onnx_session_options={"intra_op_num_threads": 1, "inter_op_num_threads": 1},
    )


def _answer() -> bytes:
    return Path(os.environ[ANSWER_FILE]).read_bytes()


if __name__ == "__main__":  # in a process of its own, since mlflow is large
    save_mlflow_model(Path(sys.argv[1]), Path(sys.argv[2]))
