"""Clients that go away during an export leave nothing behind."""

import asyncio
import time
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.support.exports import PATH, TOKEN, export
from tests.support.serving import CLIENT, Server, service


@pytest.mark.long
def test_a_client_that_goes_away_leaves_nothing_behind(stored: Server, study: str) -> None:
    with pytest.raises(httpx.ReadTimeout):
        CLIENT.get(stored.url + PATH, params={"format": "csv", "study_version": study}, headers=TOKEN, timeout=0.4)
    deadline = time.monotonic() + 10
    children = Path(f"/proc/{stored.process.pid}/task/{stored.process.pid}/children")
    while children.read_text().strip() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not children.read_text().strip()
    spool = stored.log_file.parent / "var" / "exports"
    while list(spool.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not list(spool.iterdir())
    assert export(stored, study_version=study).status_code == 200


@pytest.mark.long
def test_an_export_that_is_cut_in_the_middle_leaves_no_session_open(postgres_url: str, tmp_path: Path) -> None:
    """Stops in the middle, because another session locks a table that it is about to read."""

    async def cut() -> None:
        holder = await asyncpg.connect(postgres_url)
        watcher = await asyncpg.connect(postgres_url)
        try:
            transaction = holder.transaction()
            await transaction.start()
            await holder.execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
            client = httpx.AsyncClient(timeout=60)
            work = asyncio.create_task(client.get(running.url + PATH, headers=TOKEN))
            assert await sessions(watcher, 1), "the export did not get to the table"
            work.cancel()
            await client.aclose()
            assert await sessions(watcher, 0), "the session outlived its client"
            await transaction.rollback()
        finally:
            await holder.close()
            await watcher.close()

    async def sessions(watcher: asyncpg.Connection, expected: int) -> bool:
        """Whether so many sessions come to wait for a lock, within a while."""
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        for _ in range(100):
            if await watcher.fetchval(waiting) == expected:
                return True
            await asyncio.sleep(0.1)
        return False

    with service(tmp_path, {"DATABASE_URL": postgres_url}) as running:
        asyncio.run(cut())
        assert export(running).status_code == 200
