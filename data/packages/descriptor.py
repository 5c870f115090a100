"""The descriptors of a dataset package, all made from the schema: datapackage.json (Frictionless), croissant.json
(MLCommons Croissant), and the codebook as CSV and as Markdown."""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from data.formats import Format
from data.formats.csv_text import ESCAPE, HOW_TO_UNDO, LineWriter, escaped, is_text
from data.schema import DATASET_VERSION, Column, Table
from data.schema.columns import PERSONAL
from data.schema.missing import MEANING, SPSS, STATA, Missing

MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "sav": "application/x-spss-sav",
    "dta": "application/x-stata-dta",
}
CROISSANT_TYPES = {
    "string": "sc:Text",
    "json": "sc:Text",
    "integer": "sc:Integer",
    "number": "sc:Float",
    "boolean": "sc:Boolean",
    "datetime": "sc:Text",
    "date": "sc:Text",
}
TABULAR: tuple[Format, ...] = ("csv", "parquet")
"""The formats that Croissant reads. SPSS and Stata files are described as files, with their digests."""


@dataclass(frozen=True)
class PackedFile:
    """A file of the package."""

    path: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Packed:
    """A written table: its files, and the number of missing cells by column and reason."""

    table: Table
    columns: tuple[Column, ...]
    files: tuple[PackedFile, ...]
    missing: Mapping[str, Mapping[Missing, int]] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)


def datapackage(packed: Iterable[Packed], kind: Format, about: Mapping[str, Any]) -> dict[str, Any]:
    """The Frictionless descriptor. The facts that Frictionless has no field for are under `about`."""
    packed = list(packed)
    names = {one.table.name for one in packed}
    return {
        "profile": "tabular-data-package" if kind == "csv" else "data-package",
        "name": about["name"],
        "title": about["title"],
        "version": DATASET_VERSION,
        "licenses": [{"name": "other-closed", "title": about["licence"]}],
        "about": dict(about),
        "resources": [resource for one in packed for resource in _resources(one, kind, names)],
    }


def croissant(packed: Iterable[Packed], kind: Format, about: Mapping[str, Any]) -> dict[str, Any]:
    """The Croissant descriptor (JSON-LD, version 1.0)."""
    packed = list(packed)
    return {
        "@context": CROISSANT_CONTEXT,
        "@type": "sc:Dataset",
        "name": about["name"],
        "description": about["description"],
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "license": about["licence"],
        "url": about["url"],
        "citeAs": about["citation"],
        "datePublished": about["created_at"][:10],
        "version": about["version"],
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": file.path,
                "name": file.path,
                "description": one.table.label,
                "contentUrl": file.path,
                "encodingFormat": _encoding_format(kind),
                "sha256": file.sha256,
            }
            for one in packed
            for file in one.files
        ],
        "recordSet": [_record_set(one) for one in packed] if kind in TABULAR else [],
    }


def codebook_csv(packed: Iterable[Packed]) -> str:
    """The codebook as CSV: one line for each column, with the number of missing cells by reason."""
    out = io.StringIO()
    lines = LineWriter(out)
    described = ("unit", "minimum", "maximum", "values", "missing", "missing counts", "personal")
    lines.rows([("table", "column", "type", "label", *described)])
    for one in packed:
        for column in one.columns:
            values = "; ".join(f"{value} = {label}" for value, label in (column.categories or {}).items())
            limits = ["" if limit is None else f"{limit:g}" for limit in (column.minimum, column.maximum)]
            reasons = "; ".join(f"{reason} = {MEANING[reason]}" for reason in column.missing)
            counts = "; ".join(f"{reason} {number}" for reason, number in one.missing.get(column.name, {}).items())
            about = (one.table.name, column.name, column.type, column.label, column.unit)
            texts = map(escaped, (values, reasons, counts, column.personal.value))
            lines.rows([(*map(escaped, about), *limits, *texts)])
    return out.getvalue()


def codebook_md(packed: Iterable[Packed]) -> str:
    """The codebook as Markdown, with the codes of missing values in every format."""
    lines = ["# Codebook", "", "## Why a cell is empty", ""]
    lines += ["| in CSV | in SPSS | in Stata | means |", "|---|---|---|---|"]
    lines += [f"| `{reason}` | {SPSS[reason]} | .{STATA[reason]} | {meaning} |" for reason, meaning in MEANING.items()]
    lines += ["", "## Classes of personal data", ""]
    lines += [f"- **{kind.value}**: {meaning}" for kind, meaning in PERSONAL.items()]
    for one in packed:
        lines += ["", f"## {one.table.name}", "", f"{one.table.label}. {one.rows} rows, told apart by "]
        lines[-1] += ", ".join(f"`{name}`" for name in one.table.key) + "."
        lines += ["", "| column | type | what | values | missing |", "|---|---|---|---|---|"]
        lines += [_line(one, column) for column in one.columns]
    return "\n".join(lines) + "\n"


