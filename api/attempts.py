"""How often somebody may try to show who they are, at whichever door, before they have to wait."""

import hashlib

from limits import RateLimitItem, parse

from api.limits import RateLimits

OF_ONE = parse("10/15 minutes")
"""One name from one address: whoever has forgotten a password tries a few."""
FROM_ONE = parse("60/15 minutes")
"""All names from one address, behind which a school may sit."""
AT_ONE = parse("1000/hour")
"""One name from everywhere: so many that it takes dozens of addresses to keep somebody out, and a year of guessing to
come to nine million passwords of ten characters and more."""


class Attempts:
    """Counts attempts over all processes, exactly. Only digests of names leave the process."""

    def __init__(self, limits: RateLimits) -> None:
        self.limits = limits

    async def count(self, door: str, name: str, address: str) -> int | None:
        """Count an attempt before it is looked at; None if it may be made, else after how many seconds one may."""
        for item, key in self._counted(door, name, address):
            wait = await self.limits.seconds_to_wait(item, key)
            if wait is not None:
                return wait
        return None

    async def succeeded(self, door: str, name: str, address: str) -> None:
        """Somebody showed who they are: their attempts are forgotten."""
        _, (item, key), _ = self._counted(door, name, address)
        await self.limits.forget(item, key)

    def _counted(self, door: str, name: str, address: str) -> list[tuple[RateLimitItem, str]]:
        digest = hashlib.sha256(name.strip().casefold().encode(errors="replace")).hexdigest()[:32]
        return [
            (FROM_ONE, f"{door}/from/{address}"),
            (OF_ONE, f"{door}/of/{digest}/{address}"),
            (AT_ONE, f"{door}/at/{digest}"),
        ]
