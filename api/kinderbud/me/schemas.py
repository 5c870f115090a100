"""Response schemas about the caller."""

from datetime import date

from api.http.types import StrictModel


class Health(StrictModel):
    version: str


class UserShown(StrictModel):
    id: int
    display_name: str
    email: str
    role: str


class HouseholdShown(StrictModel):
    id: int
    name: str
    timezone: str
    daily_task_count: int


class StageShown(StrictModel):
    guide_id: int
    guide_title: str
    stage_name: str


class ParticipantShown(StrictModel):
    """Ages are null for adults."""

    id: int
    name: str
    is_adult: bool
    birthday: date | None
    age_display: str | None
    age_months: int | None
    current_stages: list[StageShown]


class Me(StrictModel):
    user: UserShown
    household: HouseholdShown
    participants: list[ParticipantShown]
