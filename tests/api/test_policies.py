"""Artifacts that are missing, broken or foreign, each against the running service: the rules answer, and say why."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from api.kakei.coach.schemas import EXAMPLE_CONTEXT
from coach_model.budget.context import FEATURES
from coach_model.budget.rules import RULES_VERSION, rules_levels
from tests.support import artifacts
from tests.support.serving import CLIENT, Server, new_client, service

EXAMPLE = np.array([[EXAMPLE_CONTEXT[name] for name in FEATURES]], dtype=np.float32)
SWITCH_SECONDS = 2.0
GRAPH = artifacts.packaged_graph()


def ask(running: Server, **changes: float) -> dict[str, Any]:
    response = CLIENT.post(f"{running.url}/coach/suggestions", json=EXAMPLE_CONTEXT | changes, timeout=2)
    assert response.status_code == 200
    answer: dict[str, Any] = response.json()
    return answer


def nothing(folder: Path) -> None:
    assert not list(folder.iterdir())


def half_a_pair(folder: Path) -> None:
    artifacts.write(folder, GRAPH)
    (folder / "budget" / "policy.json").unlink()


def truncated(folder: Path) -> None:
    artifacts.write(folder, GRAPH)
    (folder / "budget" / "policy.onnx").write_bytes(GRAPH[: len(GRAPH) // 2])


FAULTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "missing": (nothing, "model_unavailable"),
    "card missing": (half_a_pair, "model_refused"),
    "empty": (lambda folder: artifacts.write(folder, b""), "model_refused"),
    "truncated": (truncated, "model_refused"),
    "wrong hash": (lambda folder: artifacts.write(folder, GRAPH, onnx={"sha256": "0" * 64}), "model_refused"),
    "wrong schema version": (
        lambda folder: artifacts.write(folder, GRAPH, context_schema="budget-context/99"),
        "model_refused",
    ),
    "another model's graph": (
        lambda folder: artifacts.write(folder, artifacts.another_models_graph()),
        "model_refused",
    ),
    "NaN output": (
        lambda folder: artifacts.write(
            folder, artifacts.edited(artifacts.after("distribution", "Mul", np.nan, np.float32))
        ),
        "invalid_output",
    ),
    "out-of-range output": (
        lambda folder: artifacts.write(folder, artifacts.edited(artifacts.after("level", "Add", 9, np.int64))),
        "invalid_output",
    ),
    "exception inside the session": (
        lambda folder: artifacts.write(folder, artifacts.edited(artifacts.failing_on_anything_but_zero)),
        "model_error",
    ),
}


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_artifact_is_answered_for_by_the_rules(fault: str, tmp_path: Path) -> None:
    prepare, reason = FAULTS[fault]
    models = tmp_path / "models"
    models.mkdir()
    prepare(models)
    with service(tmp_path, {"COACH_MODEL_DIR": str(models)}) as running:
        answer = ask(running)
        assert (answer["source"], answer["fallback_reason"]) == ("rules", reason)
        assert answer["policy_id"] == RULES_VERSION
        assert [answer["w_adj"], answer["c_adj"], answer["s_adj"]] == (rules_levels(EXAMPLE)[0] / 4).tolist()
        loads = reason in {"invalid_output", "model_error"}
        assert CLIENT.get(f"{running.url}/coach/model").status_code == (200 if loads else 404)
        for _ in range(50):
            ask(running)
        batch = CLIENT.post(f"{running.url}/coach/suggestions/batch", json={"contexts": [EXAMPLE_CONTEXT] * 3})
        assert {a["fallback_reason"] for a in batch.json()["answers"]} == {reason}
        metrics = running.metrics()
        assert f'buddy_coach_decisions_total{{coach="budget",reason="{reason}",source="rules"}} 54.0' in metrics
        assert ('buddy_coach_breaker_open{coach="budget"} 1.0' in metrics) == loads  # it kept failing
        assert CLIENT.get(f"{running.url}/coach/model").status_code == 404
        assert running.log().count("breaker open") == (1 if loads else 0)
        complaints = running.log().count("the policy failed")
        assert complaints == (1 if loads else 0)  # said once, not fifty times


def test_out_of_support_is_answered_by_the_rules_and_provokes_nothing_else(running: Server) -> None:
    strange = ask(running, **dict.fromkeys(FEATURES, 1.0))
    assert (strange["source"], strange["fallback_reason"]) == ("rules", "out_of_support")
    assert ask(running)["source"] == "policy"


def wait_for(running: Server, policy_id: str) -> float:
    started = time.monotonic()
    while time.monotonic() - started < SWITCH_SECONDS:
        if ask(running)["policy_id"] == policy_id:
            return time.monotonic() - started
        time.sleep(0.01)
    raise AssertionError(f"{policy_id} was not served within {SWITCH_SECONDS} s:\n{running.log()[-2000:]}")


def test_a_new_artifact_is_served_within_two_seconds_and_no_request_is_dropped_or_wrong(tmp_path: Path) -> None:
    models = tmp_path / "models"
    cautious = artifacts.edited(artifacts.after("level", "Mul", 1, np.int64))
    artifacts.write(models, GRAPH, policy_id="budget/old")
    seen: list[str] = []
    failures: list[object] = []
    stop = threading.Event()

    def keep_asking(url: str) -> None:
        with new_client(timeout=2) as client:
            while not stop.is_set():
                response = client.post(f"{url}/coach/suggestions", json=EXAMPLE_CONTEXT)
                if response.status_code != 200 or response.json()["source"] != "policy":
                    failures.append(response.text)
                seen.append(response.json()["policy_id"])

    with service(tmp_path, {"COACH_MODEL_DIR": str(models)}) as running:
        askers = [threading.Thread(target=keep_asking, args=(running.url,)) for _ in range(4)]
        for asker in askers:
            asker.start()
        try:
            for number in range(4):
                policy_id = f"budget/new-{number}"
                artifacts.write(models, cautious if number % 2 == 0 else GRAPH, policy_id=policy_id)
                wait_for(running, policy_id)
        finally:
            stop.set()
            for asker in askers:
                asker.join()
    assert not failures
    assert set(seen) == {"budget/old", *(f"budget/new-{number}" for number in range(4))}


def test_a_bad_pair_is_refused_once_and_the_old_one_goes_on_until_a_good_one_comes(tmp_path: Path) -> None:
    models = tmp_path / "models"
    artifacts.write(models, GRAPH, policy_id="budget/good")
    with service(tmp_path, {"COACH_MODEL_DIR": str(models)}) as running:
        assert ask(running)["policy_id"] == "budget/good"
        artifacts.write(models, GRAPH, policy_id="budget/bad", onnx={"sha256": "0" * 64})
        deadline = time.monotonic() + SWITCH_SECONDS
        while "artifact refused" not in running.log() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(1)
        assert running.log().count("artifact refused") == 1
        assert ask(running)["policy_id"] == "budget/good"
        os.unlink(models / "budget" / "policy.onnx")  # noqa: PTH108
        os.unlink(models / "budget" / "policy.json")  # noqa: PTH108
        time.sleep(1)
        assert ask(running)["policy_id"] == "budget/good"
        artifacts.write(models, GRAPH, policy_id="budget/better")
        wait_for(running, "budget/better")


def test_a_half_written_pair_is_waited_for(tmp_path: Path) -> None:
    models = tmp_path / "models"
    artifacts.write(models, GRAPH, policy_id="budget/first")
    other = artifacts.edited(artifacts.after("level", "Mul", 1, np.int64))
    with service(tmp_path, {"COACH_MODEL_DIR": str(models)}) as running:
        (models / "budget" / "policy.onnx").write_bytes(other)
        time.sleep(0.1)
        artifacts.write(models, other, policy_id="budget/second")
        wait_for(running, "budget/second")
        assert "artifact refused" not in running.log()


def test_a_promoted_artifact_is_found_where_promotions_are_written(tmp_path: Path) -> None:
    with service(tmp_path) as running:
        assert ask(running)["policy_id"] != "budget/promoted"
        artifacts.write(tmp_path / "var" / "models", GRAPH, policy_id="budget/promoted")
        wait_for(running, "budget/promoted")
