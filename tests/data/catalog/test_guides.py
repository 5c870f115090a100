"""The guides of the product are complete, and an invalid guide is refused with the place of the fault."""

import shutil
from collections import Counter
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest

from data.catalog.guides import Area, Category, Guide, InvalidGuide, Item, guides, read_guide

CATALOGUE = Path(str(resources.files("data.catalog"))) / "guides"
BY_TITLE = {guide.title: guide for guide in guides()}
EARLY_DEVELOPMENT = BY_TITLE["Early Development: Motor, Sensory, Cognitive & Self-Regulation"]
CDC_AGES = {2, 4, 6, 9, 12, 15, 18, 24, 30, 36, 48, 60}
"""The ages, in months, of the checklists that the CDC publishes."""

GUIDE = """
key = "songs"
title = "Songs and Rhymes"
short_title = "Songs"
description = "A song a day."
color = "#4F46E5"

[[source]]
key = "cdc"
label = "CDC"
citation = "Centers for Disease Control and Prevention."
"""
ITEM = """
[[item]]
key = "lullaby"
category = "activity"
title = "A Lullaby"
area = "language"
frequency = "daily"
minutes = 5
description = "Sing the same song every evening."
how_to = "Hold your baby, dim the light, and sing slowly. Any song that you like will do, and so will humming."
evidence_summary = "The CDC advises parents to sing to their babies every day."
sources = ["cdc"]
"""
MILESTONE = """
[[item]]
key = "smiles"
category = "milestone"
title = "Smiles at You"
area = "social"
frequency = "once"
by_months = 2
description = "Your baby smiles when you talk or smile."
how_to = "Smile at your baby from a hand's breadth away, wait, and smile again. Babies need a little time to answer."
evidence_summary = "On the checklist of the CDC for the age of two months."
sources = ["cdc"]
"""


def stage(key: str, start: int | None, end: int | None) -> str:
    ages = "" if start is None else f"age_start_months = {start}\nage_end_months = {end}\n"
    return f'key = "{key}"\nname = "{key.title()}"\ngoals = "Sing together."\n{ages}'


FILES = {
    "guide.toml": GUIDE,
    "01.toml": stage("first", 0, 2) + ITEM + MILESTONE,
    "02.toml": stage("second", 2, 4) + ITEM.replace("A Lullaby", "A Morning Song"),
}


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


# The guides of the product


def test_there_are_at_least_four_guides_and_one_is_for_adults() -> None:
    assert len(guides()) == len(BY_TITLE) >= 4
    assert {"Early Literacy", "Early Math & Numeracy Development"} < BY_TITLE.keys()
    (adults,) = [guide for guide in guides() if guide.for_adults]
    (always,) = adults.stages
    assert (always.age_start_months, always.age_end_months) == (None, None)


def test_every_folder_of_the_catalog_is_a_guide() -> None:
    folders = {folder.name for folder in CATALOGUE.iterdir() if folder.is_dir()}
    assert folders == {guide.key for guide in guides()}


def test_early_development_has_twelve_stages_from_birth_and_at_least_150_items() -> None:
    ages = [(stage.age_start_months, stage.age_end_months) for stage in EARLY_DEVELOPMENT.stages]
    assert len(ages) == 12
    assert (ages[0][0], ages[-1][1]) == (0, 72)
    assert len(list(EARLY_DEVELOPMENT.items())) >= 150
    areas = Counter(item.area for _, item in EARLY_DEVELOPMENT.items())
    assert areas.keys() >= {Area.MOTOR, Area.SENSORY, Area.COGNITIVE, Area.SELF_REGULATION}


def test_no_title_is_there_twice_in_all_guides() -> None:
    titles = Counter(item.title.casefold() for guide in guides() for _, item in guide.items())
    assert [title for title, count in titles.items() if count > 1] == []


def milestones(guide: Guide) -> list[Item]:
    return [item for _, item in guide.items() if item.category is Category.MILESTONE]


def test_milestones_follow_the_ages_of_the_cdcs_checklists_and_are_within_their_stages() -> None:
    assert {item.by_months for item in milestones(EARLY_DEVELOPMENT)} == CDC_AGES
    for guide in guides():
        for where, item in guide.items():
            if item.category is Category.MILESTONE and where.age_end_months is not None:
                assert item.by_months is not None
                assert (where.age_start_months or 0) < item.by_months <= where.age_end_months, item.title


@pytest.mark.parametrize("guide", guides(), ids=lambda guide: guide.key)
def test_every_stage_has_something_to_do_and_every_item_says_how_and_why(guide: Guide) -> None:
    labels = {source.key: source.label for source in guide.source}
    for where in guide.stages:
        assert [item for item in where.item if item.category is Category.ACTIVITY], where.name
    items = [item for _, item in guide.items()]
    assert [item.title for item in items if item.how_to == item.description] == []
    unnamed = [item.title for item in items for key in item.sources if labels[key] not in item.evidence_summary]
    assert unnamed == []


