"""The coach over HTTP, against the running service."""

import json
import re
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import httpx
import numpy as np
import onnxruntime as ort
import pytest

from api.kakei.coach.schemas import EXAMPLE_CONTEXT
from coach_model.budget.context import FEATURES
from tests.actors.actor import named
from tests.support.contexts import random_contexts
from tests.support.serving import CLIENT, Service, new_client

CONTEXT: dict[str, Any] = EXAMPLE_CONTEXT
UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
LEVELS = {0, 0.25, 0.5, 0.75, 1}


def ask(running: Service, body: Any = CONTEXT, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes | str) else json.dumps(body)
    headers = {"Content-Type": "application/json"} | named(headers)
    return CLIENT.post(f"{running.url}/coach/suggestions", content=content, headers=headers)


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_example_of_the_reference_is_answered_by_the_policy(slash: str, running: Service) -> None:
    response = CLIENT.post(f"{running.url}/coach/suggestions{slash}", json=CONTEXT)
    assert response.status_code == 200
    answer = response.json()
    assert answer["source"] == "policy"
    assert answer["fallback_reason"] is None
    assert re.fullmatch(r"budget/.+\+[0-9a-f]{8}", answer["policy_id"])
    assert UUID7.fullmatch(answer["suggestion_id"])
    assert {answer["w_adj"], answer["c_adj"], answer["s_adj"]} <= LEVELS
    assert abs((datetime.fromisoformat(answer["created_at"]) - datetime.now(UTC)).total_seconds()) < 60
    assert sorted(s["lever"] for s in answer["suggestions"]) == ["culture", "savings", "wants"]
    for suggestion in answer["suggestions"]:
        assert set(suggestion) == {"code", "lever", "change_percent", "title", "message", "because", "challenge_slug"}
        assert set(suggestion["because"]) <= set(FEATURES)
        assert answer[f"{suggestion['lever'][0]}_adj"] == 0.5 + suggestion["change_percent"] / 40
    strengths = [abs(s["change_percent"]) for s in answer["suggestions"]]
    assert strengths == sorted(strengths, reverse=True)


def test_suggestion_ids_sort_by_time(running: Service) -> None:
    ids = [ask(running).json()["suggestion_id"] for _ in range(20)]
    assert all(first[:13] <= second[:13] for first, second in pairwise(ids))
    assert len(set(ids)) == 20


@pytest.mark.parametrize(
    "value", ["1.01", "-0.1", '"0.5"', "true", "null", "[0.5]", "1e999", "NaN", "Infinity", "-Infinity", "0x1"]
)
@pytest.mark.parametrize("field", ["budget_used_ratio", "risk_profile"])
def test_a_bad_number_is_422_and_named(field: str, value: str, running: Service) -> None:
    body = json.dumps(CONTEXT).replace(f'"{field}": {CONTEXT[field]}', f'"{field}": {value}')
    assert value in body
    response = ask(running, body)
    problem = response.json()
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in problem["errors"]] == [field]


def test_missing_and_unknown_fields_are_all_named(running: Service) -> None:
    body = {name: value for name, value in CONTEXT.items() if name != "wants_share"} | {
        "eleventh": 0.5,
        "needs_share": 2,
    }
    problem = ask(running, body).json()
    assert {error["field"] for error in problem["errors"]} == {"wants_share", "eleventh", "needs_share"}
    assert problem["code"] == "invalid_input"
    assert problem["instance"].startswith("urn:request:")
    for error in problem["errors"]:
        assert error["field"] in problem["detail"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b"{}" * 2, b'{"a":' * 5000])
def test_what_is_no_context_is_422(body: bytes, running: Service) -> None:
    response = ask(running, body)
    assert response.status_code == 422
    assert response.json()["code"] in {"malformed_body", "invalid_input"}


@pytest.mark.parametrize("integer", [0, 1])
def test_whole_numbers_are_numbers(integer: int, running: Service) -> None:
    assert ask(running, CONTEXT | {"budget_used_ratio": integer}).status_code == 200


def test_a_body_that_is_too_large_is_refused_announced_or_not(running: Service) -> None:
    large = b" " * (256 * 1024) + json.dumps(CONTEXT).encode()
    announced = ask(running, large)
    unannounced = CLIENT.post(f"{running.url}/coach/suggestions", content=iter([large[:200_000], large[200_000:]]))
    for response in (announced, unannounced):
        assert response.status_code == 413
        assert response.json()["code"] == "body_too_large"


