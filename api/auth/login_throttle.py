"""Limits password tries.
Tries are limited by account and network, and no number of tries locks an account: a browser in which the account logged
in before (api/auth/known_browsers.py) has its own tries. docs/decisions/0011 says why.

"""

import hashlib
import ipaddress
from dataclasses import dataclass

from limits import RateLimitItem, parse

from api.http.rate_limits import RateLimits

OF_ONE = parse("10/15 minutes")
"""One account from one address, or from one known browser: enough for a person who tries a few old passwords."""
OF_NETWORK = parse("30/15 minutes")
"""One account from one network."""
FROM_ONE = parse("60/15 minutes")
"""All accounts from one address, which a school may share."""
FROM_NETWORK = parse("600/15 minutes")
"""All accounts from one network."""
UNKNOWN_BROWSERS = parse("100/hour")
"""One account from all unknown browsers: NIST SP 800-63B allows a hundred wrong tries in a row. A year of
guessing from any number of networks covers 876,000 passwords; the commonest ones are not allowed."""
NETWORK_BITS = {4: 24, 6: 48}
"""Of an address, those that name a site: providers give a customer up to 2^16 IPv6 lines (RFC 6177)."""


@dataclass(frozen=True)
class Attempt:
    """A password try: the login `door` (app), the account `name`, the client's `address` (as in the rate limits).
    `known` identifies a known browser or session of the account; it is None for an unknown browser.
    """

    door: str
    name: str
    address: str
    known: str | None = None

    @property
    def asker(self) -> str:
        """The key of this try in the password queue."""
        return f"known/{self.known}" if self.known else network_of(self.address)


@dataclass(frozen=True)
class Refusal:
    """The wait in seconds until the next try. With `unknown_only`, known browsers need not wait."""

    seconds: int
    unknown_only: bool


class LoginThrottle:
    """Counts tries exactly over all processes. Only digests of names leave the process."""

    def __init__(self, limits: RateLimits) -> None:
        self.limits = limits

    async def count(self, attempt: Attempt) -> Refusal | None:
        """Count a try before it is checked. None if it is allowed. A try that one limit refuses does not count towards
        later limits, so that a flood from one network uses only that network's share.
        """
        for item, key in _counted(attempt):
            wait = await self.limits.seconds_to_wait(item, key)
            if wait is not None:
                return Refusal(wait, item is UNKNOWN_BROWSERS)
        return None

    async def succeeded(self, attempt: Attempt) -> None:
        """Reset the tries of this browser or network for the account after a correct password."""
        for item, key in _counted(attempt):
            if item in {OF_ONE, OF_NETWORK}:
                await self.limits.forget(item, key)


def network_of(address: str) -> str:
    """The network of an address, as returned by `address_of`."""
    try:
        found = ipaddress.ip_network(address, strict=False)
    except ValueError:
        return address
    return str(found.supernet(new_prefix=min(found.prefixlen, NETWORK_BITS[found.version])))


def _counted(attempt: Attempt) -> list[tuple[RateLimitItem, str]]:
    door, address, network = attempt.door, attempt.address, network_of(attempt.address)
    digest = hashlib.sha256(attempt.name.strip().casefold().encode(errors="replace")).hexdigest()[:32]
    if attempt.known is not None:
        return [(OF_ONE, f"{door}/known/{digest}/{attempt.known}")]
    return [
        (FROM_ONE, f"{door}/from/{address}"),
        (FROM_NETWORK, f"{door}/from-network/{network}"),
        (OF_ONE, f"{door}/of/{digest}/{address}"),
        (OF_NETWORK, f"{door}/of-network/{digest}/{network}"),
        (UNKNOWN_BROWSERS, f"{door}/unknown/{digest}"),
    ]
