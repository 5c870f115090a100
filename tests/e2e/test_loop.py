"""The whole loop with the real service: 300 simulated people take part in a study, and the learned policy is served.
Eight weeks explore, twelve confirm, all over HTTP, on a simulated clock. The people are those of docs/simulator.md with
doubled effects, so that chance in one study does not decide the test.

"""

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import pytest

from coach_model.budget.actions import LEVELS
from coach_model.budget.context import FEATURES
from data.calendar_weeks import summaries_of, week_of
from data.packages.reader import read_package
from data.synthetic.people import USER_PROFILES, People, draw_people
from data.synthetic.world import State, contexts_of, draw_noise, first_state, live_a_week
from tests.actors.person import CONSENT, PROFILE, somewhere
from tests.support.artifacts import PACKAGED
from tests.support.lived import BEGINNING, Lived, lived_process

pytestmark = pytest.mark.long

PEOPLE, EXPLORE_WEEKS, CONFIRM_WEEKS = 300, 8, 12
EFFECT = 2.0
WARM_UP_WEEKS = 4
OPENS, UPLOADS = 0.92, 0.95
"""Shares of people who ask the coach, and send their summary, in a week."""
STUDY = "loop"
AT_ONCE = 16
CHANGE_SECONDS = 10.0


class Village:
    """The simulated people, each with a phone."""

    def __init__(self, url: str, seed: int) -> None:
        self.url = url
        self.rng = np.random.default_rng(seed)
        self.people: People = replace(draw_people(PEOPLE, self.rng), weekday=np.zeros(PEOPLE, dtype=np.int64))
        self.state: State = first_state(self.people, self.rng)
        self.uuids = [str(uuid4()) for _ in range(PEOPLE)]
        self.headers = [somewhere() for _ in range(PEOPLE)]
        for _ in range(WARM_UP_WEEKS):
            _, self.state = self._live(self.state.levels, BEGINNING.date())

    def _live(self, levels: np.ndarray, monday: date) -> tuple[Any, State]:
        noise = draw_noise(PEOPLE, self.rng)
        return live_a_week(self.people, self.state, levels, np.datetime64(monday, "D"), noise, EFFECT)

    async def arrive(self) -> None:
        """Sign all people up, with profile and consent."""

        async def one(client: httpx.AsyncClient, person: int) -> None:
            base, mine = f"/api/users/{self.uuids[person]}", self.headers[person]
            profile = PROFILE | {
                "income_range_id": int(self.people.income_range[person]) + 1,
                "user_profile": USER_PROFILES[self.people.user_profile[person]],
                "budget_cycle_start_day": int(self.people.cycle_start_day[person]),
            }
            await _sent(client, "POST", "/api/users", {"uuid": self.uuids[person]}, mine)
            await _sent(client, "PUT", f"{base}/profile", profile, mine)
            await _sent(client, "POST", f"{base}/research/consent", CONSENT | {"study_version": STUDY}, mine)

        await self._everybody(one, range(PEOPLE))

    async def live(self, clock: Any, weeks: int) -> None:
        """Simulate weeks: ask on Monday, follow the answer, send the summary on Sunday evening."""
        for _ in range(weeks):
            monday = clock.now.date()
            levels = await self.ask()
            week, self.state = self._live(levels, monday)
            clock.move(days=6, hours=11)
            await self._send_summaries(monday, week.outcome.logging_days.astype(int))
            clock.now = clock.now.replace(hour=9) + timedelta(days=1)

    async def ask(self) -> np.ndarray:
        """Ask the coach for those who open the app. The others keep their levels."""
        contexts, levels = contexts_of(self.people, self.state), self.state.levels.copy()

        async def one(client: httpx.AsyncClient, person: int) -> None:
            body = dict(zip(FEATURES, np.round(contexts[person].astype(float), 4).tolist(), strict=True))
            headers = self.headers[person] | {"X-User-UUID": self.uuids[person]}
            said = await _sent(client, "POST", "/coach/suggestions", body, headers)
            levels[person] = [LEVELS.tolist().index(said[name]) for name in ("w_adj", "c_adj", "s_adj")]

        await self._everybody(one, np.flatnonzero(self.rng.random(PEOPLE) < OPENS).tolist())
        return levels

    async def _send_summaries(self, monday: date, logging_days: np.ndarray) -> None:
        async def one(client: httpx.AsyncClient, person: int) -> None:
            left = int(logging_days[person])
            for month_key, week_key in summaries_of(monday):
                covered = week_of(month_key, week_key)
                assert covered is not None
                days = min(left, (covered[1] - covered[0]).days + 1)
                left -= days
                body = {"month_key": month_key, "week_key": week_key, "logging_days_count": days, "total_spent": 0}
                body |= {f"spent_{name}": 0 for name in ("wants", "needs", "culture", "unexpected")}
                path = f"/api/users/{self.uuids[person]}/summaries/weekly"
                await _sent(client, "POST", path, body, self.headers[person])

        await self._everybody(one, np.flatnonzero(self.rng.random(PEOPLE) < UPLOADS).tolist())

    async def _everybody(self, run: Any, people: Any) -> None:
        limits = httpx.Limits(max_connections=AT_ONCE)
        async with httpx.AsyncClient(base_url=self.url, limits=limits, timeout=60) as client:
            queue = iter(people)

            async def worker() -> None:
                for person in queue:
                    await run(client, person)

            await asyncio.gather(*(worker() for _ in range(AT_ONCE)))


