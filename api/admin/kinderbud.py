"""Kinderbud's screens: households without their people, and the texts of the guides."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from api.admin.base import Edit, Screen
from api.admin.kakei import CATALOGUE
from api.http.text import storable
from api.kinderbud.households.rules import checked_count, checked_name, checked_time_zone
from api.models import Guide, GuideItem, GuideStage, Household

FAMILIES = "Families"
LONGEST_MINUTES = 240

Text = Annotated[str, AfterValidator(storable), Field(min_length=1)]
Long = Annotated[Text, Field(max_length=8000)]


class HouseholdEdit(Edit):
    name: Annotated[str, AfterValidator(checked_name)]
    time_zone: Annotated[str, AfterValidator(checked_time_zone)]
    daily_task_count: Annotated[int, AfterValidator(checked_count)]


class Households(Screen):
    """Households, without children, addresses and keys. Deletion also removes all of these."""

    verbose_name_plural = "Households"
    menu_section = FAMILIES
    list_display = ("id", "name", "time_zone", "daily_task_count", "learning_since", "created_at")
    list_display_links = ("name",)
    search_fields = ("name",)
    hidden = ("claude_key", "learning_fold")
    edits = HouseholdEdit

    may_delete = True

    async def remove(self, key: int) -> bool:
        async with self.database.write() as session:
            household = await session.get(Household, key, with_for_update=True)
            if household is not None:
                await session.delete(household)
            return household is not None


class GuideEdit(Edit):
    title: Annotated[Text, Field(max_length=120)]
    short_title: Annotated[Text, Field(max_length=80)]
    description: Long
    color: Annotated[str, Field(pattern="^#[0-9A-Fa-f]{6}$")]


class Guides(Screen):
    """Guides. An upgrade keeps the texts that an operator edited."""

    verbose_name_plural = "Guides"
    menu_section = CATALOGUE
    list_display = ("id", "title", "for_adults", "color")
    list_display_links = ("title",)
    hidden = ("seeded",)
    edits = GuideEdit
    ordering = ("id",)


class StageEdit(Edit):
    name: Annotated[Text, Field(max_length=80)]
    goals: Long


class Stages(Screen):
    """Stages of guides. The catalog defines their ages."""

    verbose_name_plural = "Guide stages"
    menu_section = CATALOGUE
    list_display = ("id", "guide_id", "name", "age_start_months", "age_end_months", "retired")
    list_display_links = ("name",)
    list_filter = ("guide_id",)
    hidden = ("seeded",)
    edits = StageEdit
    ordering = ("id",)


class ItemEdit(Edit):
    title: Annotated[Text, Field(max_length=200)]
    description: Long
    how_to: Long
    evidence_summary: Long
    frequency: Literal["once", "daily", "weekly", "monthly", "quarterly"]
    minutes: Annotated[int, Field(ge=0, le=LONGEST_MINUTES)]


class Items(Screen):
    """Activities and milestones."""

    verbose_name_plural = "Guide items"
    menu_section = CATALOGUE
    list_display = ("id", "stage_id", "category", "title", "area", "frequency", "minutes", "retired")
    list_display_links = ("title",)
    list_filter = ("stage_id", "category", "area", "frequency")
    search_fields = ("title",)
    hidden = ("seeded",)
    edits = ItemEdit
    ordering = ("id",)


SCREENS = {Household: Households, Guide: Guides, GuideStage: Stages, GuideItem: Items}
