"""Amounts are stored, returned and exported exactly as sent, on both databases."""

import json
from decimal import ROUND_HALF_UP, Context, Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from api.http.types import LARGEST_AMOUNT
from api.kakei.accounts.currencies import known_currencies
from data.calendar_weeks import week_of
from tests.actors.person import MONTH, PROFILE, WEEK, Person, this_month
from tests.support.exports import export
from tests.support.serving import CLIENT, Service

PARTS = ("spent_wants", "spent_needs", "spent_culture", "spent_unexpected")
ISO_MINOR_UNITS = {
    0: "BIF BYR CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
"""ISO 4217, list one of 2026, and BYR from list three; all others have two."""
DECIMALS = {code: digits for digits, codes in ISO_MINOR_UNITS.items() for code in codes.split()}
MOST_DECIMALS, MOST_DIGITS = 4, 15
CARRIED = Context(prec=MOST_DIGITS, rounding=ROUND_HALF_UP)
UNSHRUNK = (Phase.explicit, Phase.generate)
"""Each example is a dozen requests: making a failing one smaller would take minutes."""
studies = count(1)

currencies = st.sampled_from([None, "EUR", "PHP", "HUF", "JPY", "KRW", "KWD", "IQD", "CLF"])


def decimals_of(currency: str | None) -> int:
    return MOST_DECIMALS if currency is None else DECIMALS.get(currency, 2)


def meant(text: str, currency: str | None) -> Decimal:
    """What is stored of a JSON number: its 15 digits (docs/decisions/0013), then the currency's decimals."""
    number = CARRIED.plus(Decimal(text))
    places = min(decimals_of(currency), MOST_DIGITS - 1 - number.adjusted())
    return number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


@st.composite
def numbers(draw: st.DrawFn, *, signed: bool) -> str:
    """A JSON number as phones write them: with cents or more, a binary sum, a whole float, an exponent, an extreme."""
    places = draw(st.integers(0, MOST_DECIMALS + 2))
    largest = 10 ** (12 - max(0, places - 2)) - 1  # 15 digits in all, which a JSON number carries
    exact = draw(st.decimals(0, largest, places=places, allow_nan=False, allow_infinity=False))
    sign = "-" if signed and draw(st.booleans()) else ""
    match draw(st.integers(0, 5)):
        case 0:
            cents = draw(st.integers(0, 10**9))
            return f"{sign}{cents / 100 - cents // 200 + cents // 200}"  # 19.990000000000002
        case 1:
            return f"{sign}{exact:E}"
        case 2:
            return f"{sign}{int(exact)}.0"
        case 3:
            return sign + draw(st.sampled_from(["0", "0.0", "1e-400", "4.35", "0.29", "19.99", "1234.1", "0.0001"]))
        case 4:
            return f"{sign}{draw(st.integers(0, 999_999_999_999))}"
    return f"{sign}{exact:f}"


def summary_text(amounts: list[str], key: dict[str, int]) -> tuple[str, dict[str, str]]:
    """A body with these four parts, and every amount of it as it is written."""
    scale = Decimal(1).scaleb(-MOST_DECIMALS)
    total = sum((Decimal(one).quantize(scale, ROUND_HALF_UP) for one in amounts), Decimal(0))
    sent = {"total_spent": f"{total:f}"} | dict(zip(PARTS, amounts, strict=True))
    fields = {name: str(value) for name, value in (key | {"logging_days_count": 1}).items()} | sent
    return "{" + ", ".join(f'"{name}": {value}' for name, value in fields.items()) + "}", sent


def send(person: Person, method: str, path: str, body: str) -> dict[str, Any]:
    url = f"{person.service.url}/api/users/{person.uuid}{path}"
    answer = CLIENT.request(method, url, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {200, 201}, (body, answer.text)
    return exactly(answer.text)


def exactly(text: str) -> Any:
    """A JSON document whose numbers are not read as binary floats."""
    return json.loads(text, parse_float=Decimal)


def read(person: Person, path: str) -> Any:
    answer = person.get(path)
    assert answer.status_code == 200, answer.text
    return exactly(answer.text)


def is_small_enough(amounts: list[str]) -> bool:
    return abs(sum(map(Decimal, amounts), Decimal(0))) <= LARGEST_AMOUNT


summaries = st.lists(numbers(signed=True), min_size=4, max_size=4).filter(is_small_enough)


@pytest.mark.long
@settings(max_examples=20, deadline=None, phases=UNSHRUNK)
@example("EUR", "19.99", "1234.1", [["19.99", "4.35", "0.29", "-1.01"], ["0.30000000000000004", "0", "0", "-5.0"]])
@example("KWD", "0.0005", "0.001", [["0.125", "0.0625", "1.0005", "-0.0005"], ["1", "1e-400", "2", "-0.0"]])
@example("HUF", "1", "1", [["1", "1", "1", "1"], ["0.22541", "-175921860444.0", "19.99", "-241"]])  # 16 digits in all
@given(currencies, numbers(signed=False), numbers(signed=False), st.lists(summaries, min_size=2, max_size=2))
def test_every_amount_is_read_back_as_it_was_meant(
    stored: Service, currency: str | None, income: str, goal: str, amounts: list[list[str]]
) -> None:
    person = Person(stored)
    profile = json.dumps(PROFILE | {"currency": currency, "allow_exact_income": True})
    profile = profile.replace('"exact_income_local": null', f'"exact_income_local": {income}')
    send(person, "PUT", "/profile/", profile.replace("2500", goal))
    put = {"exact_income_local": meant(income, currency), "saving_goal_value": meant(goal, currency)}
    assert read(person, "/profile").items() >= put.items()

    expected: dict[str, Decimal] = {}
    for created in amounts:  # created, then replaced
        week, sent = summary_text(created, {"month_key": 202606, "week_key": 2})
        month, _ = summary_text(created, {"month_key": 202606})
        expected = {name: meant(value, currency) for name, value in sent.items()}
        assert send(person, "POST", "/summaries/weekly/", week).items() >= expected.items()
        assert send(person, "POST", "/summaries/monthly/", month).items() >= expected.items()
    assert read(person, "/summaries/weekly/202606/2").items() >= expected.items()
    assert read(person, "/summaries/monthly/202606").items() >= expected.items()
    assert read(person, "/summaries/weekly")["items"][0].items() >= expected.items()
    assert read(person, "/summaries/monthly")["items"][0].items() >= expected.items()

    everything = read(person, "/data")
    assert everything["profiles"][0].items() >= put.items()
    for table in ("weekly_summaries", "monthly_summaries"):
        assert everything[table][0].items() >= expected.items()


@pytest.mark.long
@settings(max_examples=2, deadline=None, phases=UNSHRUNK)
@given(currencies, st.lists(summaries, min_size=12, max_size=12))
def test_every_amount_is_exported_as_it_was_meant(
    stored: Service, currency: str | None, amounts: list[list[str]]
) -> None:
    person, study = Person(stored), f"money-{next(studies)}"
    person.consent(study_version=study)
    send(person, "PUT", "/profile/", json.dumps(PROFILE | {"currency": currency}))
    months = range(202501, 202513)
    expected = {}
    for month_key, parts in zip(months, amounts, strict=True):
        week, sent = summary_text(parts, {"month_key": month_key, "week_key": 2})
        send(person, "POST", "/summaries/weekly/", week)
        send(person, "POST", "/summaries/monthly/", summary_text(parts, {"month_key": month_key})[0])
        expected[month_key] = {name: meant(value, currency) for name, value in sent.items()}
    exported = exactly(export(stored, study_version=study).text)["tables"]
    for table in ("weekly_summaries", "monthly_summaries"):
        rows = {row["month_key"]: row for row in exported[table]}
        assert len(rows) == len(amounts)
        assert all(rows[month].items() >= values.items() for month, values in expected.items())


def test_each_number_of_the_currencies_is_that_of_iso_4217() -> None:
    from api.kakei.accounts.currencies import decimals_of as found

    assert {code: found(code) for code in known_currencies()} == {
        code: DECIMALS.get(code, 2) for code in known_currencies()
    }
    assert set(DECIMALS) <= known_currencies()
    assert {"EUR", "USD", "PHP", "JPY", "VED", "HRK", "BGN"} <= known_currencies()
    assert not {"ABC", "XXX", "XTS", "XAU", "XDR", "DEM", "CNH"} & known_currencies()


def test_stored_amounts_stay_when_the_currency_changes(stored: Service) -> None:
    person = Person(stored)
    person.put("/profile", PROFILE | {"currency": "KWD", "saving_goal_value": 2500.125})
    week = WEEK | {"total_spent": 3200.525, "spent_wants": 900.025}
    person.post("/summaries/weekly/", week)
    person.put("/profile", PROFILE | {"currency": "JPY"})
    read_back = person.read("/summaries/weekly/202606/2")
    assert (read_back["total_spent"], read_back["spent_wants"]) == (3200.525, 900.025)
    replaced = person.post("/summaries/weekly/", week).json()
    assert (replaced["total_spent"], replaced["spent_wants"], replaced["spent_needs"]) == (3201, 900, 1801)


@pytest.mark.parametrize(
    "number", ["1e400", "-1e400", "1E+999999999", "1e308", "1e12", "NaN", "Infinity", "-Infinity", "1" + "0" * 5000]
)
def test_numbers_that_no_amount_has_are_422(number: str, stored: Service) -> None:
    person = Person(stored)
    bodies = {
        "/summaries/weekly/": json.dumps(WEEK | {"total_spent": 0}).replace(
            '"total_spent": 0', f'"total_spent": {number}'
        ),
        "/summaries/monthly/": json.dumps(MONTH | {"spent_wants": 0}).replace(
            '"spent_wants": 0', f'"spent_wants": {number}'
        ),
        "/challenge-metrics": f'{{"month_range": "2026-06", "metrics": {{"expense_log_days": {number}}}}}',
    }
    for path, body in bodies.items():
        url = f"{stored.url}/api/users/{person.uuid}{path}"
        answer = CLIENT.post(url, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422, path
    assert person.get("/summaries/weekly/202606/2").status_code == 404


@pytest.mark.parametrize("number", ["1e-400", "1E-999999999", "-1e-400", "-0.0", "0.00001"])
def test_numbers_too_small_to_matter_are_zero(number: str, stored: Service) -> None:
    person = Person(stored)
    _, sent = summary_text(["0"] * 4, {})
    body = json.dumps(WEEK | dict.fromkeys(sent, 0)).replace('"spent_wants": 0', f'"spent_wants": {number}')
    assert str(send(person, "POST", "/summaries/weekly/", body)["spent_wants"]) == "0.0"


def test_a_week_of_refunds_may_be_negative_where_the_parts_add_up(stored: Service) -> None:
    person = Person(stored)
    refunds = WEEK | {"spent_wants": -500, "total_spent": 1800.5}
    assert person.post("/summaries/weekly/", refunds).json()["spent_wants"] == -500
    all_back = WEEK | dict.fromkeys(PARTS, 0) | {"spent_needs": -79.9, "total_spent": -79.9}
    assert person.post("/summaries/weekly/", all_back).json()["total_spent"] == -79.9
    assert person.post("/summaries/weekly/", all_back | {"total_spent": 79.9}).status_code == 422
    assert person.put("/profile", PROFILE | {"saving_goal_value": -1}).status_code == 422


@pytest.mark.parametrize("total", [3200.45, 3200.55])
def test_the_parts_may_be_five_hundredths_away(total: float, stored: Service) -> None:
    assert Person(stored).post("/summaries/weekly/", WEEK | {"total_spent": total}).status_code == 201


UNITS = {"JPY": 0, "EUR": 2, "KWD": 3, "CLF": 4, None: 4}


@pytest.mark.long
@settings(max_examples=25, deadline=None, phases=UNSHRUNK)
@example(None, "JPY", ["0.5"] * 4, "2")
@example("EUR", "JPY", ["0.5"] * 4, "2")
@example("EUR", "JPY", ["0.4"] * 4, "1.6")
@example("JPY", "CLF", ["0.5"] * 4, "2.05")
@given(
    st.sampled_from(list(UNITS)),
    st.sampled_from(list(UNITS)),
    st.lists(st.decimals(-20, 20, places=4).map(str), min_size=4, max_size=4),
    st.decimals("-0.06", "0.06", places=3).map(str),
)
def test_what_is_stored_is_never_refused(
    stored: Service, later: str | None, currency: str | None, parts: list[str], off: str
) -> None:
    """Also after the person took another currency. Parts that add up are accepted in each currency."""
    person = Person(stored)
    person.put("/profile", PROFILE | {"currency": currency})
    exact = sum(map(Decimal, parts), Decimal(0))
    total = Decimal(off) if abs(Decimal(off)) > 1 else exact + Decimal(off)
    for path, key in (
        ("/summaries/weekly/", {"month_key": 202606, "week_key": 2}),
        ("/summaries/monthly/", {"month_key": 202606}),
    ):
        sent = key | dict(zip(PARTS, map(float, parts), strict=True)) | {"total_spent": float(total)}
        answer = person.post(path, sent | {"logging_days_count": 1})
        unit = Decimal(1).scaleb(-UNITS[currency])
        amounts = [meant(str(sent[name]), currency) for name in ("total_spent", *PARTS)]
        allowed = max(Decimal("0.05"), unit * 5 / 2)
        fits = abs(sum(amounts[1:]) - amounts[0]) <= allowed
        assert answer.status_code == (201 if fits else 422), answer.text
        assert fits or total != exact
        if not fits:
            assert answer.json()["errors"][0]["field"] == "total_spent"
            assert f"at most {allowed:f}" in answer.json()["detail"]
            continue
        kept = {name: value for name, value in answer.json().items() if name not in {"received_at", "applied"}}
        assert [Decimal(str(kept[name])) for name in ("total_spent", *PARTS)] == amounts
        for now_in in (currency, later, later):
            person.put("/profile", PROFILE | {"currency": now_in})
            again = person.post(path, kept)
            assert again.status_code == 200, again.text
            kept = {name: again.json()[name] for name in kept}
        person.put("/profile", PROFILE | {"currency": currency})


def test_weeks_are_those_of_the_calendar(stored: Service) -> None:
    person = Person(stored)
    for month_key, weeks in ((202606, 5), (202608, 6), (202602, 5), (202102, 4)):
        for week_key in range(1, 7):
            body = WEEK | {"month_key": month_key, "week_key": week_key, "logging_days_count": 0}
            exists = week_key <= weeks
            assert (week_of(month_key, week_key) is not None) == exists
            assert person.get(f"/summaries/weekly/{month_key}/{week_key}").status_code == (404 if exists else 422)
            assert person.post("/summaries/weekly/", body).status_code == (201 if exists else 422)
    for week_key, days in ((1, 2), (2, 7), (5, 7), (6, 1)):
        body = WEEK | {"month_key": 202608, "week_key": week_key}
        assert person.post("/summaries/weekly/", body | {"logging_days_count": days}).status_code == 200
        assert person.post("/summaries/weekly/", body | {"logging_days_count": days + 1}).status_code == 422


PERCENT = "monthly_savings_goal_progress_percent"


@pytest.mark.long
@settings(max_examples=15, deadline=None, phases=UNSHRUNK)
@example("67.01030927835052", "0.30000000000000004")
@example("99.99995", "29.999999999999996")
@given(numbers(signed=False).filter(lambda one: Decimal(one) <= 100), numbers(signed=False))
def test_quantities_are_kept_to_four_decimals(stored: Service, percent: str, progress: str) -> None:
    person = Person(stored)
    month = this_month()
    body = f'{{"month_range": "{month}", "metrics": {{"{PERCENT}": {percent}, "something_else": {progress}}}}}'
    expected = {PERCENT: meant(percent, None), "something_else": meant(progress, None)}
    assert send(person, "POST", "/challenge-metrics", body)["metrics"] == expected
    rows = {row["metric_key"]: row["value"] for row in read(person, "/data")["challenge_metrics"]}
    assert rows == expected
    challenge = person.accept(1)
    moved = send(person, "POST", f"/challenges/{challenge['id']}/progress", f'{{"current_progress": {progress}}}')
    assert moved["current_progress"] == meant(progress, None)
    listed = read(person, f"/challenges?month={month}")
    assert listed[0]["current_progress"] == meant(progress, None)
    assert (listed[0]["status"] == "completed") == (meant(progress, None) >= listed[0]["target_value"])
