"""Which stage of a guide is current. Pure."""

from collections.abc import Iterable
from typing import Protocol


class Staged(Protocol):
    """A stage: a row of the database or an entry of the catalog."""

    @property
    def age_start_months(self) -> int | None: ...
    @property
    def age_end_months(self) -> int | None: ...


def is_current(stage: Staged, months: int | None) -> bool:
    """Whether a stage is current at an age; `months` is None for adults."""
    if stage.age_start_months is None or stage.age_end_months is None:
        return months is None
    return months is not None and stage.age_start_months <= months < stage.age_end_months


def current_stage[S: Staged](stages: Iterable[S], months: int | None) -> S | None:
    """The current stage of a guide, if there is one."""
    return next((stage for stage in stages if is_current(stage, months)), None)
