"""Response schema of the day."""

from datetime import date
from enum import StrEnum

from api.http.types import StrictModel
from api.kinderbud.todos.schemas import TodoShown


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
    activities: list[TodoShown]
    milestones: list[TodoShown]
    custom_todos: list[TodoShown]
