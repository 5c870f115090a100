"""Members of a household: roles, handing it over, removal, and what stays afterwards."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.models import HouseholdUser
from tests.actors.browser import PASSWORD, SEE_OTHER, Browser, new_email, signed_up
from tests.actors.family import in_database
from tests.actors.person import somewhere
from tests.support import forking
from tests.support.serving import CLIENT, Service

WAYS = ("role", "hand-over", "remove")


def joined(service: Service, admin: Browser, name: str = "Tom") -> tuple[Browser, str]:
    """The browser and the address of one more member."""
    path = admin.invitation()
    member, email = Browser(service), new_email()
    member.go(path, path, name=name, email=email, password=PASSWORD)
    return member, email


def roles(service: Service, email: str) -> dict[str, str]:
    """The roles in a user's household, by address."""

    async def read(session: AsyncSession) -> dict[str, str]:
        mine = select(HouseholdUser.household_id).where(HouseholdUser.email == email).scalar_subquery()
        users = await session.scalars(select(HouseholdUser).where(HouseholdUser.household_id == mine))
        return {one.email: one.role for one in users}

    return in_database(service, read)


def user_id(service: Service, email: str) -> int:
    async def read(session: AsyncSession) -> int:
        return (await session.execute(select(HouseholdUser.id).where(HouseholdUser.email == email))).scalar_one()

    return in_database(service, read)


def act(browser: Browser, service: Service, email: str, way: str, **typed: str) -> httpx.Response:
    """The answer to a form of a member's page."""
    path = f"/access/members/{user_id(service, email)}"
    form = browser.form("/settings", "/logout").fields | {"password": PASSWORD} | typed
    return browser.post(f"{path}/{way}", form)


