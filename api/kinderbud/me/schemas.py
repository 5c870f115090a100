"""Response schemas about the caller."""

from datetime import date

from api.http.types import StrictModel


class Health(StrictModel):
    version: str


class UserOut(StrictModel):
    id: int
    display_name: str
    email: str
    role: str


class HouseholdOut(StrictModel):
    id: int
    name: str
    timezone: str
    daily_task_count: int


class StageOut(StrictModel):
    guide_id: int
    guide_title: str
    stage_name: str


class ParticipantOut(StrictModel):
    """Ages are null for adults."""

    id: int
    name: str
    is_adult: bool
    birthday: date | None
    age_display: str | None
    age_months: int | None
    current_stages: list[StageOut]


class Me(StrictModel):
    user: UserOut
    household: HouseholdOut
    participants: list[ParticipantOut]
