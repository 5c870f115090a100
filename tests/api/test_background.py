"""Work that goes on after its request was answered."""

import asyncio
import gc
import weakref

from structlog.testing import capture_logs

from api.background import BackgroundTasks


def test_a_task_is_kept_until_it_ends() -> None:
    async def run() -> list[str]:
        done: list[str] = []

        async def work() -> None:
            waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            waits.append(weakref.ref(waiting))
            await waiting
            done.append("done")

        waits: list[weakref.ref[asyncio.Future[None]]] = []
        tasks = BackgroundTasks()
        tasks.start(work(), "a note was not written")
        await asyncio.sleep(0)
        gc.collect()
        (waited,) = waits
        if (waiting := waited()) is not None:  # only its task holds it
            waiting.set_result(None)
        await asyncio.sleep(0.01)
        return done

    assert asyncio.run(run()) == ["done"]


def test_a_failure_is_logged_and_a_database_that_is_away_needs_no_traceback() -> None:
    async def run() -> None:
        async def failing(error: Exception) -> None:
            raise error

        tasks = BackgroundTasks()
        work = [tasks.start(failing(error), "a note was not written") for error in (OSError(), KeyError("x"))]
        cancelled = tasks.start(asyncio.sleep(60), "a note was not written")
        await asyncio.wait(work)
        cancelled.cancel()
        await asyncio.wait([cancelled])

    with capture_logs() as logs:
        asyncio.run(run())
    assert [(line["log_level"], line["event"], line["why"], "exc_info" in line) for line in logs] == [
        ("warning", "a note was not written", "OSError", False),
        ("error", "a note was not written", "KeyError", True),
    ]
