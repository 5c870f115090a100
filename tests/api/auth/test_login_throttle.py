"""Password tries are limited by account and network, and no account is locked."""

import asyncio
import ipaddress
import itertools
import random
import secrets
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.auth.login_throttle import (
    FROM_NETWORK,
    FROM_ONE,
    OF_NETWORK,
    OF_ONE,
    UNKNOWN_BROWSERS,
    Attempt,
    LoginThrottle,
    network_of,
)
from api.http.rate_limits import RateLimits, address_of
from tests.actors.admin import PASSWORD as ADMIN_PASSWORD
from tests.actors.admin import Admin
from tests.actors.browser import PASSWORD, SEE_OTHER, Browser, new_email, signed_up
from tests.support.serving import service

NETWORKS = 1000
TRIES = OF_ONE.amount
LEFT = 2


def somewhere_else(chance: random.Random) -> str:
    """A random address in a network of its own, as limits count addresses."""
    if chance.random() < 0.5:
        host = str(ipaddress.IPv4Address(chance.getrandbits(32)))
    else:
        host = str(ipaddress.IPv6Address(0x2000 << 112 | chance.getrandbits(112)))
    return address_of({"client": (host, 1)})


@pytest.mark.parametrize("shared", [False, True])
def test_a_known_browser_may_try_while_a_thousand_networks_do(shared: bool, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue("redis_url") if shared else None
    seed = secrets.randbits(32)
    chance = random.Random(seed)
    name, known = f"{secrets.token_hex(8)}@example.com", secrets.token_hex(16)

    async def run() -> None:
        # Two counters stand for two processes that share Redis.
        processes = [LoginThrottle(RateLimits(url, exact=True)) for _ in range(2 if shared else 1)]
        passed = 0
        tries = []
        for _ in range(NETWORKS):
            address = somewhere_else(chance)
            spelt = chance.choice([name, name.upper(), f" {name} "])
            tries += [Attempt("family", spelt, address)] * chance.choice([1, 1, 1, 2])
        for few in itertools.batched(tries, 20):
            counted = (chance.choice(processes).count(one) for one in few)
            passed += (await asyncio.gather(*counted)).count(None)
        assert passed == UNKNOWN_BROWSERS.amount, f"seed {seed}: distributed guessing is slow"
        stranger = Attempt("family", name, somewhere_else(chance))
        refused = await processes[0].count(stranger)
        assert refused is not None
        assert refused.unknown_only
        for process in processes:
            mine = Attempt("family", name, somewhere_else(chance), known)
            assert await process.count(mine) is None, f"seed {seed}"
            await process.succeeded(mine)
        other = Attempt("family", f"other-{name}", somewhere_else(chance))
        assert await processes[0].count(other) is None, "other accounts are as before"
        for process in processes:
            await _close(process)

    asyncio.run(run())


def test_a_known_browser_that_is_stolen_guesses_slowly_too() -> None:
    async def run() -> None:
        attempts = LoginThrottle(RateLimits(None, exact=True))
        tries = [await attempts.count(Attempt("family", "a", f"203.0.{n}.1", "stolen")) for n in range(TRIES + 5)]
        assert [one is None for one in tries] == [True] * TRIES + [False] * 5
        assert await attempts.count(Attempt("family", "a", "203.0.113.1", "mine")) is None
        assert await attempts.count(Attempt("family", "a", "203.0.113.1")) is None

    asyncio.run(run())


def test_one_network_uses_up_its_own_share_and_no_more() -> None:
    async def run() -> None:
        attempts = LoginThrottle(RateLimits(None, exact=True))
        lines = [f"2001:db8:1:{n:x}::/64" for n in range(200)]
        passed = [line for line in lines if await attempts.count(Attempt("family", "a", line)) is None]
        assert len(passed) == OF_NETWORK.amount
        assert await attempts.count(Attempt("family", "a", "2001:db8:2:1::/64")) is None, "another network goes on"
        names = [await attempts.count(Attempt("family", f"{n}", lines[n % 200])) for n in range(FROM_NETWORK.amount)]
        assert sum(one is None for one in names) == FROM_NETWORK.amount - len(lines)

    asyncio.run(run())


def test_a_crowd_of_addresses_in_one_line_counts_as_one() -> None:
    """One IPv6 line has 2^64 addresses, and as many tries as a line with one."""

    async def run() -> None:
        limits = RateLimits(None, exact=True)
        attempts, chance = LoginThrottle(limits), random.Random(1)

        def neighbour(network: str) -> str:
            host = ipaddress.IPv6Address(int(ipaddress.IPv6Address(network)) + chance.getrandbits(64))
            return address_of({"type": "http", "client": (str(host), 1)})

        tried = [await attempts.count(Attempt("family", "a", neighbour("2001:db8:1:2::"))) for _ in range(2000)]
        assert tried.count(None) == OF_ONE.amount
        assert all(refusal is None or not refusal.unknown_only for refusal in tried)
        names = [
            await attempts.count(Attempt("family", f"account {number}", neighbour("2001:db8:1:3::")))
            for number in range(2000)
        ]
        assert names.count(None) == FROM_ONE.amount, "many accounts from one line"
        assert len(limits.own) < 400, "no memory for each address"
        assert await attempts.count(Attempt("family", "a", neighbour("2001:db8:9:2::"))) is None, "elsewhere"
        known = Attempt("family", "a", neighbour("2001:db8:1:2::"), known="a browser of the account")
        assert await attempts.count(known) is None, "a known browser in the middle of the crowd"

    asyncio.run(run())


@given(st.ip_addresses())
def test_a_network_holds_the_line_and_the_line_the_address(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    client = getattr(address, "ipv4_mapped", None) or address  # an IPv4 client of a socket for both
    network = ipaddress.ip_network(network_of(address_of({"client": (str(address), 1)})))
    assert client in network
    assert network.prefixlen == (24 if client.version == 4 else 48)


@given(st.ip_addresses(v=4))
def test_an_ipv4_client_has_one_address_on_every_socket(address: ipaddress.IPv4Address) -> None:
    assert address_of({"client": (f"::ffff:{address}", 1)}) == str(address)


@pytest.mark.parametrize("strange", ["unknown", "", "a:strange:name", "\0", "10.0.0.256"])
def test_what_is_no_address_is_a_network_of_its_own(strange: str) -> None:
    assert network_of(strange) == strange


@pytest.mark.long
def test_a_flood_from_a_hundred_networks_keeps_neither_app_from_its_known_browsers(
    postgres_url: str, redis_url: str, tmp_path: Path
) -> None:
    settings = {"DATABASE_URL": postgres_url, "REDIS_URL": redis_url, "ADMIN_PASSWORD": ADMIN_PASSWORD}
    with service(tmp_path, settings) as one, service(tmp_path, settings) as other:
        both, email = (one, other), new_email()
        family, admin = signed_up(one, email), Admin(one)
        assert admin.sign_in().status_code == 200
        family.go("/settings", "/logout")

        asyncio.run(_flood(redis_url, ("family", email), ("admin", "admin")))

        def try_as_family(number: int) -> int:
            stranger = Browser(both[number % 2], {"X-Forwarded-For": f"2001:db8:{number:x}::1"})
            return stranger.send("/login", "/login", email=email, password=f"not the password {number}").status_code

        def try_as_admin(number: int) -> int:
            stranger = Admin(both[number % 2])
            stranger.client.headers["X-Forwarded-For"] = f"2001:db8:{number:x}::1"
            return stranger.sign_in(f"not the password {number}").status_code

        assert [try_as_family(number) for number in range(LEFT + 4)] == [403] * LEFT + [429] * 4, (
            one.log() + other.log()
        )
        as_admin = [try_as_admin(number) for number in range(LEFT + 4)]
        assert as_admin == [401] * (LEFT - 1) + [429] * 5, "the first login was a try of an unknown browser, too"

        refused = Browser(other).send("/login", "/login", email=email, password=PASSWORD)
        assert (refused.status_code, "Use a browser where you logged in before" in refused.text) == (429, True)
        told = Admin(other).sign_in()
        assert (told.status_code, "buddy admin browser-link" in told.text) == (429, True)
        assert 0 < int(told.headers["Retry-After"]) <= 3600

        for running in both:  # known browsers can log in, in every process, from every network
            again = Browser(running)
            again.client.cookies = httpx.Cookies(family.client.cookies)
            assert again.send("/login", "/login", email=email, password="a wrong one").status_code == 403
            assert again.send("/login", "/login", email=email, password=PASSWORD).status_code == SEE_OTHER
            back = Admin(running)
            back.client.cookies = httpx.Cookies(admin.client.cookies)
            assert back.sign_in().status_code == 200


def test_a_link_makes_a_new_browser_known_once(redis_url: str, tmp_path: Path) -> None:
    with service(tmp_path, {"ADMIN_PASSWORD": ADMIN_PASSWORD, "REDIS_URL": redis_url}) as running:
        email = new_email()
        signed_up(running, email)
        asyncio.run(_flood(redis_url, ("family", email)))
        for _ in range(LEFT):
            assert Browser(running).send("/login", "/login", email=email, password="a wrong one").status_code == 403
        late = Browser(running)
        assert late.send("/login", "/login", email=email, password=PASSWORD).status_code == 429
        link = running.buddy("household", "browser-link", email).split()[0].partition("/family")[2]
        assert late.page(link).count("Is this your browser?") == 1
        assert late.page(link).count("Is this your browser?") == 1, "opening it uses nothing up"
        form = late.form(link, link)
        assert late.go(link, link) == "/login?said=known"
        assert late.post(link, form.fields).status_code == 404
        assert late.send("/login", "/login", email=email, password="a wrong one").status_code == 403
        assert late.send("/login", "/login", email=email, password=PASSWORD).status_code == SEE_OTHER

        admin = Admin(running)
        first = running.buddy("admin", "browser-link").split()[0].partition("/admin")[2]
        path = running.buddy("admin", "browser-link").split()[0].partition("/admin")[2]
        base = f"{running.url}/admin"
        assert admin.client.get(base + first).status_code == 404, "a later link ends an earlier one"
        assert admin.client.get(base + path).status_code == 200
        elsewhere = admin.client.post(base + path, headers={"Sec-Fetch-Site": "cross-site"})
        assert elsewhere.status_code == 403
        assert admin.client.post(base + path).headers["location"] == "/admin"
        assert admin.client.post(base + path).status_code == 404
        assert "buddy-admin-browser" in admin.client.cookies
        assert path.rpartition("/")[2] not in running.log()


async def _flood(url: str, *accounts: tuple[str, str]) -> None:
    """Tries from strangers in a hundred networks at other processes that share Redis. `LEFT` more tries pass."""
    elsewhere = LoginThrottle(RateLimits(url, exact=True))
    for door, name in accounts:
        for number in range(UNKNOWN_BROWSERS.amount - LEFT):
            assert await elsewhere.count(Attempt(door, name, f"2001:db8:{0x8000 + number:x}::/64")) is None
    await _close(elsewhere)


async def _close(attempts: LoginThrottle) -> None:
    limiter: Any = attempts.limits._shared
    if limiter is not None:
        await limiter.storage.bridge.storage.aclose()
