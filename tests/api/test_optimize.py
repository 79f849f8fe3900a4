"""Single runs as PromptForge's clients know them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from optimizations.models import Optimization
from tests.projects.making import make_project, make_prompt, make_run, store

# A reading request inside a test's own transaction would leave that transaction read-only on PostgreSQL.
pytestmark = pytest.mark.django_db(transaction=True)

MADE = dt.datetime(2026, 3, 20, 9, 30, tzinfo=dt.UTC)
RECORD = [
    "id", "created_at", "raw_prompt", "optimized_prompt", "task_type", "complexity", "weaknesses", "strengths",
    "changes_made", "framework_applied", "optimization_notes", "strategy", "strategy_reasoning", "strategy_confidence",
    "secondary_frameworks", "clarity_score", "specificity_score", "structure_score", "faithfulness_score",
    "overall_score", "is_improvement", "verdict", "duration_ms", "model_used", "input_tokens", "output_tokens",
    "cache_creation_input_tokens", "cache_read_input_tokens", "status", "error_message", "project", "tags", "title",
    "version", "prompt_id", "project_id", "project_status", "codebase_context_snapshot",
]  # fmt: skip


@pytest.fixture
def api(settings: Settings) -> Client:
    settings.API_AUTH_TOKEN = "secret"
    return Client(headers={"Authorization": "Bearer secret"})


def test_a_run_is_read_with_all_that_is_known(api: Client) -> None:
    prompt = make_prompt(make_project(status="archived"))
    run = make_run(
        prompt,
        created_at=MADE,
        optimized_prompt="better",
        weaknesses='["a"]',
        is_improvement=True,
        overall_score=0.7,
        duration_ms=5,
        codebase_context_snapshot='{"language": "Python"}',
    )
    answer = api.get(f"/api/optimize/{run.id}")
    assert answer.status_code == 200
    assert list(answer.json()) == RECORD
    assert answer.json() == {
        **dict.fromkeys(RECORD),
        "id": run.id,
        "created_at": "2026-03-20T09:30:00Z",
        "raw_prompt": "text",
        "optimized_prompt": "better",
        "weaknesses": ["a"],
        "is_improvement": True,
        "overall_score": 0.7,
        "duration_ms": 5,
        "status": "completed",
        "prompt_id": prompt.id,
        "project_id": prompt.project_id,
        "project_status": "archived",
        "codebase_context_snapshot": {"language": "Python"},
    }


@pytest.mark.parametrize("status", ["completed", "running", "error", "odd"])
def test_a_browser_asks_again_for_a_run_and_sees_each_change(api: Client, status: str) -> None:
    """A completed one changes, too: tags and a title come later."""
    address = f"/api/optimize/{make_run(status=status).id}"
    read = api.get(address)
    assert read.headers["Cache-Control"] == api.head(address).headers["Cache-Control"] == "no-cache"
    again = api.get(address, headers={"If-None-Match": read.headers["ETag"]})
    assert (again.status_code, again.content, again.headers["Cache-Control"]) == (304, b"", "no-cache")
    written = api.patch(address.replace("optimize", "optimizations"), {"title": "new"}, "application/json")
    assert written.status_code == 200
    changed = api.get(address, headers={"If-None-Match": read.headers["ETag"]})
    assert (changed.status_code, changed.json()["title"]) == (200, "new")


def test_a_run_that_is_not_there(api: Client) -> None:
    for answer in (api.get("/api/optimize/nope"), api.post("/api/optimize/nope/cancel")):
        assert (answer.status_code, answer.json()) == (404, {"detail": "Optimization not found"})
    assert api.get("/api/optimize/a%00b").status_code == 422


@pytest.mark.skipif(connection.vendor != "sqlite", reason="other engines' columns take no such value")
@pytest.mark.parametrize(
    ("column", "stored", "read"),
    [
        ("overall_score", "n/a", None),
        ("overall_score", 9e999, None),
        ("strategy_confidence", b"0.5", 0.5),
        ("duration_ms", 10.4, 10),
        ("duration_ms", "soon", None),
        ("duration_ms", 1e300, None),
        ("input_tokens", 2**40, 2**40),
        ("input_tokens", b"\xff", None),
        ("created_at", "someday", None),
        ("created_at", 1700000000, None),
        ("created_at", "2026-03-20", "2026-03-20T00:00:00Z"),
        ("created_at", "9999-12-31T23:59:59-10:00", None),
        ("optimized_prompt", b"a blob", "a blob"),
        ("verdict", "a\0b", "a\0b"),
        ("codebase_context_snapshot", b"\xff\xfe", None),
        ("strengths", b"\xff\xfe", None),
    ],
)
def test_whatever_a_column_holds_the_run_is_read(api: Client, column: str, stored: Any, read: Any) -> None:
    run = make_run()
    store("optimizations", column, run.id, stored)
    answer = api.get(f"/api/optimize/{run.id}")
    assert answer.status_code == 200
    assert answer.json()[column] == read


@pytest.mark.parametrize(
    "stored",
    [
        "[1, 2",
        "null",
        "[]",
        '"x"',
        "7",
        r'{"half": "\ud800"}',
        '{"deep": ' + "[" * 500 + "]" * 500 + "}",
        '{"deeper": ' + "[" * 100_000,
    ],
)
def test_a_context_that_is_no_sendable_object_reads_as_null(api: Client, stored: str) -> None:
    run = make_run(codebase_context_snapshot=stored)
    assert api.get(f"/api/optimize/{run.id}").json()["codebase_context_snapshot"] is None
    run.refresh_from_db()
    assert run.codebase_context_snapshot == stored


def test_only_a_running_run_is_cancelled(api: Client) -> None:
    run = make_run(status="running", title="kept")
    answer = api.post(f"/api/optimize/{run.id}/cancel")
    assert (answer.status_code, answer.json()) == (200, {"id": run.id, "status": "cancelled"})
    again = api.post(f"/api/optimize/{run.id}/cancel")
    assert (again.status_code, again.json()) == (409, {"detail": "Cannot cancel optimization in 'cancelled' status"})
    run.refresh_from_db()
    assert (run.status, run.title) == ("cancelled", "kept")


def test_a_title_is_a_duplicate_whatever_its_case(api: Client) -> None:
    make_run(title="Größe 50%", project="P")
    path = "/api/optimize/check-duplicate"

    def duplicate(**query: str) -> Any:
        return api.get(path, query).json()

    assert duplicate(title="GRÖSSE 50%") == {"duplicate": True}
    assert duplicate(title="größe 50%", project="P") == {"duplicate": True}
    assert duplicate(title="größe 50%", project="") == {"duplicate": True}
    assert duplicate(title="größe 50%", project="p") == {"duplicate": False}
    assert duplicate(title="größe 50_") == {"duplicate": False}
    assert duplicate(title="größe 5") == {"duplicate": False}
    assert duplicate(title="") == {"duplicate": False}
    missing = api.get(path)
    assert missing.status_code == 422
    assert missing.json()["detail"][0]["loc"] == ["query", "title"]


def test_optimising_needs_a_plugin(api: Client) -> None:
    run = make_run()
    for path in ("/api/optimize", f"/api/optimize/{run.id}/retry"):
        answer = api.post(path, '{"prompt": "text"}', content_type="application/json")
        assert answer.status_code == 501
        assert "optimiser plugin" in answer.json()["detail"]
    assert Optimization.objects.count() == 1
