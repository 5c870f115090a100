"""The servers that the coach is compared with: a FastAPI app and a bare ASGI function with a fixed answer, and MLflow.

The fixed answer is one that the coach gave. The environment variable BENCH_ANSWER names its file. This module does not
import the coach, so that its code does not affect the other servers.
"""

import os
import sys
from collections.abc import Awaitable, Callable
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
    created_at: str  # as the coach writes it; pydantic would leave out the milliseconds


def plain_fastapi() -> FastAPI:
    """A FastAPI app in the style of FastAPI's tutorial. Its telemetry is off, as in `buddy serve`."""
    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})
    answer = Answer.model_validate_json(_answer())

    @app.post("/coach/suggestions")
    async def suggest(context: Context) -> Answer:  # noqa: ARG001 - parsing and validation are measured
        return answer

    return app


def bare_asgi() -> Callable[..., Awaitable[None]]:
    """The smallest possible ASGI app."""
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
    """Save the graph as a model for `mlflow models serve`, with the session options of the coach."""
    import mlflow.onnx
    import onnx

    mlflow.onnx.save_model(
        onnx.load(str(graph)),
        str(folder),
        pip_requirements=[],  # it runs in this environment; inferring requirements takes seconds
        onnx_execution_providers=["CPUExecutionProvider"],
        onnx_session_options={"intra_op_num_threads": 1, "inter_op_num_threads": 1},
    )


def _answer() -> bytes:
    return Path(os.environ[ANSWER_FILE]).read_bytes()


if __name__ == "__main__":  # run in a separate process, because mlflow is large
    save_mlflow_model(Path(sys.argv[1]), Path(sys.argv[2]))
