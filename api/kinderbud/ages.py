"""Ages in completed months, and as text. Pure."""

from datetime import date

MONTHS_IN_YEAR = 12


DAYS_IN_WEEK = 7


MONTHS_UNTIL_YEARS = 24
"""Until the second birthday people count in months."""


def age_months(birthday: date, today: date) -> int:
    """Completed months. A child born on the 31st completes a month on the 31st, or on the 1st of the next month where a
    month is shorter.
    """
    months = (today.year - birthday.year) * MONTHS_IN_YEAR + today.month - birthday.month
    return months - (today.day < birthday.day)


def age_display(birthday: date, today: date) -> str:
    """An age as people say it: days, weeks, months, years and months."""
    months = age_months(birthday, today)
    if months < 1:
        days = max(0, (today - birthday).days)  # a newborn may cross the date line
        return _count(days // DAYS_IN_WEEK, "week") if days >= DAYS_IN_WEEK else _count(days, "day")
    if months < MONTHS_UNTIL_YEARS:
        return _count(months, "month")
    years, rest = divmod(months, MONTHS_IN_YEAR)
    return _count(years, "year") + (f" {_count(rest, 'month')}" if rest else "")


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" + ("" if number == 1 else "s")