def _line(one: Packed, column: Column) -> str:
    values = ", ".join(f"`{value}` {label}" for value, label in (column.categories or {}).items())
    if not values and (column.minimum is not None or column.maximum is not None):
        low, high = ("" if limit is None else f"{limit:g}" for limit in (column.minimum, column.maximum))
        values = f"{low} to {high}" if high else f"from {low}"
    counts = one.missing.get(column.name, {})
    missing = ", ".join(f"`{reason}` {counts.get(reason, 0)}" for reason in column.missing)
    unit = f" ({column.unit})" if column.unit else ""
    return f"| `{column.name}` | {column.type} | {column.label}{unit} | {values} | {missing} |"


def _resources(one: Packed, kind: Format, names: set[str]) -> list[dict[str, Any]]:
    several = len(one.files) > 1
    found = []
    for number, file in enumerate(one.files, 1):
        resource = {
            "name": f"{one.table.name}-{number}" if several else one.table.name,
            "title": one.table.label,
            "path": file.path,
            "format": kind,
            "mediatype": MEDIA_TYPES[kind],
            "bytes": file.bytes,
            "hash": f"sha256:{file.sha256}",
        }
        if kind == "csv":
            resource |= {"profile": "tabular-data-resource", "encoding": "utf-8", "rows": file.rows}
            resource |= {"escape": ESCAPE, "escapeDescription": HOW_TO_UNDO}
        else:  # checked as files: Frictionless reads an empty Parquet cell as NaN and then finds it out of range
            resource |= {"profile": "data-resource", "type": "file"}
        found.append(resource | {"schema": _schema(one, kind, names)})
    return found


def _schema(one: Packed, kind: Format, names: set[str]) -> dict[str, Any]:
    fields = []
    for column in one.columns:
        fields.append(_field(column, kind))
        if kind != "csv" and column.reason_column:
            enum = [str(reason) for reason in column.missing]
            label = f"Why {column.name} is missing"
            fields.append(
                {"name": column.reason_column, "type": "string", "title": label, "constraints": {"enum": enum}}
            )
    return {
        "fields": fields,
        "missingValues": [str(reason) for reason in Missing] if kind == "csv" else [""],
        "primaryKey": list(one.table.key),
        "foreignKeys": [
            {"fields": column, "reference": {"resource": other, "fields": column}}
            for column, other in one.table.foreign_keys
            if other in names
        ],
    }


def _field(column: Column, kind: Format) -> dict[str, Any]:
    constraints: dict[str, Any] = {} if column.missing else {"required": True}
    if column.minimum is not None:
        constraints["minimum"] = column.minimum
    if column.maximum is not None:
        constraints["maximum"] = column.maximum
    if column.pattern:
        constraints["pattern"] = column.pattern
    if column.categories is not None:
        constraints["enum"] = [int(value) if column.type == "integer" else value for value in column.categories]
    described: dict[str, Any] = {
        "name": column.name,
        "type": "string" if column.type == "json" else column.type,
        "title": column.label,
        "personal": column.personal.value,
    }
    if column.type == "datetime" and kind == "csv":
        described["format"] = "%Y-%m-%dT%H:%M:%S.%fZ"
    if column.categories is not None:
        described["categories"] = [{"value": value, "label": label} for value, label in column.categories.items()]
    if column.unit:
        described["unit"] = column.unit
    if kind == "csv" and is_text(column):
        described["escape"] = ESCAPE
    return described | {"constraints": constraints}


def _record_set(one: Packed) -> dict[str, Any]:
    name = one.table.name
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": one.table.label,
        "key": [{"@id": f"{name}/{column}"} for column in one.table.key],
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{name}/{column.name}",
                "name": column.name,
                "description": column.label,
                "dataType": CROISSANT_TYPES[column.type],
                "source": {"fileObject": {"@id": one.files[0].path}, "extract": {"column": column.name}},
            }
            for column in one.columns
        ],
    }


def _encoding_format(kind: Format) -> str:
    return "application/x-parquet" if kind == "parquet" else MEDIA_TYPES[kind]


CROISSANT_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context, exactly as the specification requires it (https://docs.mlcommons.org/croissant/docs/croissant-spec.html)."""
