"""Currencies (ISO 4217): which there are, and how many decimals their amounts have."""

from decimal import Decimal
from functools import cache

from babel.core import get_global

from api.http.types import DECIMALS, rounded

STILL_REPORTED_SINCE = 2015
"""Phones of ten years ago still report a currency that was withdrawn in this year or later, such as HRK."""
NO_ISO_CODE = frozenset({"CNH"})
"""Codes that CLDR lists and ISO 4217 does not."""
MORE_THAN_IN_DAILY_USE = {
    **dict.fromkeys(("AFN", "ALL", "COP", "HUF", "IDR", "IRR", "KPW", "LAK", "LBP", "MGA", "MMK", "SOS", "SYP"), 2),
    **dict.fromkeys(("MRO", "SLL", "STD", "YER"), 2),
    "IQD": 3,
}
"""ISO 4217 minor units where CLDR says 0, because such coins are hardly used; an amount may have them all the same."""


@cache
def known_currencies() -> frozenset[str]:
    """The codes that are in use, or were until a few years ago. Metals, tests and `XXX` are no currencies."""
    found = set()
    for uses in get_global("territory_currencies").values():
        for code, _, end, is_tender in uses:
            in_use = end is None or end[0] >= STILL_REPORTED_SINCE
            if in_use and code not in NO_ISO_CODE and (is_tender or not code.startswith("X")):
                found.add(code)
    return frozenset(found)


def decimals_of(currency: str) -> int:
    """The minor unit of a currency: 2 for EUR, 0 for JPY, 3 for KWD."""
    fractions = get_global("currency_fractions")
    return MORE_THAN_IN_DAILY_USE.get(currency, fractions.get(currency, fractions["DEFAULT"])[0])


def in_currency(amount: Decimal, currency: str | None) -> Decimal:
    """`amount`, rounded to the currency's decimals; to those that the database keeps where no currency is known."""
    return rounded(
        amount, decimals_of(currency) if currency is not None and currency in known_currencies() else DECIMALS
    )
