"""Langfuse's SDK against a real server, and what of its API the SDK doesn't show."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from django.test import Client

from projects.contrib.registry.models import LabelRule, PromotionRequest
from promptadmin.accounts import tokens
from tests.projects.contrib.clients.conftest import Run
from tests.projects.contrib.registry.naming import do, make_named, move
from tests.support.services import needs_clients
from tests.support.token_names import token_name

PROMPTS = "/api/public/v2/prompts"
JSON = "application/json"


def with_token(*scopes: str) -> Client:
    secret = tokens.create_token(name=token_name(), scopes=scopes or ("read", "write"))[1]
    return Client(headers={"Authorization": f"Basic {b64encode(f'pk:{secret}'.encode()).decode()}"})


@needs_clients
def test_the_sdk_works_unchanged(run: Run) -> None:
    run("langfuse_sdk.py")


@pytest.mark.django_db
def test_a_protected_label_is_moved_in_langfuses_words_only_by_those_who_may() -> None:
    make_named("a/b", "one", "two")
    move("a/b", "production", 1)
    LabelRule.objects.create(label="production", is_protected=True)
    api = with_token("read", "write")
    attempts: list[Any] = [
        api.patch(f"{PROMPTS}/a%2Fb/versions/2", {"newLabels": ["production"]}, JSON),
        api.post(PROMPTS, {"name": "a/b", "prompt": "three", "labels": ["production"]}, JSON),
    ]
    for refused in attempts:
        assert (refused.status_code, refused.json()["error"]) == (403, "ForbiddenError")
        assert "scope 'promote'" in refused.json()["message"]
    assert do("resolve", name="a/b").version == 1
    assert do("find", name="a/b").current == 2
    assert api.patch(f"{PROMPTS}/a%2Fb/versions/2", {"newLabels": ["staging"]}, JSON).status_code == 200
    promoting = with_token("write", "promote").patch(f"{PROMPTS}/a%2Fb/versions/2", {"newLabels": ["production"]}, JSON)
    assert (promoting.status_code, promoting.json()["labels"]) == (200, ["production", "staging"])


@pytest.mark.django_db
def test_a_move_that_needs_a_second_person_waits() -> None:
    make_named("a", "one")
    LabelRule.objects.create(label="production", needs_second_person=True)
    waits = with_token("write").patch(f"{PROMPTS}/a/versions/1", {"newLabels": ["production"]}, JSON)
    assert waits.status_code == 409
    assert f"waits as request {PromotionRequest.objects.get().id}" in waits.json()["message"]


@pytest.mark.django_db
def test_scopes_hold_and_errors_have_langfuses_form() -> None:
    make_named("a", "one")
    refused = with_token("read").post(PROMPTS, {"name": "a", "prompt": "x"}, JSON)
    assert (refused.status_code, refused.json()["error"]) == (403, "ForbiddenError")
    nobody: Any = Client().get(f"{PROMPTS}/a")
    assert (nobody.status_code, nobody.json()["error"]) == (401, "UnauthorizedError")
    api = with_token()
    missing = api.get(f"{PROMPTS}/a")
    assert missing.json() == {
        "message": "a has no label 'production': there are latest",
        "error": "LangfuseNotFoundError",
    }
    both = api.get(f"{PROMPTS}/a?label=x&version=1")
    assert (both.status_code, both.json()["error"]) == (400, "InvalidRequestError")
    unknown = api.post(PROMPTS, {"name": "a", "prompt": "x", "colour": 1}, JSON)
    assert (unknown.status_code, unknown.json()["message"][:7]) == (400, "colour:")
    assert api.post(PROMPTS, "{", JSON).status_code == 400
    traces = api.post("/api/public/otel/v1/traces", b"\x0a", "application/x-protobuf")
    assert (traces.status_code, "LANGFUSE_TRACING_ENABLED=false" in traces.json()["message"]) == (404, True)


@pytest.mark.django_db
def test_a_body_that_names_another_version_than_the_address_moves_nothing() -> None:
    make_named("a/b", "one", "two")
    api = with_token("read", "write")
    for other in ({"name": "c"}, {"version": 1}):
        refused = api.patch(f"{PROMPTS}/a%2Fb/versions/2", {**other, "newLabels": ["staging"]}, JSON)
        assert (refused.status_code, "another version" in refused.json()["message"]) == (400, True)
    assert api.get(f"{PROMPTS}/a%2Fb?label=staging").status_code == 404
    same = {"name": "a/b", "version": 2, "newLabels": ["staging"]}
    assert api.patch(f"{PROMPTS}/a%2Fb/versions/2", same, JSON).json()["labels"] == ["staging"]


@pytest.mark.django_db
def test_fetching_has_an_etag() -> None:
    make_named("a", "one")
    api = with_token("read")
    first = api.get(f"{PROMPTS}/a?label=latest&resolve=true")
    again = api.get(f"{PROMPTS}/a?label=latest", headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
