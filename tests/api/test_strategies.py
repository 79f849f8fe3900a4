"""GET /api/strategies."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings

from optimizations.strategies import ALIASES, STRATEGIES

# A reading request inside a test's own transaction would leave that transaction read-only on PostgreSQL.
pytestmark = pytest.mark.django_db(transaction=True)


def test_strategies_have_names_descriptions_and_aliases(client: Client, settings: Settings) -> None:
    settings.API_AUTH_TOKEN = "secret"
    answer = client.get("/api/strategies", headers={"Authorization": "Bearer secret"})
    assert answer.status_code == 200
    items = {item["name"]: item for item in answer.json()["items"]}
    assert list(items) == list(STRATEGIES)
    assert answer.json()["total"] == len(items) == 10
    assert all(item["description"] for item in items.values())
    assert {alias: name for name, item in items.items() for alias in item["aliases"]} == dict(ALIASES)
    assert client.get("/api/strategies").status_code == 401
