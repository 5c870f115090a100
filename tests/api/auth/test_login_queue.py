"""Logins when the password queue is full: 503 with `Retry-After` in both apps; known browsers continue."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from api.admin.accounts import seed_operator
from api.app import create_app
from api.app_state import Services, part_of
from api.auth.fair_queue import QueueFull
from api.auth.passwords import AT_ONCE, WAITING
from api.db import migrate
from api.db.engine import open_database
from api.settings import Settings
from tests.actors.admin import PASSWORD as ADMIN_PASSWORD
from tests.actors.browser import PASSWORD, SEE_OTHER

EMAIL = "sarah@example.com"


@asynccontextmanager
async def started(folder: Path) -> AsyncIterator[FastAPI]:
    """The service in this process, so that the test can fill its queue exactly."""
    settings = Settings(database_url=f"sqlite:///{folder}/x.db", admin_password=SecretStr(ADMIN_PASSWORD))
    database = open_database(settings.database_url)
    await migrate.prepare(database)
    await seed_operator(database, settings)
    await database.close()
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


def browser(app: FastAPI, host: str) -> httpx.AsyncClient:
    """A browser with its own address."""
    transport = httpx.ASGITransport(app, client=(host, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=60)


async def post(client: httpx.AsyncClient, path: str, **typed: str) -> httpx.Response:
    page = (await client.get(f"/family{path}")).text
    token = re.findall(r'name="form_token" value="([0-9a-f]{64})"', page)[0]
    return await client.post(f"/family{path}", data={"form_token": token} | typed)


def test_a_full_queue_is_503_and_known_browsers_have_places_of_their_own(tmp_path: Path) -> None:
    async def run() -> None:
        async with started(tmp_path) as app, browser(app, "203.0.113.1") as mine, browser(app, "198.51.100.1") as other:
            typed = {"family": "The Johnsons", "name": "Sarah", "time_zone": "UTC"}
            made = await post(mine, "/signup", **typed, email=EMAIL, password=PASSWORD)
            assert made.status_code == SEE_OTHER
            admin = {"username": "admin", "password": ADMIN_PASSWORD}
            assert (await mine.post("/admin/api/sign-in", json=admin)).status_code == 200
            mine.cookies.delete("kinderbud")

            queue, end = part_of(app, Services).passwords.queue, asyncio.Event()

            async def flood(number: int) -> None:
                async with queue.place(f"10.0.{number}.0/24"):
                    await end.wait()

            crowd = [asyncio.create_task(flood(number)) for number in range(AT_ONCE + WAITING + 5)]
            await asyncio.sleep(0)
            assert (queue.running, queue.waiting_now()) == (AT_ONCE, WAITING)

            refused = await post(other, "/login", email=EMAIL, password=PASSWORD)
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
            assert "Many people log in at the moment" in refused.text
            told = await other.post("/admin/api/sign-in", json=admin)
            assert (told.status_code, told.headers["retry-after"]) == (503, "2")
            refused = await post(other, "/signup", **typed, email="tom@example.com", password=PASSWORD)
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")

            known = asyncio.create_task(post(mine, "/login", email=EMAIL, password=PASSWORD))
            while queue.waiting_now() == WAITING:  # noqa: ASYNC110 - there is no event to wait for
                await asyncio.sleep(0)
            end.set()
            assert (await known).status_code == SEE_OTHER
            answers = await asyncio.gather(*crowd, return_exceptions=True)
            assert sum(isinstance(answer, QueueFull) for answer in answers) == 5
            assert (await post(other, "/login", email=EMAIL, password=PASSWORD)).status_code == SEE_OTHER

    asyncio.run(run())
