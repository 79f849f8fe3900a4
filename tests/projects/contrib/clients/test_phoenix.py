"""Phoenix's client against a real server, and what of its API the client doesn't show."""

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


@needs_clients
def test_the_client_works_unchanged(run: Run) -> None:
    run("phoenix_client.py")


@pytest.mark.django_db
def test_a_protected_label_is_moved_in_phoenixs_words_only_by_those_who_may() -> None:
    prompt = make_named("a", "one", "two")
    move("a", "production", 1)
    LabelRule.objects.create(label="production", is_protected=True)

    def tag(*scopes: str) -> Any:
        api = Client(headers={"Authorization": f"Bearer {tokens.create_token(name=token_name(), scopes=scopes)[1]}"})
        return api.post(f"/v1/prompt_versions/{prompt.id}.2/tags", {"name": "production"}, "application/json")

    refused = tag("read", "write")
    assert (refused.status_code, "scope 'promote'" in refused.json()["detail"]) == (403, True)
    assert do("resolve", name="a").version == 1
    assert tag("write", "promote").status_code == 204
    assert do("resolve", name="a").version == 2
