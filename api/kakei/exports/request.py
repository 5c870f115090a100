"""What may be asked of an export. The service checks it without importing the libraries of an export."""

from dataclasses import dataclass

from data.formats import Format
from data.schema import TABLES


class BadRequest(ValueError):
    """The requested export is not possible, because of the value of `field`."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field, self.message = field, message


class ReleaseUnknown(BadRequest):
    """`since` names no release, or one with other filters."""


@dataclass(frozen=True)
class ExportRequest:
    """The options of an export."""

    kind: Format = "json"
    since: str | None = None
    study_version: str | None = None
    tables: tuple[str, ...] = ()
    identifiers: bool = False
    strict: bool = False

    def chosen(self) -> list[str]:
        """The tables, in the dataset's order. Raises BadRequest for one that there is not."""
        known = [name for name in TABLES if name != "changes"]
        unknown = sorted(set(self.tables) - set(known))
        if unknown:
            named = ", ".join(name or "an empty name" for name in unknown)
            raise BadRequest("tables", f"{named} unknown; there are {', '.join(known)}")
        # all other tables refer to participants
        wanted = [name for name in known if not self.tables or name in {*self.tables, "participants"}]
        return [*wanted, "changes"] if self.since else wanted


def named_tables(text: str) -> tuple[str, ...]:
    """The names in a list that is separated by commas; no name means all tables."""
    return tuple(name.strip() for name in text.split(",")) if text else ()
