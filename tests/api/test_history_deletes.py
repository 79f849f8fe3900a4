"""What of the history can be deleted, and how much at once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from optimizations.models import Optimization
from projects.models import Project, Prompt, PromptVersion
from promptadmin.accounts.tokens import create_token
from tests.projects.making import make_project, make_prompt, make_run, make_version

# A reading request inside a test's own transaction would leave that transaction read-only on PostgreSQL.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def api(settings: Settings) -> Client:
    settings.API_AUTH_TOKEN = "secret"
    return Client(headers={"Authorization": "Bearer secret"})


def bulk_delete(api: Client, body: Any) -> Any:
    return api.post("/api/history/bulk-delete", json.dumps(body), content_type="application/json")


def test_a_deleted_run_leaves_the_versions_that_it_led_to(api: Client) -> None:
    prompt = make_prompt(make_project())
    run = make_run(prompt)
    version = make_version(prompt, 1, optimization_id=run.id)
    answer = api.delete(f"/api/history/{run.id}")
    assert (answer.status_code, answer.json()) == (200, {"message": "Optimization deleted", "id": run.id})
    version.refresh_from_db()
    assert version.optimization_id is None
    again = api.delete(f"/api/history/{run.id}")
    assert (again.status_code, again.json()) == (404, {"detail": "Optimization not found"})


def test_bulk_delete_counts_an_id_once_and_keeps_the_order(api: Client) -> None:
    for run_id in ("a", "b", "c", "kept"):
        make_run(id=run_id)
    answer = bulk_delete(api, {"ids": ["c", "nope", "a", "c", "nope", "b"]})
    assert answer.status_code == 200
    assert answer.json() == {"deleted_count": 3, "deleted_ids": ["c", "a", "b"], "not_found_ids": ["nope"]}
    assert list(Optimization.objects.values_list("id", flat=True)) == ["kept"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({}, "missing"),
        ({"ids": []}, "too_short"),
        ({"ids": "x"}, "list_type"),
        ({"ids": [str(number) for number in range(101)]}, "too_long"),
        ({"ids": [1]}, "string_type"),
        ({"ids": ["a\0"]}, "value_error"),
    ],
)
def test_bulk_delete_takes_one_to_a_hundred_ids(api: Client, body: Any, kind: str) -> None:
    answer = bulk_delete(api, body)
    assert answer.status_code == 422
    (error,) = answer.json()["detail"]
    assert error["type"] == kind
    assert error["loc"][:2] == ["body", "ids"]


def test_the_whole_history_goes_only_when_confirmed(api: Client) -> None:
    prompt = make_prompt(make_project())
    make_version(prompt, 1, optimization_id=make_run(prompt).id)
    make_run()
    for headers in ({}, {"X-Confirm-Delete": "no"}, {"X-Confirm-Delete": "Yes"}):
        refused = api.delete("/api/history/all", headers=headers)
        assert (refused.status_code, refused.json()) == (
            400,
            {"detail": "Bulk delete requires X-Confirm-Delete: yes header"},
        )
    confirmed = {"X-Confirm-Delete": "yes"}
    assert api.delete("/api/history/all", headers=confirmed).json() == {
        "message": "Deleted 2 records",
        "deleted_count": 2,
    }
    assert api.delete("/api/history/all", headers=confirmed).json() == {
        "message": "No records to delete",
        "deleted_count": 0,
    }
    assert (Project.objects.count(), Prompt.objects.count(), PromptVersion.objects.count()) == (1, 1, 1)


def test_clearing_the_history_needs_the_scope_admin(client: Client) -> None:
    make_run()
    for scopes, status in ((["read", "write"], 403), (["admin"], 200)):
        _, secret = create_token(name=f"cleaner {status}", scopes=scopes)
        headers = {"Authorization": f"Bearer {secret}", "X-Confirm-Delete": "yes"}
        assert client.delete("/api/history/all", headers=headers).status_code == status
    assert not Optimization.objects.exists()
