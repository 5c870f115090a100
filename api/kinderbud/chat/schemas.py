"""The chat on the wire."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from api.kinderbud.wire import LocalTime
from api.wire import Wire, example, words


class Question(Wire):
    model_config = example({"message": "How should I do the serve-and-return activity with a 14-month-old?"})

    message: Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(words)]


class Message(Wire):
    role: Literal["user", "assistant"]
    content: str
    created_at: LocalTime


class Messages(Wire):
    messages: list[Message]
