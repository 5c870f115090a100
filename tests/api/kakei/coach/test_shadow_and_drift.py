"""Monitoring of the served policy: the shadow policy, drift of the contexts, and the breaker."""

import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from api.kakei.coach.drift import FEWEST_CONTEXTS, Drift
from api.kakei.coach.schemas import EXAMPLE_CONTEXT
from coach_model.budget.coach import CONTRACT
from coach_model.budget.context import FEATURES
from coach_model.onnx_policy import load_policy
from data.packages.reader import read_package
from tests.actors.actor import named
from tests.actors.person import Person
from tests.support import artifacts
from tests.support.artifacts import PACKAGED
from tests.support.samples import SAMPLE
from tests.support.serving import CLIENT, Service, service
from training.budget.shadow import shadow
from training.registry.promote import put_in_shadow, take_from_shadow

CHANGE_SECONDS = 5.0


def ask(running: Service, **headers: str) -> dict[str, object]:
    answer = CLIENT.post(f"{running.url}/coach/suggestions", json=EXAMPLE_CONTEXT, headers=named(headers))
    assert answer.status_code == 200
    said: dict[str, object] = answer.json()
    return said


def metric(running: Service, name: str) -> dict[str, float]:
    """A gauge's values by the last of its labels."""
    text = running.metrics()
    return {found[0]: float(found[1]) for found in re.findall(rf'{name}{{.*?"([^"]*)"}} ([0-9.e+-]+)', text)}


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + CHANGE_SECONDS
    while not done() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert done()


def test_a_challenger_decides_beside_the_coach_and_no_one_hears_it(tmp_path: Path) -> None:
    models = tmp_path / "models"
    shutil.copytree(PACKAGED, models / "budget")
    with service(tmp_path, {"COACH_MODEL_DIR": str(models)}) as running:
        person = Person(running)
        person.consent()

        def asked() -> dict[str, object]:
            heard = ask(running, X_User_UUID=person.uuid)
            row = person.read("/data")["decisions"][-1]
            assert row["decision_id"] == heard["suggestion_id"]
            assert heard["policy_id"] == load_policy(PACKAGED, CONTRACT).policy_id
            found: dict[str, object] = row
            return found

        assert asked()["shadow_policy_id"] is None
        challenger = artifacts.another(tmp_path / "challenger", "budget/challenger")
        put_in_shadow(challenger, models)
        until(lambda: asked()["shadow_policy_id"] == "budget/challenger")
        row = asked()
        assert row["shadow_levels"] == row["levels"]  # the same graph
        running.buddy("research", "export", str(tmp_path / "export"))
        (found,) = shadow(read_package(tmp_path / "export"))
        assert (found.policy_id, found.differs) == ("budget/challenger", 0.0)
        assert found.decisions == sum(sum(map(sum, crossed)) for crossed in [found.crossed["wants"]])
        take_from_shadow(models)
        until(lambda: asked()["shadow_policy_id"] is None)


def test_a_policy_that_keeps_failing_is_not_asked_any_more_until_there_is_another(tmp_path: Path) -> None:
    models = tmp_path / "models"
    artifacts.write(models, artifacts.edited(artifacts.failing_on_anything_but_zero))
    with service(tmp_path, {"COACH_MODEL_DIR": str(models)}) as running:
        for _ in range(49):
            assert ask(running)["fallback_reason"] == "model_error"
        assert metric(running, "buddy_coach_breaker_open")["budget"] == 0
        assert ask(running)["fallback_reason"] == "model_error"
        assert metric(running, "buddy_coach_breaker_open")["budget"] == 1
        assert ask(running)["source"] == "rules"
        for name in ("policy.onnx", "policy.json"):
            shutil.copy(PACKAGED / name, models / "budget" / name)
        until(lambda: ask(running)["source"] == "policy")
        assert metric(running, "buddy_coach_breaker_open")["budget"] == 0


def test_contexts_out_of_support_never_open_the_breaker(running: Service) -> None:
    odd = EXAMPLE_CONTEXT | {"unexpected_share": 1.0, "needs_share": 1.0, "wants_share": 1.0}
    for _ in range(60):
        answer = CLIENT.post(f"{running.url}/coach/suggestions", json=odd).json()
        assert answer["fallback_reason"] == "out_of_support"
    assert ask(running)["source"] == "policy"
    assert metric(running, "buddy_coach_breaker_open")["budget"] == 0


def test_drift_is_small_for_people_like_those_of_the_training_and_large_for_others(tmp_path: Path) -> None:
    decisions = read_package(SAMPLE).columns("decisions", *FEATURES)
    rows = np.stack([decisions[name] for name in FEATURES], axis=1)[:2_000]
    alike = [dict(zip(FEATURES, row, strict=True)) for row in rows.tolist()]
    others = [row | {"needs_share": min(1.0, row["needs_share"] + 0.3)} for row in alike]
    with service(tmp_path) as running:
        assert metric(running, "buddy_coach_context_psi") == {}
        CLIENT.post(f"{running.url}/coach/suggestions/batch", json={"contexts": alike}).raise_for_status()
        first = metric(running, "buddy_coach_context_psi")
        assert set(first) == set(FEATURES)
        assert max(first.values()) < 0.1
        for _ in range(3):
            CLIENT.post(f"{running.url}/coach/suggestions/batch", json={"contexts": others}).raise_for_status()
        then = metric(running, "buddy_coach_context_psi")
        assert then["needs_share"] > 0.25
        assert then["culture_share"] < 0.1


def test_the_index_by_hand() -> None:
    cells = {name: [100] * 5 + [0] * 5 for name in FEATURES}
    drift = Drift({"training_contexts": cells})
    contexts = np.tile(np.linspace(0.05, 0.45, 5, dtype=np.float32)[:, None], (FEWEST_CONTEXTS // 5, 10))
    drift.count(contexts[:-1])
    assert drift.index() == {}  # one too few
    drift.count(contexts[-1:])
    assert drift.index()["risk_profile"] == pytest.approx(0, abs=1e-6)
    drift.count(np.full((FEWEST_CONTEXTS, 10), 0.05, dtype=np.float32))
    p, q = 600 / 1_000, 100 / 500
    by_hand = (p - q) * np.log(p / q) + 4 * (0.1 - q) * np.log(0.1 / q)
    assert drift.index()["risk_profile"] == pytest.approx(by_hand, rel=0.05)
    assert Drift({}).index() == {}
