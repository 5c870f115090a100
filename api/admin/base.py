"""The base of all screens: it shows a table, read-only unless the screen says what may be changed and by which rules.
FastAdmin would write with its own sessions and bypass the rules of the features. Here the screen's `edits` check a
change; it is written in one transaction and logged with the operator and the fields.

"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import structlog
from fastadmin import SqlAlchemyModelAdmin, WidgetType
from fastadmin.api.exceptions import AdminApiException
from fastadmin.models.schemas import ModelFieldWidgetSchema
from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import JSON, Boolean, Date, Double, Float, Integer, Text, inspect

from api.admin.auth import current
from api.app_state import Services, services_of
from api.db.engine import LARGEST_ID, Database
from api.http.error_texts import BODY, pydantic_errors, sentences
from api.models.base import Amount, Moment

SHOWN_OF_UUID = 8
WIDGETS: tuple[tuple[tuple[type, ...], WidgetType], ...] = (
    ((Boolean,), WidgetType.Switch),
    ((Integer, Amount, Double, Float), WidgetType.InputNumber),
    ((Moment,), WidgetType.DateTimePicker),
    ((Date,), WidgetType.DatePicker),
    ((JSON,), WidgetType.JsonTextArea),
    ((Text,), WidgetType.TextArea),
)

log = structlog.get_logger("api.admin")


class Edit(BaseModel):
    """The fields that may be changed, and their rules. Strict: true, "2" and 1.0 are no whole numbers."""

    model_config = ConfigDict(strict=True, extra="ignore", str_strip_whitespace=True, hide_input_in_errors=True)


class Screen(SqlAlchemyModelAdmin):
    """A screen for a table of the database. Read-only unless it has `edits`."""

    edits: type[Edit] | None = None
    may_delete = False
    hidden: Sequence[str] = ()
    """Columns with secrets, capabilities or people's texts: no request gets them."""
    shortened: Sequence[str] = ()
    """Capabilities; only their beginning is shown."""
    ordering = ("-id",)
    list_per_page = 20

    @property
    def services(self) -> Services:
        """The services of the request."""
        if self.request is None:
            raise LookupError("a screen is asked outside of a request")
        return services_of(self.request)

    @property
    def database(self) -> Database:
        """The service's database."""
        return self.services.database

    def get_sessionmaker(self) -> Any:
        """FastAdmin's hook for the session that reads."""
        return self.database.read

    def get_model_fields_with_widget_types(self, with_m2m: bool | None = None) -> list[ModelFieldWidgetSchema]:
        """All columns but the hidden ones, foreign keys included. Columns with `edits` come first, and only they have
        input fields.
        """
        if with_m2m:
            return []
        columns = [column for column in inspect(self.model_cls).c if column.key not in self.hidden]
        writable = self.get_writable_field_names()
        return [self._field(column) for column in sorted(columns, key=lambda one: one.key not in writable)]

    def get_writable_field_names(self) -> set[str]:
        """The fields in `edits`, no others."""
        return set(self.edits.model_fields) if self.edits else set()

    async def has_add_permission(self, user_id: Any = None) -> bool:
        """False: the apps and the catalog create rows."""
        return False

    async def has_change_permission(self, user_id: Any = None) -> bool:
        """Whether the screen has `edits`."""
        return self.edits is not None

    async def has_delete_permission(self, user_id: Any = None) -> bool:
        """Whether the screen implements deletion."""
        return self.may_delete

    async def has_export_permission(self, user_id: Any = None) -> bool:
        """False: data leave only by the research export, with its consents and pseudonyms."""
        return False

    async def serialize_obj_attributes(
        self, obj: Any, attributes_to_serizalize: list[ModelFieldWidgetSchema], list_view: bool = False
    ) -> dict[str, Any]:
        """A row as JSON."""
        row = {
            field.name: self._shown(field.name, getattr(obj, field.column_name)) for field in attributes_to_serizalize
        }
        return row | {"__str__": str(row.get("title") or row.get("name") or row.get("id"))}

    async def orm_get_obj(self, id: Any) -> Any | None:  # noqa: A002 - FastAdmin's name
        """The row with that id. None for an invalid id."""
        key = row_id(id)
        if key is None:
            return None
        async with self.database.read() as session:
            return await session.get(self.model_cls, key)

    async def orm_save_obj(self, id: Any, payload: dict[str, Any]) -> Any:  # noqa: A002
        """Change a row by the rules of `edits`."""
        key = row_id(id)
        if key is None or self.edits is None:
            return None
        async with self.database.write() as session:
            row = await session.get(self.model_cls, key, with_for_update=True)
            if row is None:
                return None
            before = {name: getattr(row, name) for name in self.edits.model_fields}
            changed = self.checked(before | payload)
            for name, value in changed.items():
                setattr(row, name, value)
            await session.flush()
        fields = sorted(name for name, value in changed.items() if value != before[name])
        log.info("changed in /admin", screen=self.model_cls.__name__, row=key, fields=fields, by=_who())
        return row

    async def delete_model(self, id: Any) -> None:  # noqa: A002
        """Delete a row by the screen's rule. A missing row counts as deleted."""
        key = row_id(id)
        if key is not None and await self.remove(key):
            log.info("deleted in /admin", screen=self.model_cls.__name__, row=key, by=_who())

    async def remove(self, key: int) -> bool:
        """Delete the row, where the screen allows it. Returns whether there was one."""
        raise NotImplementedError

    def checked(self, values: dict[str, Any]) -> dict[str, Any]:
        """The values as they may be stored. Raises AdminApiException with the name of the field."""
        assert self.edits is not None  # noqa: S101 - called only if there are edits
        try:
            return self.edits.model_validate(values).model_dump()
        except ValidationError as error:
            wrong = [one | {"loc": (BODY, *one["loc"])} for one in error.errors()]
            raise AdminApiException(422, detail=sentences(pydantic_errors(wrong, values))) from error

    def deserialize_value(self, field: ModelFieldWidgetSchema, value: Any) -> Any:
        """The value unchanged: `edits` parses it."""
        return value

    def _field(self, column: Any) -> ModelFieldWidgetSchema:
        writable = column.key in self.get_writable_field_names()
        widget = next((kind for types, kind in WIDGETS if isinstance(column.type, types)), WidgetType.Input)
        is_pk = bool(column.primary_key)
        props: dict[str, Any] = {"required": False, "disabled": not writable, "readOnly": not writable}
        choices = self._choices(column.key)
        if choices:
            widget = WidgetType.Select
            props["options"] = [{"label": choice, "value": choice} for choice in choices]
        is_yes_or_no = widget is WidgetType.Switch
        options = [{"label": "Yes", "value": True}, {"label": "No", "value": False}]
        return ModelFieldWidgetSchema(
            name=column.key,
            column_name=column.key,
            is_m2m=False,
            is_pk=is_pk,
            is_immutable=is_pk,
            form_widget_type=widget,
            form_widget_props=props,
            filter_widget_type=WidgetType.RadioGroup if is_yes_or_no else WidgetType.Input,
            filter_widget_props={"required": False} | ({"options": options} if is_yes_or_no else {}),
        )

    def _choices(self, name: str) -> list[str]:
        """The choices of an `edits` field, if it is a closed list."""
        if self.edits is None:
            return []
        schema = self.edits.model_json_schema()
        told = schema["properties"].get(name, {})
        named = schema.get("$defs", {}).get(told.get("$ref", "").rpartition("/")[2], {})
        return [str(choice) for choice in told.get("enum") or named.get("enum") or ()]

    def _shown(self, name: str, value: Any) -> Any:
        if name in self.shortened and isinstance(value, str):
            return f"{value[:SHOWN_OF_UUID]}…"
        match value:
            case Decimal():
                return format(value, "f")
            case datetime() | date():
                return value.isoformat()
            case bytes():
                return None
        return value


def row_id(sent: Any) -> int | None:
    """The id in a request. None for an impossible one."""
    text = str(sent)
    key = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_ID)) else 0
    return key if 0 < key <= LARGEST_ID else None


def _who() -> str | None:
    operator = current.get()
    return operator.name if operator else None
