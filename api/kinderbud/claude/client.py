"""The client for Claude, with a household's own key, a time limit and typed failures.
The SDK sends the requests. Replies are parsed in `replies.py`, since the SDK's models refuse unknown types.

"""

import asyncio
import importlib
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from api.http.text import CleanedParts, cleaned
from api.kinderbud.claude.failures import Cause, ClaudeFailed, failures_named
from api.kinderbud.claude.replies import LARGEST_REPLY, Ending, EventReader, Reply, Usage, as_json
from api.settings import Settings

TRIES = 2
PAUSE_SECONDS = 0.5
"""Seconds before the second try if Claude could not be reached."""
TRANSIENT = {408, 409, 500, 502, 503, 504, 529}
"""Statuses that are retried once."""
CONTINUATIONS = 3
"""How often a paused answer is continued."""
CURATION_TOKENS = 1024
ANSWER_TOKENS = 1024
LONGEST_NOTE = 600
LONGEST_ANSWER = 20_000
"""Characters that are shown and stored."""

type Messages = list[dict[str, Any]]


def _one_line(note: Any) -> Any:
    """A note without line ends. The schema refuses a value that is not text."""
    return " ".join(cleaned(note, LARGEST_REPLY).split())[:LONGEST_NOTE].rstrip() if isinstance(note, str) else note


class Curation(BaseModel):
    """Claude's selection for a day, as a strict schema."""

    model_config = ConfigDict(extra="forbid")

    ids: list[int] = Field(description="The ids of the chosen candidates, in display order.")
    note: Annotated[str, BeforeValidator(_one_line)] = Field(description="Two or three sentences for the parents.")


@dataclass(frozen=True)
class Prompt:
    """A prompt file: its first line is its version."""

    version: str
    text: str


@dataclass(frozen=True)
class Ended:
    """How an answer ended. `is_cut` is true if it was truncated."""

    usage: Usage
    is_cut: bool


@cache
def prompt(name: str) -> Prompt:
    """Load the prompt `curate` or `chat`."""
    content = resources.files("api.kinderbud.claude.prompts").joinpath(f"{name}.md").read_text(encoding="utf-8")
    version, _, text = content.partition("\n")
    return Prompt(version.strip(), text.strip())


async def curate(key: str, settings: Settings, family: str) -> tuple[Curation, Usage]:
    """Select activities for a family's day and write a note. `family` is the fenced data. Raises ClaudeFailed. Only the
    form of the selection is checked here.
    """
    async with _speaking(key, settings) as asking:
        request = {
            "max_tokens": CURATION_TOKENS,
            "system": _system(prompt("curate")),
            "messages": [{"role": "user", "content": family}],
            "output_config": {"format": {"type": "json_schema", "schema": asking.schema_of(Curation)}},
        }
        body = b"".join([part async for part in asking.parts(request)])
        reply = Reply()
        text = reply.read_whole(as_json(body))
        if reply.ending is not Ending.WHOLE:
            raise ClaudeFailed(Cause.REFUSED if reply.ending is Ending.REFUSED else Cause.CUT)
        curation = Curation.model_validate(json.loads(text))
        if not curation.note:
            raise ClaudeFailed(Cause.NONSENSE)
        return curation, reply.usage


async def answer(key: str, settings: Settings, family: str, messages: Messages) -> AsyncGenerator[str | Ended]:
    """Answer the last message: cleaned parts as they arrive, then how the answer ended. Raises ClaudeFailed."""
    parts, said, usage, ending = CleanedParts(LONGEST_ANSWER), "", Usage(0, 0), Ending.PAUSED
    system = [*_system(prompt("chat")), {"type": "text", "text": family}]
    async with _speaking(key, settings) as asking:
        for _ in range(1 + CONTINUATIONS):
            before = [{"role": "assistant", "content": said.rstrip()}] if said.strip() else []
            request = {"max_tokens": ANSWER_TOKENS, "system": system, "messages": [*messages, *before]}
            reply = Reply()
            try:
                async with aclosing(asking.texts(request, reply)) as texts:
                    async for text in texts:
                        plain = parts.add(text)
                        said += plain
                        if plain:
                            yield plain
                if reply.ending is None:  # the connection ended before the reply did
                    raise ClaudeFailed(Cause.UNREACHABLE)
            except ClaudeFailed:
                if reply.ending is None and not before:
                    raise
                reply.ending = reply.ending or Ending.CUT  # it paused before: the text up to then is kept
            usage += reply.usage
            if reply.ending is Ending.REFUSED:
                raise ClaudeFailed(Cause.REFUSED)
            ending = reply.ending
            if ending is not Ending.PAUSED or not said.strip():
                break
        if rest := parts.end():
            said += rest
            yield rest
        if not said.strip():
            raise ClaudeFailed(Cause.NONSENSE)
        yield Ended(usage, ending is not Ending.WHOLE or parts.is_cut)


