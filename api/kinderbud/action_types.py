"""The types of actions on a todo."""

from enum import StrEnum


class ActionType(StrEnum):
    COMPLETED = "completed"
    SNOOZED = "snoozed"
    SKIPPED = "skipped"
