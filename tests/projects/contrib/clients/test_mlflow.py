"""MLflow's prompt registry against a real server, and what of its API the client doesn't show."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from projects.contrib.registry.models import LabelRule
from promptadmin.accounts import tokens
from tests.projects.contrib.clients.conftest import Run
from tests.projects.contrib.registry.naming import do, make_named, move
from tests.support.services import needs_clients
from tests.support.token_names import token_name

MODELS = "/api/2.0/mlflow/registered-models"
JSON = "application/json"


def with_token(*scopes: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {tokens.create_token(name=token_name(), scopes=scopes)[1]}"})


@needs_clients
def test_the_client_works_unchanged(run: Run) -> None:
    run("mlflow_prompts.py")


@pytest.mark.django_db
def test_a_protected_label_is_moved_in_mlflows_words_only_by_those_who_may() -> None:
    make_named("a/b", "one", "two")
    move("a/b", "production", 1)
    LabelRule.objects.create(label="production", is_protected=True)
    alias = {"name": "a.b", "alias": "production", "version": "2"}
    writer = with_token("read", "write")
    for refused in (
        writer.post(f"{MODELS}/alias", alias, JSON),
        writer.delete(f"{MODELS}/alias", {"name": "a.b", "alias": "production"}, JSON),
    ):
        answer: Any = refused
        assert (answer.status_code, answer.json()["error_code"]) == (403, "PERMISSION_DENIED")
    assert do("resolve", name="a/b").version == 1
    assert with_token("write", "promote").post(f"{MODELS}/alias", alias, JSON).status_code == 200
    assert do("resolve", name="a/b").version == 2


@pytest.mark.django_db
def test_whoever_may_only_read_can_load_but_not_tag() -> None:
    make_named("a", "one")
    reader = with_token("read")
    experiments = {"name": "a", "key": "_mlflow_experiment_ids", "value": ",0,"}
    assert reader.post(f"{MODELS}/set-tag", experiments, JSON).status_code == 200
    refused: Any = reader.post(f"{MODELS}/set-tag", {"name": "a", "key": "k", "value": "v"}, JSON)
    assert (refused.status_code, refused.json()["error_code"]) == (403, "PERMISSION_DENIED")
    assert do("find", name="a").tags == []


@pytest.mark.django_db
def test_a_name_that_may_be_two_is_refused() -> None:
    make_named("a/b", "one")
    make_named("a.b", "two")
    refused = with_token("read").get(f"{MODELS}/get?name=a.b")
    assert (refused.status_code, refused.json()["error_code"]) == (409, "RESOURCE_CONFLICT")
    assert "a.b as well as a/b" in refused.json()["message"]
    refused = with_token("read").get(f"{MODELS}/search?filter=colour = 'red'")
    assert (refused.status_code, refused.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