async def check(key: str, settings: Settings) -> None:
    """Check whether Claude accepts a key. Raises ClaudeFailed."""
    async with _speaking(key, settings) as asking:
        as_json(b"".join([part async for part in asking.parts(None)]))


def _system(of: Prompt) -> Any:
    """The system prompt, which the API may cache for the next family."""
    return [{"type": "text", "text": of.text, "cache_control": {"type": "ephemeral"}}]


class _Asking:
    """A client of the SDK with a deadline. Each wait has its own timeout: a timeout around a whole generator would
    cancel the wrong task if another task goes on reading.
    """

    def __init__(self, anthropic: Any, http: Any, client: Any, model: str, deadline: float) -> None:
        self._anthropic, self._http, self._client = anthropic, http, client
        self._model, self._deadline = model, deadline

    def schema_of(self, shape: type[BaseModel]) -> Any:
        """The JSON schema of a model, in the form that the API accepts."""
        return self._anthropic.transform_schema(shape)

    async def texts(self, request: dict[str, Any], reply: Reply) -> AsyncGenerator[str]:
        """The texts of a streamed reply. Events are added to `reply`. Raises ClaudeFailed."""
        reader = EventReader()
        parts = self.parts(request | {"stream": True})
        async with failures_named(self._anthropic, self._http), aclosing(parts):
            async for part in parts:
                for event in reader.add(part):
                    if text := reply.add(event):
                        yield text

    async def parts(self, request: dict[str, Any] | None) -> AsyncGenerator[bytes]:
        """The bytes of a streamed reply, or of the API's answer about the model."""
        response = await self._response(request)
        try:
            read, source = 0, response.iter_bytes()
            while True:
                async with asyncio.timeout_at(self._deadline):
                    part = await anext(source, None)
                if part is None:
                    return
                read += len(part)
                if read > LARGEST_REPLY:
                    raise ValueError("too long")
                yield part
        finally:
            await response.close()

    async def _response(self, request: dict[str, Any] | None) -> Any:
        """The response, once its headers have arrived. Retried once if a retry may help."""
        messages, models = self._client.messages.with_streaming_response, self._client.models.with_streaming_response
        for tries_left in reversed(range(TRIES)):
            asked = models.retrieve(self._model) if request is None else messages.create(model=self._model, **request)
            try:
                async with asyncio.timeout_at(self._deadline):
                    return await asked.__aenter__()
            except self._anthropic.APITimeoutError:
                raise
            except self._anthropic.APIStatusError as error:
                if not tries_left or error.status_code not in TRANSIENT:
                    raise
            except self._anthropic.APIConnectionError:
                if not tries_left:
                    raise
            async with asyncio.timeout_at(self._deadline):
                await asyncio.sleep(PAUSE_SECONDS)
        raise AssertionError("unreachable")


@asynccontextmanager
async def _speaking(key: str, settings: Settings) -> AsyncIterator[_Asking]:
    """The SDK client with a deadline. Errors inside become ClaudeFailed."""
    # The first import takes a second; only households with a key wait for it.
    anthropic: Any = await asyncio.to_thread(importlib.import_module, "anthropic")
    http: Any = await asyncio.to_thread(importlib.import_module, "httpx2")
    deadline = asyncio.get_running_loop().time() + settings.claude_seconds
    client = anthropic.AsyncAnthropic(
        api_key=key,
        auth_token=None,
        base_url=settings.anthropic_base_url or "https://api.anthropic.com",
        max_retries=0,  # the SDK would sleep as long as `Retry-After` says
        timeout=settings.claude_seconds,
    )
    async with failures_named(anthropic, http), client:
        yield _Asking(anthropic, http, client, settings.claude_model, deadline)