async def _sent(client: httpx.AsyncClient, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
    answer = await client.request(method, path, json=body, headers=headers)
    assert answer.is_success, answer.text
    return answer.json()


def buddy_train(folder: Path, *arguments: str) -> dict[str, Any]:
    """The JSON of `buddy-train … --json`, which must succeed."""
    command = [str(Path(sys.executable).with_name("buddy-train")), *arguments, "--no-track", "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def exported(running: Lived, folder: Path) -> Path:
    running.buddy("research", "export", str(folder), "--study", STUDY, "--format", "parquet")
    return folder


@pytest.fixture
def village(tmp_path: Path, postgres_url: str) -> Any:
    models = tmp_path / "models"
    models.mkdir()
    with lived_process(tmp_path, postgres_url, {"COACH_MODEL_DIR": str(models)}) as running:
        yield running, Village(running.url, seed=11), models


def test_a_study_is_lived_learned_from_confirmed_promoted_and_replayed(
    village: tuple[Lived, Village, Path], tmp_path: Path
) -> None:
    running, people, models = village
    running.buddy("study", "start", STUDY, "--begins", f"{BEGINNING:%Y-%m-%d}")
    asyncio.run(people.arrive())
    asyncio.run(people.live(running.clock, EXPLORE_WEEKS))
    explored = exported(running, tmp_path / "explored")
    candidate = tmp_path / "candidate"
    card = buddy_train(tmp_path, "train", str(explored), "--out", str(candidate), "--version", "loop")
    assert card["verdict"] == "insufficient evidence"

    running.buddy("study", "confirm", STUDY, str(candidate))
    asyncio.run(people.live(running.clock, CONFIRM_WEEKS))
    running.buddy("study", "stop", STUDY)
    asyncio.run(people.ask())  # the last week's reward
    study = exported(running, tmp_path / "study")
    told = json.loads(running.buddy("study", "status", "--json"))[0]
    assert told["participants"] == PEOPLE
    assert told["by_phase"].keys() == {"explore", "confirm"}
    assert told["decisions"] > 0.85 * PEOPLE * (EXPLORE_WEEKS + CONFIRM_WEEKS)

    judged = buddy_train(tmp_path, "gate", str(study), str(candidate))
    assert judged["verdict"] == "promote", judged["reasons"]
    assert judged["evidence"]["observed_share"] > 0.75
    assert buddy_train(tmp_path, "audit", str(study))["fine"]

    def served() -> str:
        return str(httpx.get(f"{running.url}/coach/model").json().get("policy_id", ""))

    assert served() == ""  # the rules answered all the time
    promoted = buddy_train(tmp_path, "promote", str(candidate), "--models", str(models))
    assert promoted["policy_id"] == card["policy_id"]
    deadline = time.monotonic() + CHANGE_SECONDS
    while served() != card["policy_id"] and time.monotonic() < deadline:
        time.sleep(0.1)
    assert served() == card["policy_id"]
    answers = asyncio.run(people.ask())
    assert answers.shape == (PEOPLE, 3)

    everything = exported(running, tmp_path / "everything")
    found = buddy_train(tmp_path, "replay", str(everything), str(candidate), str(PACKAGED))
    assert found["identical"], found
    assert found["without_artifact"] == {}
    assert found["drawn"] == told["decisions"]
    assert found["decisions"] > found["drawn"]
    assert found["largest_gap"] <= 1e-6
    decisions = read_package(everything).tables["decisions"]
    assert card["policy_id"] in set(decisions["policy_id"][decisions["phase"] == "outside"])
