"""Any text in every field that an operator may change or send: no 5xx, and what is stored is what was sent."""

import json
import random
from typing import Any

import pytest

from tests.actors.admin import CHANGEABLE, Admin
from tests.actors.family import Family
from tests.actors.person import PROFILE, Person, somewhere
from tests.support.serving import Service
from tests.support.strange_texts import FIXED, random_text

SERVER_ERROR = 500
VALUES: list[Any] = [*FIXED, "", " ", "x" * 10_000, "9" * 400, None, True, 1.5, [], {"a": "\x00"}]


def patched(admin: Admin, path: str, body: Any) -> Any:
    headers = {"Content-Type": "application/json"}
    answer = admin.client.patch(path, content=json.dumps(body), headers=headers)
    assert answer.status_code < SERVER_ERROR, (path, body, answer.text)
    return answer


@pytest.mark.long
def test_no_field_of_a_screen_answers_5xx(served: Service, admin: Admin) -> None:
    Person(served).put("/profile", PROFILE)
    Family(served)
    chance, told = random.Random(3), {one["name"]: one for one in admin.read("/configuration")["models"]}
    for model in sorted(CHANGEABLE):
        row = admin.read(f"/list/{model}?limit=1")["results"][0]
        key = row.get("id") or row["user_id"]
        before = admin.read(f"/retrieve/{model}/{key}")
        writable = [
            field["name"]
            for field in told[model]["fields"]
            if not (field.get("change_configuration") or {}).get("form_widget_props", {}).get("disabled", True)
        ]
        assert writable, told[model]
        for name in writable:
            for value in [*VALUES, *(random_text(chance) for _ in range(3))]:
                answer = patched(admin, f"/change/{model}/{key}", {name: value})
                assert answer.status_code in {200, 422}
                if isinstance(value, str) and answer.status_code == 200:
                    now = admin.read(f"/retrieve/{model}/{key}")[name]
                    assert now in {value.strip(), " ".join(value.split())}
            patched(admin, f"/change/{model}/{key}", {name: before[name]})


@pytest.mark.long
@pytest.mark.parametrize("field", ["username", "password"])
def test_no_sign_in_answers_5xx(field: str, served: Service) -> None:
    chance, client = random.Random(4), Admin(served).client
    for value in [*VALUES, *(random_text(chance) for _ in range(10))]:
        body = json.dumps({"username": "admin", "password": "x"} | {field: value})
        headers = {"Content-Type": "application/json"} | somewhere()
        assert client.post("/sign-in", content=body, headers=headers).status_code in {401, 422, 429}
