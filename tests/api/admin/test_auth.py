"""The admin over HTTP: logins and sessions."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.admin import dashboard, instruments, kakei, kinderbud
from api.admin.accounts import IDLE, LONGEST
from api.admin.auth import INNER_COOKIE
from api.models import Operator, OperatorSession
from tests.actors.admin import PASSWORD, Admin
from tests.actors.family import in_database
from tests.actors.person import somewhere
from tests.support.serving import CLIENT, Service, request, service

TRIES = 10
MODELS = [model.__name__ for screens in (dashboard, kakei, instruments, kinderbud) for model in screens.SCREENS]


@pytest.mark.long
def test_no_one_comes_in_without_the_password(served: Service) -> None:
    stranger = Admin(served)
    assert stranger.sign_in("not the password at all").status_code == 401
    assert stranger.sign_in(PASSWORD, "root").status_code == 401
    assert stranger.read("/configuration")["models"] == []
    for model in MODELS:
        assert stranger.get(f"/list/{model}").status_code == 401
        assert stranger.get(f"/retrieve/{model}/1").status_code == 401
        assert stranger.patch(f"/change/{model}/1", {}).status_code == 401
        assert stranger.delete(f"/delete/{model}/1").status_code == 401
    assert stranger.post("/widget-action/Operator/active", {"query": []}).status_code == 401


def test_without_a_password_no_one_logs_in_and_the_log_says_so(tmp_path: Path) -> None:
    with service(tmp_path, {"ADMIN_PASSWORD": PASSWORD}) as running:
        before = Admin(running)
        assert before.sign_in().status_code == 200
        environment = running.environment
    with service(tmp_path, {"DATABASE_URL": environment["DATABASE_URL"]}) as running:
        assert "no one can log in to /admin: ADMIN_PASSWORD is not set" in running.log()
        after = Admin(running)
        after.client.cookies = httpx.Cookies(before.client.cookies)
        assert after.get("/me").status_code == 401
        assert [after.sign_in(tried).status_code for tried in (PASSWORD, "")] == [401, 401]


@pytest.mark.long
def test_another_password_ends_every_session_and_the_same_one_none(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    cookies = httpx.Cookies()
    for password, status in ((PASSWORD, 401), (PASSWORD, 200), ("another horse, another day", 401)):
        with service(tmp_path, {"DATABASE_URL": url, "ADMIN_PASSWORD": password}) as running:
            admin = Admin(running)
            admin.client.cookies = cookies
            assert admin.get("/me").status_code == status
            assert admin.sign_in(password).status_code == 200
            cookies = httpx.Cookies(admin.client.cookies)


def test_a_password_that_is_too_short_is_no_setting(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="ADMIN_PASSWORD"), service(tmp_path, {"ADMIN_PASSWORD": "short"}):
        pass


def test_after_ten_wrong_passwords_not_even_the_right_one_opens(served: Service) -> None:
    admin = Admin(served)
    assert [admin.sign_in(f"not the password {n}").status_code for n in range(TRIES)] == [401] * TRIES
    locked = admin.sign_in()
    assert locked.status_code == 429
    assert 0 < int(locked.headers["Retry-After"]) <= 15 * 60
    assert Admin(served).sign_in().status_code == 200, "from elsewhere the operator still comes in"


def test_signing_out_holds_for_every_copy_of_the_cookie(served: Service, admin: Admin) -> None:
    copy = Admin(served)
    copy.client.cookies = httpx.Cookies(admin.client.cookies)
    assert copy.read("/me")["name"] == "admin"
    assert admin.post("/sign-out").status_code == 200
    assert copy.get("/me").status_code == 401


def test_a_session_ends_after_half_an_hour_of_nothing_and_after_a_working_day(served: Service) -> None:
    for column, age in ((OperatorSession.seen_at, IDLE), (OperatorSession.created_at, LONGEST)):
        admin = Admin(served)
        admin.sign_in()

        async def make_old(session: AsyncSession, column: Any = column, age: timedelta = age) -> None:
            newest = select(func.max(OperatorSession.id)).scalar_subquery()
            then = datetime.now(UTC) - age - timedelta(seconds=1)
            await session.execute(update(OperatorSession).where(OperatorSession.id == newest).values({column: then}))

        assert admin.get("/me").status_code == 200
        in_database(served, make_old)
        assert admin.get("/me").status_code == 401


def test_a_token_of_fastadmins_own_opens_nothing(served: Service, admin: Admin) -> None:
    claims = {"user_id": 1, "session_expired_at": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}
    forged = [jwt.encode(claims, key, algorithm="HS256") for key in ("x" * 32, 2 * PASSWORD)]
    own = admin.client.cookies["buddy-admin"]
    for token in [*forged, own, "x"]:
        for cookies in ({INNER_COOKIE: token}, {"buddy-admin": token} if token != own else {"other": token}):
            answer = request("GET", f"{served.url}/admin/api/me", headers=somewhere(), cookies=cookies)
            assert answer.status_code == 401
    assert INNER_COOKIE not in admin.client.cookies


def test_the_password_is_stored_as_argon2id_and_cannot_be_changed_here(served: Service, admin: Admin) -> None:
    async def read(session: AsyncSession) -> str | None:
        return (await session.scalars(select(Operator.password_hash))).one()

    assert str(in_database(served, read)).startswith("$argon2id$")
    body = {"password": "mine from now on", "confirm_password": "mine from now on"}
    assert admin.patch("/change-password/1", body).status_code == 404
    shown = admin.read("/list/Operator")["results"] + [admin.read("/me")]
    assert "argon2" not in json.dumps(shown)


def test_what_another_site_sends_is_refused(admin: Admin) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "http://["}):
        refused = admin.patch("/change/ChallengeTemplate/2", {"title": "Mine"}, **headers)
        assert refused.status_code == 403
    as_form = admin.client.post("/sign-in", data={"username": "admin", "password": PASSWORD})
    assert as_form.status_code == 415


def test_the_page_is_guarded(served: Service) -> None:
    for path in ("/admin", "/admin/", "/admin/api/configuration", "/admin/own/own.js", "/admin/nothing"):
        answer = CLIENT.get(served.url + path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
    told = CLIENT.post(
        f"{served.url}/admin/api/sign-in",
        json={"username": "admin", "password": PASSWORD},
        headers=somewhere() | {"X-Forwarded-Proto": "https"},
    )
    cookie = told.headers["set-cookie"]
    assert cookie.startswith("__Host-buddy-admin=")
    assert {"HttpOnly", "SameSite=lax", "Secure", "Path=/"} <= set(cookie.split("; "))


@pytest.mark.parametrize(
    "body", [{}, {"username": "admin"}, {"password": PASSWORD}, {"username": "\ud800", "password": PASSWORD}, []]
)
def test_a_sign_in_that_does_not_fit_tells_nothing_back(served: Service, body: Any) -> None:
    headers = {"Content-Type": "application/json"}
    answer = Admin(served).client.post("/sign-in", content=json.dumps(body), headers=headers)
    assert answer.status_code in {401, 422}
    assert PASSWORD not in answer.text


def test_an_asset_is_kept_under_an_address_that_changes_with_it(served: Service) -> None:
    page = CLIENT.get(f"{served.url}/admin").text
    script = re.findall(r'src="(/admin/static/[^"]+)"', page)[0]
    assert "?" in script
    assert "immutable" in CLIENT.get(served.url + script).headers["cache-control"]
    assert "immutable" not in CLIENT.get(served.url + script.partition("?")[0]).headers["cache-control"]
