"""Request and response schemas of the chat."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic.json_schema import SkipJsonSchema

from api.http.text import storable
from api.http.types import StrictModel, example
from api.kinderbud.envelope import LocalTime
from api.kinderbud.errors import Failure


class MessageCreate(StrictModel):
    model_config = example({"message": "How should I do the serve-and-return activity with a 14-month-old?"})

    message: Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(storable)]


class MessageOut(StrictModel):
    """A message. `cut_off` is present and true if Claude's answer was truncated."""

    role: Literal["user", "assistant"]
    content: str
    created_at: LocalTime
    cut_off: Literal[True] | SkipJsonSchema[None] = None


class Interrupted(Failure):
    """The last event of a stream that Claude did not finish. `retry_after` says in how many seconds to ask again."""

    retry_after: int


class Messages(StrictModel):
    messages: list[MessageOut]
