"""The outcome of a decision: the next context, the summary of the week, and when it leaves."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from data.packages.reader import read_package
from tests.actors.person import WEEK, Person
from tests.support.lived import Lived
from tests.support.studies import ask, outcomes, participant


def test_the_next_context_is_the_first_one_between_five_and_ten_days_later(lived: Lived, study: str) -> None:
    person = participant(lived, study)
    ask(person, budget_used_ratio=0.2, savings_goal_progress=0.1)  # Monday, March 1st
    lived.clock.now = datetime(2027, 3, 6, 8, 59, tzinfo=UTC)
    ask(person, budget_used_ratio=0.9)
    assert outcomes(person)[0]["context_at"] is None  # a minute short of five days
    lived.clock.now = datetime(2027, 3, 7, 9, tzinfo=UTC)
    ask(person, budget_used_ratio=0.5, savings_goal_progress=0.3, needs_share=0.4)
    lived.clock.now = datetime(2027, 3, 9, 9, tzinfo=UTC)
    ask(person, budget_used_ratio=0.7)
    first = min(outcomes(person), key=lambda row: row["decision_key"])
    assert first["context_at"].startswith("2027-03-07")
    assert first["spent_share"] == pytest.approx(0.3)
    assert first["saved_share"] == pytest.approx(0.2)
    assert first["elapsed_share"] == pytest.approx(6 / 31)
    assert first["next_needs_share"] == pytest.approx(0.4)


def test_a_cycle_that_begins_in_between_counts_from_its_beginning(lived: Lived, study: str) -> None:
    person = participant(lived, study, budget_cycle_start_day=5)
    ask(person, budget_used_ratio=0.9, savings_goal_progress=0.8)
    lived.clock.now = datetime(2027, 3, 8, 9, tzinfo=UTC)
    ask(person, budget_used_ratio=0.1, savings_goal_progress=0.05)
    first = min(outcomes(person), key=lambda row: row["decision_key"])
    assert (first["spent_share"], first["saved_share"]) == (pytest.approx(0.1), pytest.approx(0.05))
    assert first["elapsed_share"] == pytest.approx(3 / 31)
    late = participant(lived, study, budget_cycle_start_day=14)
    lived.clock.now = datetime(2027, 3, 8, 9, tzinfo=UTC)
    ask(late)
    lived.clock.now = datetime(2027, 3, 15, 9, tzinfo=UTC)
    ask(late)
    first = min(outcomes(late), key=lambda row: row["decision_key"])
    assert first["elapsed_share"] is None  # the new cycle is a day old and says nothing
    assert first["context_at"] is not None


def upload(person: Person, month: int, week: int, days: int) -> None:
    answer = person.post("/summaries/weekly", WEEK | {"month_key": month, "week_key": week, "logging_days_count": days})
    assert answer.status_code in {200, 201}, answer.text


def test_the_summary_of_the_week_joins_the_decision_and_late_corrections_do_not(lived: Lived, study: str) -> None:
    person = participant(lived, study)
    ask(person)  # Monday, March 1st: the week that ends on Sunday the 7th
    lived.clock.now = datetime(2027, 3, 4, 9, tzinfo=UTC)
    upload(person, 202703, 1, 3)
    assert outcomes(person)[0]["logging_days"] is None  # the week is not over
    lived.clock.now = datetime(2027, 3, 7, 20, tzinfo=UTC)
    upload(person, 202703, 1, 6)
    assert outcomes(person)[0]["logging_days"] == 6
    lived.clock.now = datetime(2027, 3, 14, 20, tzinfo=UTC)
    upload(person, 202703, 1, 7)  # a correction before the cut-off
    assert outcomes(person)[0]["logging_days"] == 7
    lived.clock.now = datetime(2027, 3, 15, 9, 1, tzinfo=UTC)
    upload(person, 202703, 1, 2)  # and one after it
    assert outcomes(person)[0]["logging_days"] == 7


def test_a_week_across_two_months_needs_both_of_its_summaries(lived: Lived, study: str) -> None:
    person = participant(lived, study)
    lived.clock.now = datetime(2027, 3, 29, 9, tzinfo=UTC)  # Monday; April begins on Thursday
    ask(person)
    lived.clock.now = datetime(2027, 4, 4, 22, tzinfo=UTC)
    upload(person, 202703, 5, 2)
    assert outcomes(person)[0]["logging_days"] is None
    upload(person, 202704, 1, 4)
    assert outcomes(person)[0]["logging_days"] == 6


def test_a_summary_that_came_without_consent_is_no_outcome(lived: Lived, study: str) -> None:
    person = participant(lived, study)
    lived.clock.now = datetime(2027, 3, 29, 9, tzinfo=UTC)
    ask(person)
    person.consent(consented=False, study_version=study, allow_research_export=False)
    lived.clock.now = datetime(2027, 4, 4, 22, tzinfo=UTC)
    upload(person, 202703, 5, 2)
    person.consent(study_version=study)
    upload(person, 202704, 1, 4)
    assert outcomes(person)[0]["logging_days"] is None
    upload(person, 202703, 5, 2)  # sent again, with consent
    assert outcomes(person)[0]["logging_days"] == 6


@pytest.mark.long
def test_outcomes_leave_after_their_cut_off_and_not_before(lived: Lived, study: str, tmp_path: Path) -> None:
    """The export goes by the machine's clock, on which March 2027 is far away: everything is pending."""
    person = participant(lived, study)
    ask(person)
    lived.buddy("research", "export", str(tmp_path / "study"), "--study", study)
    package = read_package(tmp_path / "study")
    assert package.tables["outcomes"]["status"].tolist() == ["pending"]
    assert np.isnan(package.tables["outcomes"]["reward"].astype(float)).all()
    assert package.tables["decisions"]["phase"].tolist() == ["explore"]
