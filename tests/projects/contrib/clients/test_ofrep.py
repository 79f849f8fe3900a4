"""OpenFeature's provider for OFREP against a real server."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from promptadmin.accounts import tokens
from tests.projects.contrib.clients.conftest import Run
from tests.projects.contrib.registry.naming import make_named
from tests.support.services import needs_clients
from tests.support.token_names import token_name


@needs_clients
def test_the_provider_works_unchanged(run: Run) -> None:
    run("ofrep_provider.py")


@pytest.mark.django_db
def test_a_token_that_may_read_evaluates_and_errors_have_ofreps_form() -> None:
    make_named("a", "one")
    api = Client(headers={"Authorization": f"Bearer {tokens.create_token(name=token_name(), scopes=['read'])[1]}"})

    def asked(client: Client, **context: Any) -> Any:
        return client.post("/ofrep/v1/evaluate/flags/a", {"context": context}, "application/json")

    assert asked(api, label="latest").json()["value"]["text"] == "one"
    missing = asked(api)
    assert (missing.status_code, missing.json()["errorCode"]) == (404, "FLAG_NOT_FOUND")
    wrong = asked(api, version="x")
    assert (wrong.status_code, wrong.json()["errorCode"]) == (400, "INVALID_CONTEXT")
    nobody = asked(Client())
    assert (nobody.status_code, nobody.json()["errorCode"]) == (401, "GENERAL")
