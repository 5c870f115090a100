"""Writers that take rows in parts."""

import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pyreadstat
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from data.formats import labelled
from data.packages.writer import Packer
from data.schema import TABLES, Column
from data.schema.missing import MEANING, SPSS, STATA, Missing
from tests.support.frames import frame_of

MOMENT = datetime(2026, 6, 13, 10, 30, tzinfo=UTC)


def event(number: int, zone: Any = "Asia/Manila") -> tuple[Any, ...]:
    words = ("a", "ü", "日本語", "with, comma", 'with "quotes"', "with\nline")[number % 6]
    context = f'{{"n":{number},"words":"{words}"}}'
    made: Any = MOMENT if number % 3 else Missing.NOT_UPLOADED
    day: Any = date(2026, 6, 13) if zone is not Missing.SUPPRESSED else Missing.SUPPRESSED
    return (f"p-e{number}", "p", "opened", number % 2 == 0, context, number, made, MOMENT, day, zone)


@pytest.mark.parametrize("kind", ["sav", "dta"])
def test_large_tables_come_in_parts_that_hold_every_row_once(
    kind: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labelled, "PART_ROWS", 40)
    packer = Packer(tmp_path / "package", kind)
    packer.table("events")
    for start in range(0, 120, 25):
        packer.write(frame_of("events", [event(number) for number in range(start, min(start + 25, 120))]))
    packer.close({"name": "x", "title": "X"})
    files = sorted((tmp_path / "package").glob(f"events*.{kind}"))
    assert [file.name for file in files] == [f"events_part{n}.{kind}" for n in (1, 2, 3)]
    read = pyreadstat.read_sav if kind == "sav" else pyreadstat.read_dta
    frames = [read(file)[0] for file in files]
    assert [len(frame) for frame in frames] == [40, 40, 40]
    assert [value for frame in frames for value in frame["event_id"]] == [f"p-e{n}" for n in range(120)]
    assert [value for frame in frames for value in frame["context"]] == [event(n)[4] for n in range(120)]


@pytest.mark.parametrize("kind", ["sav", "dta"])
def test_missing_text_has_its_reason_in_a_second_column(kind: Any, tmp_path: Path) -> None:
    packer = Packer(tmp_path / "package", kind)
    packer.table("events")
    packer.write(frame_of("events", [event(1), event(2, Missing.NOT_UPLOADED), event(3, Missing.SUPPRESSED)]))
    packer.close({"name": "x", "title": "X"})
    read = pyreadstat.read_sav if kind == "sav" else pyreadstat.read_dta
    frame, meta = read(tmp_path / "package" / f"events.{kind}")
    assert frame["time_zone"].tolist() == ["Asia/Manila", "", ""]
    labels = meta.variable_value_labels["time_zone_missing"]
    assert [labels[number] for number in frame["time_zone_missing"]] == [
        "not missing",
        MEANING[Missing.NOT_UPLOADED],
        MEANING[Missing.SUPPRESSED],
    ]


@pytest.mark.parametrize("kind", ["sav", "dta"])
def test_refunds_are_amounts_and_no_missing_values(kind: Any, tmp_path: Path) -> None:
    packer = Packer(tmp_path / "package", kind)
    packer.table("weekly_summaries")
    amounts = [*map(float, range(-100, -90)), -0.01, -1234.5678]
    weeks = [(202601 + number, 2, *[amount] * 5) for number, amount in enumerate(amounts)]
    rows = [("p", *week, 3, MOMENT, MOMENT, date(2026, 6, 13), "Asia/Manila") for week in weeks]
    packer.write(frame_of("weekly_summaries", rows))
    packer.close({"name": "x", "title": "X"})
    read = pyreadstat.read_sav if kind == "sav" else pyreadstat.read_dta
    frame, _ = read(tmp_path / "package" / f"weekly_summaries.{kind}")
    for name in ("total_spent", "spent_needs", "spent_wants", "spent_culture", "spent_unexpected"):
        assert frame[name].tolist() == amounts


def test_every_reason_has_a_code_of_its_own_in_every_format_and_no_column_could_hold_it() -> None:
    assert len(set(SPSS.values())) == len(set(STATA.values())) == len(Missing) == len(MEANING)
    for table in TABLES.values():
        for column in table.columns:
            if column.missing and column.type in {"integer", "number"} and column.name != "value":
                assert column.minimum is None or column.minimum >= 0


def test_names_fit_into_spss_and_stata_and_are_unique() -> None:
    for table in TABLES.values():
        names = [name for c in table.columns for name in (c.name, c.reason_column) if name]
        assert len({name.lower() for name in names}) == len(names)
        assert all(len(name) <= 32 and name.isidentifier() for name in names), table.name
        assert set(table.key) <= set(names)


LABELS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=90)


@pytest.mark.parametrize("kind", ["sav", "dta"])
@given(label=LABELS | LABELS.map(lambda text: (text * 300)[:400]))
@example(label="x" * 79 + " y")
@example(label="x" * 255 + " y")
@example(label="a" + "日" * 100)
@settings(max_examples=150, deadline=None)
def test_a_label_of_any_length_is_cut_between_characters_and_read_as_it_was_written(kind: Any, label: str) -> None:
    column = Column("a", "number", label)
    with tempfile.TemporaryDirectory() as folder:
        writer = (labelled.SpssWriter if kind == "sav" else labelled.StataWriter)(Path(folder), "t", (column,))
        writer.write(pl.DataFrame({"a": [1.0]}))
        (written,) = writer.close()
        read = pyreadstat.read_sav if kind == "sav" else pyreadstat.read_dta
        kept = read(written.path)[1].column_labels[0] or ""
    assert label.startswith(kept) or label.strip().startswith(kept)
    assert kept == writer._labels(["a"])["a"]
    rest = label.strip()[len(kept) :].strip()
    room = 256 - len(kept.encode()) if kind == "sav" else 80 - len(kept)
    assert room >= 0
    assert not rest or room < len(label.strip()[len(kept) :].encode()), "as much as there is room for"
