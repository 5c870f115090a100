"""The screen of survey instruments. They are files with published scoring, so there is no table and nothing to change:
other words would make another instrument.
"""

from typing import Any

from fastadmin import ModelAdmin, WidgetType
from fastadmin.models.schemas import ModelFieldWidgetSchema

from api.admin.kakei import CATALOGUE
from data.catalog.instruments import Instrument, instruments

SHOWN = ("key", "version", "title", "track", "phases", "items", "source", "licence")


class Instruments(ModelAdmin):
    """The survey instruments of studies."""

    verbose_name_plural = "Instruments"
    menu_section = CATALOGUE
    list_display = SHOWN
    sortable_by = ("key",)

    @staticmethod
    def get_model_pk_name(orm_model_cls: Any) -> str:
        """The key identifies an instrument."""
        return "key"

    def get_model_fields_with_widget_types(self, with_m2m: bool | None = None) -> list[ModelFieldWidgetSchema]:
        """The columns of the list."""
        props = {"required": False, "disabled": True, "readOnly": True}
        return [
            ModelFieldWidgetSchema(
                name=name,
                column_name=name,
                is_m2m=False,
                is_pk=name == "key",
                is_immutable=name == "key",
                form_widget_type=WidgetType.Input,
                form_widget_props=props,
                filter_widget_type=WidgetType.Input,
                filter_widget_props={"required": False},
            )
            for name in (() if with_m2m else SHOWN)
        ]

    async def orm_get_list(
        self,
        offset: int | None = None,
        limit: int | None = None,
        search: str | None = None,
        sort_by: str | None = None,
        filters: dict[Any, Any] | None = None,
    ) -> tuple[list[Any], int]:
        """All instruments, by key."""
        found = sorted(instruments().values(), key=lambda one: one.key, reverse=sort_by == "-key")
        first = offset or 0
        return found[first : first + (limit or len(found))], len(found)

    async def orm_get_obj(self, id: Any) -> Instrument | None:  # noqa: A002 - FastAdmin's name
        """The instrument with that key."""
        return instruments().get(str(id))

    async def serialize_obj_attributes(
        self, obj: Any, attributes_to_serizalize: list[ModelFieldWidgetSchema], list_view: bool = False
    ) -> dict[str, Any]:
        """An instrument as JSON, with the number of its items."""
        row = {name: getattr(obj, name) for name in SHOWN}
        row |= {"phases": ", ".join(obj.phases), "items": len(obj.items), "__str__": obj.title}
        return row

    async def has_add_permission(self, user_id: Any = None) -> bool:
        return False

    async def has_change_permission(self, user_id: Any = None) -> bool:
        return False

    async def has_delete_permission(self, user_id: Any = None) -> bool:
        return False

    async def has_export_permission(self, user_id: Any = None) -> bool:
        return False


SCREENS = {Instrument: Instruments}
