"""A TCP proxy in front of PostgreSQL that can stall, like a server whose disk or host hangs."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

PART_BYTES = 1 << 16
WORK_SECONDS = 0.5
"""Time for the server to do what was forwarded before the connection breaks."""
CLOSING_SECONDS = 0.05
"""Time for aborted transports to close their sockets: the loop does it in its next turns."""


class Stalling:
    """Forwards until it is told to stall; it goes on to accept connections, and forwards what came meanwhile once it
    is told to go on."""

    def __init__(self, server_url: str) -> None:
        self._parts = urlsplit(server_url)
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._break_at: tuple[bytes, bool] | None = None
        self.broken = 0
        """Connections that were broken at what `break_at` named."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        port = self._server.sockets[0].getsockname()[1]
        self.url = urlunsplit(self._parts._replace(netloc=f"{self._parts.username}@127.0.0.1:{port}"))

    @contextmanager
    def stalled(self) -> Iterator[None]:
        """Silent for a while."""
        self._loop.call_soon_threadsafe(self._flowing.clear)
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._flowing.set)

    def break_at(self, words: bytes, *, forwarded: bool) -> None:
        """Break the next connection whose client sends `words`: after the server has done it, or before it is told."""
        self._break_at = (words, forwarded)

    def close(self) -> None:
        """End everything."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._connected, "127.0.0.1", 0)

    async def _end(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(CLOSING_SECONDS)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.add(asyncio.current_task())  # type: ignore[arg-type]
        try:
            await self._flowing.wait()
            await self._forward(reader, writer)
        finally:
            writer.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._parts.hostname, self._parts.port)
        broken = asyncio.Event()
        ways = (self._ask(reader, back, broken), self._answer(there, writer, broken))
        both = [asyncio.create_task(one) for one in ways]
        try:
            await asyncio.wait(both, return_when="FIRST_COMPLETED")
        finally:
            for one in both:
                one.cancel()
            back.transport.abort()

    async def _ask(self, client: asyncio.StreamReader, server: asyncio.StreamWriter, broken: asyncio.Event) -> None:
        while part := await client.read(PART_BYTES):
            await self._flowing.wait()
            if self._break_at is not None and self._break_at[0] in part:
                forwarded, self._break_at = self._break_at[1], None
                self.broken += 1
                broken.set()
                if forwarded:
                    server.write(part)
                    await asyncio.sleep(WORK_SECONDS)
                return
            server.write(part)
            await server.drain()

    async def _answer(self, server: asyncio.StreamReader, client: asyncio.StreamWriter, broken: asyncio.Event) -> None:
        while part := await server.read(PART_BYTES):
            await self._flowing.wait()
            if not broken.is_set():
                client.write(part)
                await client.drain()


@contextmanager
def stalling(server_url: str) -> Iterator[Stalling]:
    """A proxy in front of the server at this URL."""
    proxy = Stalling(server_url)
    try:
        yield proxy
    finally:
        proxy.close()