def me(service: Service, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"} | somewhere()
    return CLIENT.get(f"{service.url}/api/v1/me", headers=headers).status_code


@pytest.mark.long
@pytest.mark.parametrize("keep_name", ["yes", ""])
def test_a_removed_member_is_out_at_once_and_the_history_stays(stored: Service, keep_name: str) -> None:
    email = new_email()
    admin = signed_up(stored, email)
    member, gone = joined(stored, admin)
    member.go("/guides", r"/guides/\d+/follow")
    member.go("/today", r"/todos/\d+/complete")
    act(admin, stored, gone, "role", role="admin")
    token = member.new_api_token()
    invitation = member.invitation()
    reset = json.loads(stored.buddy("household", "reset-link", gone, "--json"))["link"].partition("/family")[2]
    assert (member.get("/people").status_code, me(stored, token)) == (200, 200)
    wrong = act(admin, stored, gone, "remove", keep_name=keep_name, password="not mine")
    assert (wrong.status_code, "not your password" in wrong.text) == (422, True)

    assert act(admin, stored, gone, "remove", keep_name=keep_name).status_code == SEE_OTHER
    assert member.get("/people").status_code == SEE_OTHER
    assert me(stored, token) == 401
    for link in (invitation, reset):
        assert Browser(stored).get(link).status_code == 404
    answer = Browser(stored).send("/login", "/login", email=gone, password=PASSWORD)
    assert answer.status_code == 403
    history, people = admin.page("/history"), admin.page("/people")
    assert ("Tom" in history, "a former member" in history) == (bool(keep_name), not keep_name)
    assert "Emma" in people
    assert ("Tom" in people, "Former member" in people) == (bool(keep_name), not keep_name)
    assert roles(stored, email) == {email: "admin"}
    left = re.findall(r"/family/people/(\d+)/remove\" aria-label=\"Remove (?:Tom|Former)", people)[0]
    admin.go(f"/people/{left}/remove", f"/people/{left}/remove")
    assert "Former member" not in admin.page("/people")


def test_an_admin_hands_the_household_over_and_may_leave_then(stored: Service) -> None:
    email = new_email()
    admin = signed_up(stored, email)
    member, other = joined(stored, admin)
    assert act(admin, stored, other, "hand-over", password="not mine").status_code == 422
    assert act(admin, stored, other, "hand-over").headers["location"].endswith("/access?said=handed-over")
    assert roles(stored, email) == {email: "member", other: "admin"}
    assert admin.get(f"/access/members/{user_id(stored, other)}").status_code == 403
    admin.go("/leave", "/leave", password=PASSWORD)
    assert roles(stored, other) == {other: "admin"}
    assert "Emma" in member.page("/people")


def test_the_last_admin_stays_and_members_decide_about_no_one(stored: Service) -> None:
    email = new_email()
    admin = signed_up(stored, email)
    member, other = joined(stored, admin)
    before = {email: "admin", other: "member"}
    for way, typed in (("role", {"role": "member"}), ("remove", {})):
        refused = act(admin, stored, email, way, **typed)
        assert (refused.status_code, "is the last admin" in refused.text) == (422, True)
    assert act(admin, stored, email, "hand-over").status_code == 422
    assert act(admin, stored, other, "role", role="owner").status_code == 422
    assert roles(stored, email) == before
    for target in (email, other):
        for way in WAYS:
            refused = act(member, stored, target, way, role="admin", keep_name="yes")
            assert (refused.status_code, "Only for admins" in refused.text) == (403, True)
        assert member.get(f"/access/members/{user_id(stored, target)}").status_code == 403
    assert roles(stored, email) == before
    assert ">Change<" not in member.page("/access")


def test_an_admin_who_becomes_a_member_invites_no_one_any_more(stored: Service) -> None:
    email = new_email()
    admin = signed_up(stored, email)
    member, other = joined(stored, admin)
    act(admin, stored, other, "role", role="admin")
    path = member.invitation()
    assert Browser(stored).get(path).status_code == 200
    act(admin, stored, other, "role", role="member")
    assert Browser(stored).get(path).status_code == 404


@pytest.mark.long
@pytest.mark.parametrize("way", WAYS)
def test_two_admins_who_act_on_each_other_at_once_leave_one_admin(stored: Service, way: str) -> None:
    for _ in range(3):
        emails = [new_email()]
        browsers = [signed_up(stored, emails[0])]
        member, other = joined(stored, browsers[0])
        browsers.append(member)
        emails.append(other)
        act(browsers[0], stored, other, "role", role="admin")
        paths = [f"/access/members/{user_id(stored, emails[1 - n])}/{way}" for n in range(2)]
        fields = [
            one.form("/settings", "/logout").fields | {"role": "member", "password": PASSWORD} for one in browsers
        ]
        with ThreadPoolExecutor(2) as both:
            sent = [both.submit(browsers[n].post, paths[n], fields[n]) for n in range(2)]
            statuses = [one.result().status_code for one in sent]
        left = roles(stored, emails[0]) or roles(stored, emails[1])
        assert list(left.values()).count("admin") == 1, (statuses, left)
        assert SEE_OTHER in statuses
        assert set(statuses) <= {SEE_OTHER, 403}


@pytest.mark.long
def test_a_member_who_leaves_while_the_household_is_handed_over_leaves_an_admin(stored: Service) -> None:
    for _ in range(3):
        email = new_email()
        admin = signed_up(stored, email)
        member, other = joined(stored, admin)
        path = f"/access/members/{user_id(stored, other)}/hand-over"
        hand = admin.form("/settings", "/logout").fields | {"password": PASSWORD}
        leave = member.form("/leave", "/leave").fields | {"password": PASSWORD}
        with ThreadPoolExecutor(2) as both:
            sent = [both.submit(admin.post, path, hand), both.submit(member.post, "/leave", leave)]
            statuses = [one.result().status_code for one in sent]
        left = roles(stored, email)
        assert "admin" in left.values(), (statuses, left)


@pytest.mark.long
def test_operators_do_the_same_from_a_shell(stored: Service) -> None:
    email = new_email()
    admin = signed_up(stored, email)
    _, other = joined(stored, admin)
    household = next(
        str(one["household"]["id"])
        for one in json.loads(stored.buddy("household", "list", "--json"))
        if email in {user["email"] for user in one["users"]}
    )

    def told(*arguments: str) -> dict[str, str]:
        said = json.loads(stored.buddy("household", *arguments, "--json"))
        return {user["email"]: user["role"] for user in said["users"]}

    assert told("set-role", household, other, "admin") == {email: "admin", other: "admin"}
    assert told("hand-over", household, other.upper()) == {email: "member", other: "admin"}
    assert (
        stored.buddy("household", "set-role", household, email, "admin").strip().endswith(f"of household {household}")
    )
    assert told("remove-member", household, email, "--keep-name", "--yes") == {other: "admin"}
    environment = {"DATABASE_URL": stored.environment["DATABASE_URL"], "SECRET_KEY": stored.environment["SECRET_KEY"]}
    for arguments, said in (
        (("set-role", household, other, "member"), "is the last admin"),
        (("remove-member", household, other, "--yes"), "is the last admin"),
        (("hand-over", household, other), "only admin already"),
        (("set-role", household, other, "owner"), "a role is admin or member"),
        (("hand-over", "2000000000", other), "has no member"),
        (("hand-over", household, "nobody@example.com"), "has no member"),
        (("hand-over", household, "nonsense"), "looks like"),
    ):
        refused = forking.run("household", *arguments, env=environment)
        assert (refused.returncode, said in refused.stderr) == (1, True), refused.stderr
        assert len(refused.stderr.splitlines()) == 1
    for command in ("set-role", "hand-over", "remove-member", "browser-link"):
        assert "--json" in forking.run("household", command, "--help").stdout
