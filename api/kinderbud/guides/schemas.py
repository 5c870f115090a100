"""Request and response schemas of guides and plans."""

from api.http.types import StrictModel, example
from api.kinderbud.envelope import Id, LocalTime
from data.catalog.guides import Category, Frequency


class Subscribed(StrictModel):
    participant_id: int
    participant_name: str
    plan_id: int


class GuideOut(StrictModel):
    """A guide, its number of stages and items, and which members of the household follow it."""

    id: int
    title: str
    description: str
    source_type: str
    color: str
    stage_count: int
    item_count: int
    subscribed_participants: list[Subscribed]


class Guides(StrictModel):
    guides: list[GuideOut]


class GuideItemOut(StrictModel):
    id: int
    item_key: str
    category: Category
    title: str
    description: str
    frequency: Frequency


class GuideStageOut(StrictModel):
    """Current while `age_start_months` ≤ age < `age_end_months`. Both are null in the only stage of an adults'
    guide.
    """

    id: int
    stage_key: str
    name: str
    age_start_months: int | None
    age_end_months: int | None
    goals: str
    items: list[GuideItemOut]


class GuideDetail(StrictModel):
    id: int
    title: str
    description: str
    source_type: str
    color: str
    stages: list[GuideStageOut]


class PlanOut(StrictModel):
    """`current_stage` is null if the child is too old for the guide."""

    id: int
    participant_id: int
    participant_name: str
    guide_id: int
    guide_title: str
    active: bool
    created_at: LocalTime
    current_stage: str | None


class Plans(StrictModel):
    plans: list[PlanOut]


class PlanCreate(StrictModel):
    model_config = example({"participant_id": 2, "guide_id": 3})

    participant_id: Id
    guide_id: Id


class PlanCreated(StrictModel):
    id: int
    participant_id: int
    participant_name: str
    guide_id: int
    guide_title: str
    current_stage: str | None
    active: bool


class PlanEnded(StrictModel):
    plan_id: int
    active: bool