def test_a_policy_and_a_phone_decide_the_same(running: Service) -> None:
    graph = CLIENT.get(f"{running.url}/coach/model/policy.onnx").content
    rows = np.concatenate([random_contexts(300, seed=2), [[CONTEXT[name] for name in FEATURES]]]).astype(np.float32)
    on_device = ort.InferenceSession(graph).run(["level"], {"context": rows})[0]
    contexts = [dict(zip(FEATURES, row.tolist(), strict=True)) for row in rows]
    answers = CLIENT.post(f"{running.url}/coach/suggestions/batch", json={"contexts": contexts}).json()["answers"]
    assert [[a["w_adj"], a["c_adj"], a["s_adj"]] for a in answers] == (on_device / 4).tolist()
    assert {a["source"] for a in answers} == {"policy", "rules"}


def test_the_tongue_follows_accept_language(running: Service) -> None:
    english, japanese = ask(running), ask(running, Accept_Language="ja-JP, en;q=0.5")
    assert english.json()["suggestions"][0]["message"].isascii() or "’" in english.text
    assert re.search("[ぁ-ん]", japanese.json()["suggestions"][0]["message"])


def test_a_batch_answers_in_order_and_reports_bad_rows_by_index(running: Service) -> None:
    contexts: list[Any] = [CONTEXT] * 5
    contexts[1] = CONTEXT | {"wants_share": 3}
    contexts[3] = "nonsense"
    answer = CLIENT.post(f"{running.url}/coach/suggestions/batch/", json={"contexts": contexts}).json()
    assert [a is None for a in answer["answers"]] == [False, True, False, True, False]
    assert [(e["index"], e["field"]) for e in answer["errors"]] == [(1, "wants_share"), (3, "")]
    alone = ask(running).json()
    for got in (answer["answers"][0], answer["answers"][4]):
        assert {k: v for k, v in got.items() if k not in {"suggestion_id", "created_at"}} == {
            k: v for k, v in alone.items() if k not in {"suggestion_id", "created_at"}
        }


def test_ten_thousand_contexts_are_answered_while_others_ask_and_one_more_is_refused(running: Service) -> None:
    full = {"contexts": [CONTEXT] * 10_000}
    with new_client(timeout=60) as client:
        answer = client.post(f"{running.url}/coach/suggestions/batch", json=full)
        assert answer.status_code == 200
        assert len(answer.json()["answers"]) == 10_000
        assert len({a["suggestion_id"] for a in answer.json()["answers"]}) == 10_000
        full["contexts"].append(CONTEXT)
        refused = client.post(f"{running.url}/coach/suggestions/batch", json=full)
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == ["contexts"]


@pytest.mark.parametrize("body", [{}, {"contexts": 7}, {"contexts": [], "more": []}, [], {"other": []}])
def test_a_batch_that_is_none_is_422(body: Any, running: Service) -> None:
    assert CLIENT.post(f"{running.url}/coach/suggestions/batch", json=body).status_code == 422


def test_a_batch_that_is_too_large_is_refused_while_it_is_read(running: Service) -> None:
    parts = iter([b" " * 2**20] * 5)
    assert CLIENT.post(f"{running.url}/coach/suggestions/batch", content=parts).status_code == 413


def test_an_empty_batch_has_no_answers(running: Service) -> None:
    answer = CLIENT.post(f"{running.url}/coach/suggestions/batch", json={"contexts": []})
    assert answer.json() == {"answers": [], "errors": []}


def test_the_card_and_the_graph_are_the_served_ones_and_cacheable(running: Service) -> None:
    card = CLIENT.get(f"{running.url}/coach/model/")
    assert card.json()["policy_id"] == ask(running).json()["policy_id"]
    graph = CLIENT.get(f"{running.url}/coach/model/policy.onnx")
    for response, path in ((card, "/coach/model"), (graph, "/coach/model/policy.onnx")):
        again = CLIENT.get(running.url + path, headers={"If-None-Match": response.headers["etag"]})
        assert again.status_code == 304
        assert again.content == b""
        other = CLIENT.get(running.url + path, headers={"If-None-Match": '"other"'})
        assert other.status_code == 200
