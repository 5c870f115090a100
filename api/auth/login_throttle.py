"""How often a password may be tried before one has to wait.

Tries are slowed down by account and network, and no number of tries locks an account for everybody: a browser in which
the account logged in before (api/auth/known_browsers.py) has tries of its own. docs/decisions/0011 says why.
"""

import hashlib
import ipaddress
from dataclasses import dataclass

from limits import RateLimitItem, parse

from api.http.rate_limits import RateLimits

OF_ONE = parse("10/15 minutes")
"""One account from one address, or from one known browser: a person who forgot a password tries a few."""
OF_NETWORK = parse("30/15 minutes")
"""One account from one network."""
FROM_ONE = parse("60/15 minutes")
"""All accounts from one address, behind which a school may sit."""
FROM_NETWORK = parse("600/15 minutes")
"""All accounts from one network."""
UNKNOWN_BROWSERS = parse("100/hour")
"""One account from all browsers that it does not know: NIST SP 800-63B allows a hundred wrong tries in a row. A year of
guessing from any number of networks comes to 876,000 passwords, none of them among the commonest."""
NETWORK_BITS = {4: 24, 6: 48}
"""Of an address, those that name a site: providers give a customer up to 2^16 IPv6 lines (RFC 6177)."""


@dataclass(frozen=True)
class Attempt:
    """A try of a password: at which `door`, for which account `name`, from which `address` (as limits count it).

    `known` names the browser, or the session, where the account logged in before; None for a browser that the account
    does not know."""

    door: str
    name: str
    address: str
    known: str | None = None

    @property
    def asker(self) -> str:
        """Who it is for the queue of passwords."""
        return f"known/{self.known}" if self.known else network_of(self.address)


@dataclass(frozen=True)
class Refusal:
    """After how many seconds one more try may be made. With `unknown_only`, browsers that the account knows need not
    wait."""

    seconds: int
    unknown_only: bool


class LoginThrottle:
    """Counts tries over all processes, exactly. Only digests of names leave the process."""

    def __init__(self, limits: RateLimits) -> None:
        self.limits = limits

    async def count(self, attempt: Attempt) -> Refusal | None:
        """Count a try before it is looked at; None if it may be made. A try that one limit refuses does not count
        towards those after it, so that a flood from one network uses up no more than that network's share."""
        for item, key in _counted(attempt):
            wait = await self.limits.seconds_to_wait(item, key)
            if wait is not None:
                return Refusal(wait, item is UNKNOWN_BROWSERS)
        return None

    async def succeeded(self, attempt: Attempt) -> None:
        """The password was right: this browser's or network's tries for the account are forgotten."""
        for item, key in _counted(attempt):
            if item in {OF_ONE, OF_NETWORK}:
                await self.limits.forget(item, key)


def network_of(address: str) -> str:
    """The network of an address, as `address_of` tells addresses."""
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
