"""Speaks to Claude with a household's own key: within a time, and with every way to fail named."""

import asyncio
import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.settings import Settings

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

RETRIES = 1
OVERLOADED = 529
CURATION_TOKENS = 1024
ANSWER_TOKENS = 1024
LONGEST_NOTE = 600
"""Characters of a note that is shown."""

MUDDLED = (ValueError, KeyError, TypeError, AssertionError, IndexError)
"""What the SDK raises of itself where an answer is junk with status 200."""

type Messages = list[dict[str, Any]]


class Cause(StrEnum):
    """Why Claude did not answer."""

    BAD_KEY = "bad_key"
    NO_MODEL = "no_model"
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    NONSENSE = "nonsense"


SENTENCES = {
    Cause.BAD_KEY: "Claude does not accept this household's key; an admin can set another one.",
    Cause.NO_MODEL: "This household's key may not use the model that this service asks for.",
    Cause.RATE_LIMITED: "Claude is asked too often with this key; try again in a minute.",
    Cause.OVERLOADED: "Claude is overloaded; try again in a minute.",
    Cause.UNREACHABLE: "Claude cannot be reached; try again in a minute.",
    Cause.TIMEOUT: "Claude took too long; try again in a minute.",
    Cause.REFUSED: "Claude did not want to answer this.",
    Cause.NONSENSE: "Claude's answer made no sense; try again.",
}


class ClaudeFailed(Exception):
    """There is no answer. `cause` says why; nothing that was sent or received is in it."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(SENTENCES[cause])
        self.cause = cause


class Curation(BaseModel):
    """What Claude is asked for, by a strict schema."""

    model_config = ConfigDict(extra="forbid")

    ids: list[int] = Field(description="The chosen candidates' ids, the first to be shown first.")
    note: str = Field(description="Two or three sentences for the parents.")


@dataclass(frozen=True)
class Prompt:
    """A prompt file: its first line is its version."""

    version: str
    text: str


@dataclass(frozen=True)
class Usage:
    """Tokens of an answer."""

    input: int
    output: int


@cache
def prompt(name: str) -> Prompt:
    """`curate` or `chat`."""
    content = resources.files("api.kinderbud.claude.prompts").joinpath(f"{name}.md").read_text(encoding="utf-8")
    version, _, text = content.partition("\n")
    return Prompt(version.strip(), text.strip())


async def curate(key: str, settings: Settings, family: str) -> tuple[Curation, Usage]:
    """A selection and a note for a family's day; `family` is the fenced data. Raises ClaudeFailed. Nothing but its form
    has been checked."""
    async with _failures_named(settings.claude_seconds), _client(key, settings) as client:
        message = await client.messages.parse(
            model=settings.claude_model,
            max_tokens=CURATION_TOKENS,
            system=_system(prompt("curate")),
            messages=[{"role": "user", "content": family}],
            output_format=Curation,
        )
        if message.stop_reason == "refusal":
            raise ClaudeFailed(Cause.REFUSED)
        if message.parsed_output is None or not message.parsed_output.note.strip():
            raise ClaudeFailed(Cause.NONSENSE)
        return message.parsed_output, Usage(message.usage.input_tokens, message.usage.output_tokens)


async def answer(key: str, settings: Settings, family: str, messages: Messages) -> AsyncIterator[str | Usage]:
    """An answer to the last of the messages, in parts as they come, and at the end its tokens. Raises ClaudeFailed."""
    async with _failures_named(settings.claude_seconds), _client(key, settings) as client:
        system = [*_system(prompt("chat")), {"type": "text", "text": family}]
        said = False
        async with client.messages.stream(
            model=settings.claude_model,
            max_tokens=ANSWER_TOKENS,
            system=system,
            messages=messages,  # type: ignore[arg-type]
        ) as stream:
            async for part in stream.text_stream:
                said = said or bool(part.strip())
                yield part
            whole = await stream.get_final_message()
        if whole.stop_reason is None:  # the connection ended before the message did
            raise ClaudeFailed(Cause.UNREACHABLE)
        if whole.stop_reason == "refusal":
            raise ClaudeFailed(Cause.REFUSED)
        if not said:
            raise ClaudeFailed(Cause.NONSENSE)
        yield Usage(whole.usage.input_tokens, whole.usage.output_tokens)


async def check(key: str, settings: Settings) -> None:
    """Ask whether a key is taken. Raises ClaudeFailed."""
    async with _failures_named(settings.claude_seconds), _client(key, settings) as client:
        await client.models.retrieve(settings.claude_model)


def _client(key: str, settings: Settings) -> "AsyncAnthropic":
    from anthropic import AsyncAnthropic  # noqa: PLC0415 - takes a second, for which only households with a key wait

    return AsyncAnthropic(
        api_key=key,
        auth_token=None,
        base_url=settings.anthropic_base_url or "https://api.anthropic.com",
        max_retries=RETRIES,
        timeout=settings.claude_seconds,
        _strict_response_validation=True,
    )


def _system(of: Prompt) -> Any:
    """The prompt, which the API may keep for the next family."""
    return [{"type": "text", "text": of.text, "cache_control": {"type": "ephemeral"}}]


@asynccontextmanager
async def _failures_named(seconds: float) -> AsyncIterator[None]:
    """Bounds what is done within, retries included, and names every way to fail."""
    anthropic: Any = await asyncio.to_thread(importlib.import_module, "anthropic")  # a second, the first time

    try:
        async with asyncio.timeout(seconds):
            yield
    except (anthropic.APITimeoutError, TimeoutError) as error:
        raise ClaudeFailed(Cause.TIMEOUT) from error
    except (anthropic.AuthenticationError, anthropic.PermissionDeniedError) as error:
        raise ClaudeFailed(Cause.BAD_KEY) from error
    except anthropic.NotFoundError as error:
        raise ClaudeFailed(Cause.NO_MODEL) from error
    except anthropic.RateLimitError as error:
        raise ClaudeFailed(Cause.RATE_LIMITED) from error
    except (anthropic.APIResponseValidationError, ValidationError, *MUDDLED) as error:
        raise ClaudeFailed(Cause.NONSENSE) from error
    except anthropic.APIStatusError as error:
        cause = Cause.OVERLOADED if error.status_code == OVERLOADED else Cause.UNREACHABLE
        raise ClaudeFailed(cause) from error
    except (anthropic.APIConnectionError, OSError) as error:
        raise ClaudeFailed(Cause.UNREACHABLE) from error
