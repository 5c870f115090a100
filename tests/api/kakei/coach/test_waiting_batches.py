"""Only so many batches wait in a process: the next one is 503 with `Retry-After`, and those that wait are answered."""

import asyncio
import threading
from pathlib import Path

import httpx

from api.app import create_app
from api.app_state import part_of
from api.db import migrate
from api.db.engine import open_database
from api.kakei.coach.app_state import CoachServices
from api.kakei.coach.routes import MOST_BATCHES
from api.kakei.coach.schemas import EXAMPLE_CONTEXT
from api.settings import Settings

BATCH = "/coach/suggestions/batch"


def test_a_batch_too_many_is_refused_and_those_that_wait_are_answered(tmp_path: Path) -> None:
    async def run() -> None:
        settings = Settings(database_url=f"sqlite:///{tmp_path}/x.db")
        database = open_database(settings.database_url)
        await migrate.prepare(database)
        await database.close()
        app = create_app(settings)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://buddy", timeout=60) as client,
        ):
            coach, busy = part_of(app, CoachServices), threading.Event()
            coach.batches.submit(busy.wait)  # the only thread: every batch waits
            try:
                body = {"contexts": [EXAMPLE_CONTEXT] * 3}
                waiting = [asyncio.create_task(client.post(BATCH, json=body)) for _ in range(MOST_BATCHES)]
                while len(coach.batches_waiting) < MOST_BATCHES:  # noqa: ASYNC110 - the service has no such event
                    await asyncio.sleep(0.01)
                refused = await client.post(BATCH, json=body)
                assert (refused.status_code, refused.json()["code"]) == (503, "too_busy")
                assert int(refused.headers["Retry-After"]) >= 1
                one = await client.post("/coach/suggestions", json=EXAMPLE_CONTEXT)
                assert one.status_code == 200, "a single decision waits for no batch"
                assert not any(task.done() for task in waiting)
            finally:
                busy.set()
            answers = await asyncio.gather(*waiting)
            assert {answer.status_code for answer in answers} == {200}
            assert all(len(answer.json()["answers"]) == 3 for answer in answers)
            assert (await client.post(BATCH, json=body)).status_code == 200, "there is room again"

    asyncio.run(run())