def test_the_stages_of_a_guide_for_children_leave_no_age_out() -> None:
    for guide in guides():
        ends = [stage.age_end_months for stage in guide.stages][:-1]
        assert [stage.age_start_months for stage in guide.stages][1:] == ends


# Invalid guides


def test_the_guide_that_the_invalid_ones_are_made_from_is_valid(tmp_path: Path) -> None:
    guide = read_guide(written(tmp_path, FILES))
    assert [(stage.key, len(stage.item)) for stage in guide.stages] == [("first", 2), ("second", 1)]


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("01.toml", lambda text: text + ITEM.replace("A Lullaby", "Another"), "first: the item 'lullaby' is there 2"),
        (
            "02.toml",
            lambda text: text.replace("Morning Song", "lullaby"),
            "the item title 'a lullaby' is there 2 times",
        ),
        ("02.toml", lambda text: text.replace('"second"', '"first"'), "the stage 'first' is there 2 times"),
        ("guide.toml", lambda text: text + GUIDE[GUIDE.index("[[source]]") :], "the source 'cdc' is there 2 times"),
        ("01.toml", lambda text: text.replace('["cdc"]', '["who"]', 1), "first/lullaby: there is no source 'who'"),
        ("01.toml", lambda text: text.replace('["cdc"]', "[]", 1), "first/lullaby: it names no source"),
        ("01.toml", lambda text: text.replace("The CDC", "A doctor", 1), "lullaby: its evidence_summary does not name"),
        ("guide.toml", lambda text: text.replace("cdc", "who") + GUIDE[GUIDE.index("[[source]]") :], "no item names"),
        ("02.toml", lambda text: text.replace("start_months = 2", "start_months = 3"), "'Second' does not begin where"),
        ("02.toml", lambda text: text.replace("start_months = 2", "start_months = 1"), "'Second' does not begin where"),
        ("02.toml", lambda text: text.replace("end_months = 4", "end_months = 2"), "second: it ends before it begins"),
        ("02.toml", lambda text: text.replace("age_end_months = 4", ""), "second: a stage for children needs both"),
        ("guide.toml", lambda text: "for_adults = true\n" + text, "first: a stage for children needs both ages, a"),
        ("02.toml", lambda _: "item = []\n" + stage("second", 2, 4), "second: it has no item"),
        ("01.toml", lambda text: text.replace('"once"', '"weekly"'), "first/smiles: the frequency of a milestone"),
        (
            "01.toml",
            lambda text: text.replace("by_months = 2", "by_months = 3"),
            "smiles: the by_months of a milestone",
        ),
        ("01.toml", lambda text: text.replace("by_months = 2\n", ""), "first/smiles: the by_months of a milestone"),
        ("01.toml", lambda text: text.replace("minutes = 5\n", ""), "first/lullaby: the minutes of an activity must"),
        ("01.toml", lambda text: text.replace("A Lullaby", "Oh"), "first/lullaby: its title has 2 characters"),
        ("01.toml", lambda text: text.replace("Hold your", "Hold " + "on " * 300), "lullaby: its how_to has"),
        ("01.toml", lambda text: text.replace('"daily"', '"hourly"'), "01.toml: Invalid enum value 'hourly'"),
        ("01.toml", lambda text: text.replace('"language"', '"cooking"'), "01.toml: Invalid enum value 'cooking'"),
        ("01.toml", lambda text: text.replace("minutes = 5", "minuets = 5"), "01.toml: Object contains unknown field"),
        ("guide.toml", lambda text: text.replace("color", "colour"), "guide.toml: Object contains unknown field"),
        ("01.toml", lambda text: text.replace('title = "A Lullaby"', ""), "01.toml: Object missing required field"),
        ("01.toml", lambda text: text + "=", "01.toml: "),
    ],
)
def test_an_invalid_guide_is_refused_with_the_place_and_the_problem(
    tmp_path: Path, file: str, change: Callable[[str], str], said: str
) -> None:
    broken = change(FILES[file])
    assert broken != FILES[file]
    with pytest.raises(InvalidGuide) as raised:
        read_guide(written(tmp_path, FILES | {file: broken}))
    assert said in str(raised.value)
    assert str(raised.value).startswith(file if said.startswith(file) else "songs: ")


def test_a_guide_without_stages_and_a_file_that_is_no_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidGuide, match="songs: it has no stage"):
        read_guide(written(tmp_path, {"guide.toml": GUIDE}))
    written(tmp_path, FILES)
    (tmp_path / "02.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidGuide, match=r"02\.toml: "):
        read_guide(tmp_path)


def test_a_real_guide_with_one_stage_missing_is_refused(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(CATALOGUE / EARLY_DEVELOPMENT.key, copy)
    assert read_guide(copy) == EARLY_DEVELOPMENT
    sorted(copy.glob("0*.toml"))[4].unlink()
    with pytest.raises(InvalidGuide, match="does not begin where"):
        read_guide(copy)
