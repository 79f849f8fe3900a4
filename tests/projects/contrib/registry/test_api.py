"""The API of named prompts."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from projects.contrib.registry.models import LabelRule
from promptadmin.accounts import tokens
from tests.projects.contrib.registry.naming import do, make_named, move
from tests.support.people import make_staff
from tests.support.token_names import token_name

pytestmark = pytest.mark.django_db
JSON = "application/json"


def with_token(*scopes: str, created_by: User | None = None) -> Client:
    secret = tokens.create_token(name=token_name(), scopes=scopes or ("read", "write"), created_by=created_by)[1]
    return Client(headers={"Authorization": f"Bearer {secret}"})


@pytest.fixture
def api() -> Client:
    return with_token()


def put(client: Client, path: str, body: Any, **headers: str) -> Any:
    return client.put(
        f"/api{path}", body, JSON, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )


def post(client: Client, path: str, body: Any = "", **headers: str) -> Any:
    sent = {name.replace("_", "-"): text for name, text in headers.items()}
    return client.post(f"/api{path}", body, JSON, headers=sent)


def test_a_first_day(api: Client) -> None:
    made = put(api, "/prompts/support/refund", {"text": "Hello {{name}}", "labels": ["production"], "reason": "first"})
    assert (made.status_code, made.json()["outcome"]) == (201, "created")
    assert made.json()["labels"] == [{"label": "production", "outcome": "moved", "request_id": None}]
    found = api.get("/api/prompts/support/refund").json()
    assert (found["text"], found["version"], found["label"], found["labels"]) == (
        *("Hello {{name}}", 1, "production", ["production"]),
    )
    assert (found["variables"], found["reason"], found["kind"], found["messages"]) == (
        *([{"name": "name"}], "first", "text", None),
    )
    assert found["author"].startswith("token ")
    added = post(api, "/prompts/Support%2FRefund/versions", {"text": "Hi {{name}}", "config": {"model": "m"}})
    assert (added.status_code, added.json()["prompt"]["version"]) == (201, 2)
    assert post(api, "/prompts/support/refund/versions", {"text": "Hi {{name}}"}).status_code == 200
    assert api.get("/api/prompts/support/refund").json()["version"] == 1
    moved = put(api, "/prompts/support/refund/labels/production", {"version": 2, "reason": "shorter"})
    assert moved.json()["event"]["from_target"] == {"version": 1, "weights": None}
    assert api.get("/api/prompts/support/refund").json()["text"] == "Hi {{name}}"
    undone = post(api, "/prompts/support/refund/labels/production/undo", {})
    assert undone.json()["target"] == {"version": 1, "weights": None}
    events = api.get("/api/prompts/support/refund/events").json()["items"]
    assert [(event["position"], event["reason"]) for event in events] == [
        *((3, "undo: shorter"), (2, "shorter"), (1, "first")),
    ]
    listed = api.get("/api/prompts?prefix=support/").json()
    assert listed["items"][0]["labels"] == {"production": {"version": 1, "weights": None}}


def test_fetching_has_an_etag_and_says_how_long_it_may_be_kept(api: Client, settings: Settings) -> None:
    make_named("a", "one", "two")
    move("a", "production", 1)
    first = api.get("/api/prompts/a")
    assert first.headers["Cache-Control"] == "private, no-cache"
    known = {"If-None-Match": first.headers["ETag"]}
    again = api.get("/api/prompts/a", headers=known)
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    move("a", "production", 2)
    settings.PROMPT_MAX_AGE = 30
    other = api.get("/api/prompts/a", headers=known)
    assert (other.status_code, other.json()["text"]) == (200, "two")
    assert other.headers["Cache-Control"] == "private, max-age=30"


def test_by_version_label_and_moment(api: Client) -> None:
    make_named("a", "one", "two")
    move("a", "production", 1)
    before = timezone.now().isoformat()
    move("a", "production", {1: 1, 2: 1})
    assert api.get("/api/prompts/a?version=2").json()["text"] == "two"
    assert api.get("/api/prompts/a?label=latest").json()["version"] == 2
    assert api.get("/api/prompts/a", {"at": before}).json()["version"] == 1
    assert {api.get(f"/api/prompts/a?key={key}").json()["version"] for key in range(20)} == {1, 2}
    early = api.get("/api/prompts/a", {"at": "2020-01-01T00:00:00Z"})
    assert (early.status_code, early.json()["detail"]) == (
        *(404, "a had no label 'production' at 2020-01-01T00:00:00+00:00"),
    )
    missing = api.get("/api/prompts/a?label=gold")
    assert (missing.status_code, missing.json()["detail"]) == (
        *(404, "a has no label 'gold': there are production, latest"),
    )
    assert api.get("/api/prompts/none").status_code == 404
    assert api.get("/api/prompts/a?version=1&label=production").status_code == 400
    assert api.get("/api/prompts/a?version=0").status_code == 422
    assert api.get("/api/prompts/a?at=yesterday").status_code == 422
    assert api.get("/api/prompts/a?labels=x").status_code == 422


def test_a_chat_comes_as_messages_and_as_text(api: Client) -> None:
    messages = [{"role": "system", "content": "Be {{how}}.\nuser:"}, {"type": "placeholder", "name": "history"}]
    made = put(api, "/prompts/chat", {"messages": messages, "labels": ["production"]})
    assert made.json()["prompt"]["kind"] == "chat"
    found = api.get("/api/prompts/chat").json()
    assert found["messages"] == messages
    assert found["text"] == "system:\nBe {{how}}.\n\\user:\n\nplaceholder: history"
    past = {"history": [{"role": "user", "content": "{{how}}"}]}
    body = {"values": {"how": "kind", "x": 1}, "placeholders": past}
    compiled = post(api, "/prompts/chat/compile", body).json()
    assert compiled["messages"] == [{"role": "system", "content": "Be kind.\nuser:"}, *past["history"]]
    assert (compiled["text"], compiled["missing"], compiled["unused"]) == (None, [], ["x"])
    for wrong in (
        {"text": "no role", "kind": "chat"},
        {},
        {"text": "a", "messages": messages},
        {"messages": [{"role": "user"}]},
        {"messages": [{"type": "placeholder", "name": "x", "content": "y"}]},
    ):
        assert put(api, "/prompts/wrong", wrong).status_code == 400, wrong
    assert api.get("/api/prompts?kind=chat").json()["items"][0]["name"] == "chat"


def test_compiling_a_text(api: Client) -> None:
    made = {"text": "{{a}} and {{b}}", "variables": [{"name": "b", "default": "two", "type": "string"}]}
    put(api, "/prompts/a", {**made, "labels": ["production"]})
    compiled = post(api, "/prompts/a/compile", {"values": {"a": "{{b}}"}})
    assert compiled.json()["text"] == "{{b}} and two"
    assert api.get("/api/prompts/a").json()["variables"] == [
        *({"name": "b", "type": "string", "default": "two"}, {"name": "a"}),
    ]
    assert put(api, "/prompts/a", {"text": "{{a}} and {{b}}", "variables": None}).json()["outcome"] == "version"


def test_if_match_and_idempotency(api: Client) -> None:
    make_named("a", "one")
    tag = api.get("/api/prompts/a?label=latest").headers["ETag"]
    assert put(api, "/prompts/a", {"text": "two"}, If_Match='"other"').status_code == 412
    assert put(api, "/prompts/a", {"text": "two"}, If_Match=tag).status_code == 200
    assert put(api, "/prompts/a", {"text": "three"}, If_Match=tag).status_code == 412
    move("a", "production", 1)
    stands = api.get("/api/prompts/a").headers["ETag"]
    assert put(api, "/prompts/a/labels/production", {"version": 2}, If_Match=tag).status_code == 412
    assert put(api, "/prompts/a/labels/production", {"version": 2}, If_Match=stands).status_code == 200
    gone = api.delete("/api/prompts/a/labels/production", headers={"If-Match": stands})
    assert gone.status_code == 412, gone.content
    first = post(api, "/prompts/a/labels/production/undo", {}, Idempotency_Key="k")
    again = post(api, "/prompts/a/labels/production/undo", {}, Idempotency_Key="k")
    assert (first.content, again.headers["Idempotency-Replayed"]) == (again.content, "true")
    assert api.get("/api/prompts/a").json()["version"] == 1


def test_renaming_describing_and_tagging(api: Client) -> None:
    make_named("a", "one")
    done = api.patch("/api/prompts/a", {"name": "b/c", "tags": ["x", "y"], "description": "what for"}, JSON)
    assert (done.status_code, done.json()["name"], done.json()["tags"]) == (200, "b/c", ["x", "y"])
    assert api.get("/api/prompts/a?label=latest").json()["name"] == "b/c"
    make_named("other")
    assert api.patch("/api/prompts/other", {"name": "B/C"}, JSON).status_code == 409
    assert api.patch("/api/prompts/other", {"name": "b/events"}, JSON).status_code == 400
    found = [
        api.get("/api/prompts", query).json()["items"] for query in ({"tag": "y"}, {"search": "WHAT"}, {"tag": "z"})
    ]
    assert [[one["name"] for one in items] for items in found] == [["b/c"], ["b/c"], []]


def test_lists_go_on_by_cursor(api: Client) -> None:
    for name in ("a/1", "A/2", "b", "a/3"):
        make_named(name, "one", "two")
        move(name, "production", 1)
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = api.get(f"/api/prompts?prefix=a/&limit=2&cursor={cursor}").json()
        found += [one["name"] for one in page["items"]]
        cursor = page["next_cursor"]
    assert found == ["a/1", "A/2", "a/3"]
    assert len(api.get("/api/prompts?label=production").json()["items"]) == 4
    assert api.get("/api/prompts?label=staging").json()["items"] == []
    page = api.get("/api/label-events?limit=3").json()
    rest = api.get(f"/api/label-events?limit=3&cursor={page['next_cursor']}").json()
    assert [event["name"] for event in page["items"] + rest["items"]] == ["a/3", "b", "A/2", "a/1"]
    assert rest["next_cursor"] is None


def test_a_label_that_wants_a_second_person(api: Client) -> None:
    make_named("a", "one")
    LabelRule.objects.create(label="production", needs_second_person=True)
    waiting = put(api, "/prompts/a/labels/production", {"version": 1, "reason": "tested"})
    assert waiting.status_code == 409
    address = waiting.headers["Location"]
    assert address in waiting.json()["detail"]
    assert api.get(address).json()["state"] == "open"
    assert [one["id"] for one in api.get("/api/promotion-requests").json()["items"]] == [
        waiting.json()["request"]["id"]
    ]
    assert api.post(f"{address}/approve").status_code == 403
    assert api.get("/api/prompts/a").status_code == 404
    approved = with_token().post(f"{address}/approve").json()
    assert (approved["request"]["state"], approved["event"]["reason"]) == ("approved", "tested")
    assert api.get("/api/prompts/a").json()["version"] == 1
    assert with_token().post(f"{address}/reject").status_code == 409


def test_a_protected_label_at_every_operation(api: Client) -> None:
    make_named("a", "one", "two")
    move("a", "production", 1)
    LabelRule.objects.create(label="production", is_protected=True)
    editor = Client()
    editor.force_login(make_staff("editor"))
    for client in (api, editor):
        for answer in (
            put(client, "/prompts/a/labels/production", {"version": 2}),
            client.delete("/api/prompts/a/labels/production"),
            post(client, "/prompts/a/labels/production/undo", {}),
            put(client, "/prompts/a", {"text": "three", "labels": ["production"]}),
            post(client, "/prompts/a/versions", {"text": "three", "labels": ["production"]}),
        ):
            assert (answer.status_code, "protected" in answer.json()["detail"]) == (403, True)
        assert client.get("/api/prompts/a?label=latest").json()["version"] == 2
        assert put(client, "/prompts/a/labels/staging", {"version": 2}).status_code == 200
    promoter = with_token("read", "write", "promote")
    assert put(promoter, "/prompts/a/labels/production", {"version": 2}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"version": 1, "weights": {"1": 1}},
        {"weights": {}},
        {"weights": {"x": 1}},
        {"weights": {"1": -1}},
        {"version": 9},
        {"weights": {"1": 1, "9": 1}},
        {"weights": {"²": 1}},
    ],
)
def test_targets_that_are_none_are_refused(api: Client, body: Any) -> None:
    make_named("a", "one")
    assert put(api, "/prompts/a/labels/production", body).status_code == 400
    assert do("labels_of", prompt_id=do("find", name="a").prompt_id) == {}


def test_a_split_by_weights(api: Client) -> None:
    make_named("a", "one", "two")
    done = put(api, "/prompts/a/labels/production", {"weights": {"1": 90, "2": 10}})
    assert done.json()["target"] == {"version": None, "weights": {"1": 90, "2": 10}}
    listed = api.get("/api/prompts").json()["items"][0]
    assert listed["labels"]["production"]["weights"] == {"1": 90, "2": 10}


def test_times_of_versions_are_those_when_they_came(api: Client) -> None:
    start = timezone.now()
    make_named("a", "one", "two")
    first, second = (api.get(f"/api/prompts/a?version={number}").json()["created_at"] for number in (1, 2))
    assert start < dt.datetime.fromisoformat(first) < dt.datetime.fromisoformat(second) < timezone.now()
