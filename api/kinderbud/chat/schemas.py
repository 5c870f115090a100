"""The chat on the wire."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from api.wire import Wire, Words


class Question(Wire):
    message: Annotated[Words, Field(min_length=1, max_length=4000)]


class Message(Wire):
    role: Literal["user", "assistant"]
    content: str
    created_at: datetime


class Messages(Wire):
    messages: list[Message]
