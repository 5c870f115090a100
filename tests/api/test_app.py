"""The whole service: health, request ids, logs, metrics, errors, docs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from api.kakei.coach.schemas import EXAMPLE_CONTEXT
from tests.support.serving import BUDDY, CLIENT, METRICS_TOKEN, Server, service


def test_the_greeting_is_that_of_the_reference(running: Server) -> None:
    assert CLIENT.get(f"{running.url}/").json() == {"message": "Welcome to KakieBuddy API"}


def test_live_and_ready(running: Server) -> None:
    assert CLIENT.get(f"{running.url}/health/live").json() == {"status": "live"}
    ready = CLIENT.get(f"{running.url}/health/ready/").json()
    assert ready["status"] == "ready"
    assert ready["coach"] == "policy"


def test_a_request_id_is_echoed_or_made(running: Server) -> None:
    sent = CLIENT.get(f"{running.url}/nowhere", headers={"X-Request-ID": "phone-1.a_B"})
    assert sent.headers["x-request-id"] == "phone-1.a_B"
    assert sent.json()["instance"] == "urn:request:phone-1.a_B"
    for bad in ("spaces are bad", "x" * 65, "<script>"):
        made = CLIENT.get(f"{running.url}/", headers={"X-Request-ID": bad}).headers["x-request-id"]
        assert len(made) == 32


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("DELETE", "/coach/suggestions", 405, "method_not_allowed"),
        ("POST", "/health/live", 405, "method_not_allowed"),
    ],
)
def test_errors_of_the_framework_are_problems_too(
    method: str, path: str, status: int, code: str, running: Server
) -> None:
    response = CLIENT.request(method, running.url + path)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == code
    assert {"type", "title", "status", "detail", "instance", "code"} <= set(response.json())


def test_logs_and_metrics_name_routes_and_never_paths(running: Server) -> None:
    CLIENT.get(f"{running.url}/api/users/a-capability/points")
    CLIENT.get(f"{running.url}/nowhere")
    CLIENT.post(f"{running.url}/coach/suggestions/", json=EXAMPLE_CONTEXT, headers={"X-Request-ID": "find-me"})
    metrics = running.metrics()
    assert "a-capability" not in metrics
    assert "a-capability" not in running.log()
    assert 'buddy_coach_decisions_total{coach="budget",reason="",source="policy"}' in metrics
    assert 'buddy_request_seconds_count{method="POST",route="/coach/suggestions",status="200"}' in metrics
    assert 'route="(unmatched)"' in metrics
    lines = [json.loads(line) for line in running.log().splitlines()]
    (found,) = [line for line in lines if line.get("request_id") == "find-me"]
    assert (found["route"], found["status"], found["level"]) == ("/coach/suggestions", 200, "info")


def test_metrics_are_for_the_token_once_there_is_one(tmp_path: Path) -> None:
    with service(tmp_path, {"METRICS_TOKEN": METRICS_TOKEN}, from_shell=True) as running:
        for headers, status in (
            ({}, 403),
            ({"Authorization": "Bearer wrong"}, 403),
            ({"Authorization": f"Basic {METRICS_TOKEN}"}, 403),
            ({"Authorization": f"bearer {METRICS_TOKEN}", "X-Forwarded-For": "203.0.113.9"}, 200),
            ({"Authorization": f"Bearer {METRICS_TOKEN}"}, 200),
        ):
            assert CLIENT.get(f"{running.url}/metrics", headers=headers).status_code == status
        assert METRICS_TOKEN not in running.log()


def test_browsers_are_kept_out_unless_their_origin_is_named(running: Server, tmp_path: Path) -> None:
    origin = {"Origin": "https://app.example"}
    assert "access-control-allow-origin" not in CLIENT.get(f"{running.url}/", headers=origin).headers
    with service(tmp_path, {"CORS_ORIGINS": "https://app.example, https://other.example"}) as opened:
        answer = CLIENT.post(f"{opened.url}/coach/suggestions", json=EXAMPLE_CONTEXT, headers=origin)
        assert answer.headers["access-control-allow-origin"] == "https://app.example"


HEAVY = {"sklearn", "mlflow", "pandas", "scipy", "matplotlib", "onnx", "pyarrow", "polars", "pyreadstat"}


def test_serving_imports_no_training_library() -> None:
    code = (
        "import sys, api.app; from api.settings import Settings; api.app.create_app(Settings()); "
        f"print(*sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_commands_do_not_wait_for_the_web_framework() -> None:
    code = (
        "import sys, api.cli.main, api.kakei.exports.actions; print(*sorted({'fastapi', 'uvicorn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize(("name", "value"), [("PORT", "eighty"), ("LOG_LEVEL", "loud"), ("LOG_FORMAT", "xml")])
def test_a_bad_setting_is_one_clear_line(name: str, value: str, tmp_path: Path) -> None:
    command = [BUDDY, "serve"]
    done = subprocess.run(command, cwd=tmp_path, env={name: value}, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {name}: ")
    assert len(done.stderr.strip().splitlines()) == 1
