"""Currencies (ISO 4217): the known codes, and the decimals of their amounts."""

from decimal import Decimal
from functools import cache

from babel.core import get_global

from api.http.types import DECIMALS, rounded

STILL_REPORTED_SINCE = 2015
"""Currencies withdrawn in this year or later are accepted, because old phones still report them, such as HRK."""
NO_ISO_CODE = frozenset({"CNH"})
"""Codes that CLDR lists and ISO 4217 does not."""
MORE_THAN_IN_DAILY_USE = {
    **dict.fromkeys(("AFN", "ALL", "COP", "HUF", "IDR", "IRR", "KPW", "LAK", "LBP", "MGA", "MMK", "SOS", "SYP"), 2),
    **dict.fromkeys(("MRO", "SLL", "STD", "YER"), 2),
    "IQD": 3,
}
"""ISO 4217 minor units of currencies for which CLDR says 0, as such coins are rare; amounts may still have them."""


@cache
def known_currencies() -> frozenset[str]:
    """The codes that are in use or were recently. Metals, test codes and `XXX` are not included."""
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


def unit_of(currency: str | None) -> Decimal:
    """The smallest amount that is kept: 0.01 for EUR, 1 for JPY; four decimals where no currency is known."""
    known = currency is not None and currency in known_currencies()
    return Decimal(1).scaleb(-(decimals_of(currency) if known and currency else DECIMALS))


def in_currency(amount: Decimal, currency: str | None) -> Decimal:
    """`amount`, rounded to the currency's smallest unit."""
    exponent = unit_of(currency).as_tuple().exponent
    return rounded(amount, -int(exponent))
