"""Response schema of the day."""

from datetime import date
from enum import StrEnum

from api.http.types import StrictModel
from api.kinderbud.todos.schemas import TodoOut


class SelectedBy(StrEnum):
    LLM = "llm"
    POLICY = "policy"
    RULES = "rules"


class Today(StrictModel):
    """`cached` is false in the first answer of the day."""

    date: date
    daily_note: str
    source: SelectedBy
    cached: bool
    activities: list[TodoOut]
    milestones: list[TodoOut]
    custom_todos: list[TodoOut]
