"""POST /api/optimizations/import."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from optimizations.api import runs as run_api
from optimizations.models import Optimization
from projects.models import Project, Prompt
from promptadmin.conf.limits import IMPORT_ERRORS, IMPORT_LINES
from tests.projects.making import make_project, make_prompt, make_run

# The export reads from a connection of its own, which sees what is committed only.
pytestmark = pytest.mark.django_db(transaction=True)

IMPORT = "/api/optimizations/import"
WHOLE = {
    "id": "whole",
    "created_at": "2026-03-20T09:30:00.123456Z",
    "raw_prompt": "  Sum it up.\x01",
    "optimized_prompt": "x" * 100_001,
    "task_type": "writing",
    "complexity": "simple",
    "weaknesses": ["vague"],
    "strengths": [],
    "changes_made": [""],
    "framework_applied": "role-based",
    "optimization_notes": "",
    "strategy": "my own",
    "strategy_reasoning": "because",
    "strategy_confidence": 0.9,
    "secondary_frameworks": ["role-based", "x", "y"],
    "clarity_score": 0.0,
    "specificity_score": 1.0,
    "structure_score": 0.5,
    "faithfulness_score": 0.1 + 0.2,
    "overall_score": 0.75,
    "is_improvement": False,
    "verdict": "ünï \N{LINE SEPARATOR} \\u0000",
    "duration_ms": 0,
    "model_used": "model-a",
    "input_tokens": 1,
    "output_tokens": 2,
    "cache_creation_input_tokens": 3,
    "cache_read_input_tokens": 2_147_483_647,
    "status": "cancelled",
    "error_message": "none",
    "project": " Support ",
    "tags": ["ünï", "x" * 51],
    "title": "x" * 201,
    "version": "second",
    "codebase_context_snapshot": {"language": "Python", "deep": {"list": [1, None, "ü"]}},
}


@pytest.fixture
def api(settings: Settings) -> Client:
    settings.API_AUTH_TOKEN = "secret"
    return Client(headers={"Authorization": "Bearer secret"})


def line(run_id: str, **values: Any) -> dict[str, Any]:
    return {"id": run_id, "raw_prompt": "text", **values}


def send(api: Client, *lines: Any) -> Any:
    body = "\n".join(text if isinstance(text, str) else json.dumps(text) for text in lines)
    return api.post(IMPORT, body, content_type="application/x-ndjson")


def imported(api: Client, *lines: Any) -> tuple[int, int]:
    """How many lines made a run, and how many were there."""
    answer = send(api, *lines)
    assert answer.status_code == 200, answer.content
    counts = answer.json()
    assert counts["lines"] == counts["imported"] + counts["unchanged"]
    return counts["imported"], counts["unchanged"]


def refused(api: Client, *lines: Any) -> list[tuple[int, str, str]]:
    """The line, field and kind of each error; nothing may have been imported."""
    before = set(Optimization.objects.values_list("id", flat=True)), Project.objects.count(), Prompt.objects.count()
    answer = send(api, *lines)
    assert answer.status_code == 422, answer.content
    after = set(Optimization.objects.values_list("id", flat=True)), Project.objects.count(), Prompt.objects.count()
    assert after == before
    errors = answer.json()["detail"]
    assert all(error["loc"][:2] == ["body", error["line"]] and error["msg"] for error in errors)
    return [(error["line"], ".".join(map(str, error["loc"][2:])), error["type"]) for error in errors]


def export(api: Client) -> list[str]:
    answer: Any = api.get("/api/optimizations/export")
    return b"".join(answer.streaming_content).decode().splitlines()


def test_a_line_is_taken_as_it_is(api: Client) -> None:
    """Limits of new runs don't hold: a table may have other ones."""
    assert imported(api, WHOLE) == (1, 0)
    run = api.get("/api/optimize/whole").json()
    project, prompt = Project.objects.get(), Prompt.objects.get()
    assert run == {**WHOLE, "prompt_id": prompt.id, "project_id": project.id, "project_status": "active"}
    assert (project.name, prompt.content) == ("Support", WHOLE["raw_prompt"])
    assert imported(api, WHOLE) == (0, 1)
    assert imported(api, run) == (0, 1)  # as the API itself answers it


def test_what_a_line_does_not_name_has_a_default(api: Client) -> None:
    assert imported(api, line("a"), "", line("b", status="pending", created_at=None), "  ") == (2, 0)
    runs = [api.get(f"/api/optimize/{run_id}").json() for run_id in "ab"]
    assert [run["status"] for run in runs] == ["completed", "pending"]
    assert all(run["created_at"] for run in runs)


def test_the_same_lines_again_change_nothing(api: Client) -> None:
    lines = [line("a", project="P", tags=["x"]), line("b", project="P"), line("a", project="P")]
    assert imported(api, *lines) == (2, 1)
    before = export(api)
    assert imported(api, *lines) == (0, 3)
    assert imported(api, *lines, line("c")) == (1, 3)
    assert export(api)[:2] == before
    assert Prompt.objects.count() == 1


def test_another_content_under_the_same_id_is_a_conflict(api: Client) -> None:
    make_run(id="old", title="t", tags="{not json", verdict="kept")
    assert imported(api, line("old"), line("old", title="t", tags=None)) == (0, 2)
    found = refused(api, line("new", project="P"), line("old", title="other"), line("new", project="Q"), line("old"))
    assert found == [(2, "id", "conflict"), (3, "id", "conflict")]
    detail = send(api, line("old", title="other")).json()
    assert detail["error_count"] == 1
    assert detail["detail"][0]["id"] == "old"
    assert refused(api, line("old", verdict=None)) == [(1, "id", "conflict")]


@pytest.mark.parametrize(
    ("text", "place", "kind"),
    [
        ("{", "", "json_invalid"),
        ("\\ud800", "", "json_invalid"),
        ('{"id": NaN}', "", "json_invalid"),
        ("[]", "", "dict_type"),
        ("5", "", "dict_type"),
        ('{"raw_prompt": ""}', "id", "missing"),
        ({"id": "x"}, "raw_prompt", "missing"),
        (line("a/b"), "id", "string_pattern_mismatch"),
        (line(""), "id", "string_too_short"),
        (line("x" * 101), "id", "string_too_long"),
        (line("x", raw_prompt=5), "raw_prompt", "string_type"),
        (line("x", raw_prompt="a\0"), "raw_prompt", "value_error"),
        (line("x", tags=["a\0"]), "tags", "value_error"),
        (line("x", tags=["a", 5]), "tags.1", "string_type"),
        (line("x", overall_score=7.5), "overall_score", "less_than_equal"),
        (line("x", overall_score="0.5"), "overall_score", "float_type"),
        (line("x", duration_ms=2**63), "duration_ms", "less_than_equal"),
        (line("x", duration_ms=1.5), "duration_ms", "int_type"),
        (line("x", is_improvement=1), "is_improvement", "bool_type"),
        (line("x", status="done"), "status", "literal_error"),
        (line("x", status=None), "status", "literal_error"),
        (line("x", created_at="yesterday"), "created_at", "value_error"),
        (line("x", created_at=5), "created_at", "value_error"),
        (line("x", project="x" * 201), "project", "string_too_long"),
        (line("x", codebase_context_snapshot=[]), "codebase_context_snapshot", "dict_type"),
        (
            line("x", codebase_context_snapshot=json.loads('{"a":' + "[" * 99 + "]" * 99 + "}")),
            "codebase_context_snapshot",
            "value_error",
        ),
        (line("x", optimised_prompt="slip"), "optimised_prompt", "extra_forbidden"),
        (line("x", prompt_id="nope"), "prompt_id", "value_error"),
        (line("x", prompt_id="nope", prompt_project=" "), "prompt_id", "value_error"),
    ],
)
def test_one_wrong_line_and_nothing_is_imported(api: Client, text: Any, place: str, kind: str) -> None:
    assert refused(api, line("good", project="new"), "", text) == [(3, place, kind)]


def test_bytes_that_are_no_utf8_are_a_wrong_line(api: Client) -> None:
    answer = api.post(IMPORT, b'{"id": "x", "raw_prompt": "\xff"}', content_type="application/x-ndjson")
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["type"] == "json_invalid"
    marked = b"\xef\xbb\xbf" + json.dumps(line("x")).encode() + b"\r\n"
    assert api.post(IMPORT, marked, content_type="application/x-ndjson").json()["imported"] == 1


def test_a_hundred_errors_are_shown_and_all_are_counted(api: Client) -> None:
    answer = send(api, *["{"] * (IMPORT_ERRORS + 50))
    assert answer.status_code == 422
    assert len(answer.json()["detail"]) == IMPORT_ERRORS
    assert answer.json()["error_count"] == IMPORT_ERRORS + 50


def test_ten_thousand_lines_and_not_one_more(api: Client) -> None:
    lines = [
        line(f"run-{number}", project=f"P{number % 3}", raw_prompt=f"{number % 50}") for number in range(IMPORT_LINES)
    ]
    assert refused(api, *lines, "", line("one more")) == [(IMPORT_LINES + 2, "", "too_long")]
    with CaptureQueriesContext(connection) as queries:
        assert imported(api, *lines) == (IMPORT_LINES, 0)
    assert len(queries) < 200
    assert imported(api, *lines) == (0, IMPORT_LINES)
    assert (Project.objects.count(), Prompt.objects.count()) == (3, 150)


def test_a_body_has_a_limit_and_a_length(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_api, "IMPORT_BYTES", 1024)
    assert send(api, line("x", verdict="x" * 1024)).status_code == 413
    assert send(api, line("x", verdict="x" * 900)).status_code == 200
    chunked = api.post(IMPORT, b"", content_type="application/x-ndjson", headers={"Transfer-Encoding": "chunked"})
    assert chunked.status_code == 411
    assert imported(api) == (0, 0)


def test_a_body_may_be_larger_than_that_of_other_requests(api: Client, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    assert imported(api, line("x", verdict="x" * 1000)) == (1, 0)


def test_without_a_prompt_id_the_text_finds_or_makes_the_prompt(api: Client) -> None:
    project = make_project(name="P")
    prompt = make_prompt(project, "one  two")
    assert imported(
        api,
        line("exact", project="P", raw_prompt="one  two"),
        line("folded", project=" P ", raw_prompt=" one\ntwo"),
        line("new", project="P", raw_prompt="three\tfour"),
        line("new too", project="P", raw_prompt="three four"),
        line("blank", project="P", raw_prompt=" "),
        line("none", raw_prompt="one  two"),
        line("unlinked", project="P", raw_prompt="one  two", prompt_id=None),
    ) == (7, 0)
    links = dict(Optimization.objects.values_list("id", "prompt_id"))
    assert links["exact"] == links["folded"] == prompt.id
    assert links["new"] == links["new too"] not in (None, prompt.id)
    assert links["blank"] is links["none"] is links["unlinked"] is None
    positions = list(Prompt.objects.filter(project=project).order_by("order_index").values_list("content", flat=True))
    assert positions == ["one  two", "three\tfour"]


def test_projects_come_back_and_archived_ones_get_no_prompt(api: Client) -> None:
    deleted, archived = make_project(name="D", status="deleted"), make_project(name="A", status="archived")
    make_prompt(archived, "text")
    lines = [line("d", project="D"), line("a", project="A"), line("x", prompt_id="gone", prompt_project="A")]
    assert imported(api, *lines) == (3, 0)
    deleted.refresh_from_db()
    assert deleted.status == "active"
    links = dict(Optimization.objects.values_list("id", "prompt_id"))
    assert links["d"] is not None
    assert links["a"] is links["x"] is None
    assert imported(api, *lines) == (0, 3)
    assert Prompt.objects.filter(project=archived).count() == 1


def test_a_prompt_that_is_not_there_is_made_where_the_line_says(api: Client) -> None:
    known = make_prompt(make_project(name="known"))
    lines = [
        line("1", prompt_id="p", prompt_project="P", raw_prompt="first", project="label"),
        line("2", prompt_id="p", prompt_project="P", raw_prompt="last"),
        line("3", prompt_id="q", prompt_project="P", raw_prompt="last"),
        line("4", prompt_id=known.id, prompt_project="elsewhere"),
    ]
    assert imported(api, *lines) == (4, 0)
    made = list(Prompt.objects.filter(project__name="P").order_by("order_index").values_list("id", "content"))
    assert made == [("p", "last"), ("q", "last")]
    assert dict(Optimization.objects.values_list("id", "prompt_id")) == {"1": "p", "2": "p", "3": "q", "4": known.id}
    assert Project.objects.filter(name="label").exists()
    assert imported(api, *lines) == (0, 4)
    other = make_prompt(make_project())
    assert refused(api, line("1", prompt_id=other.id)) == [(1, "id", "conflict")]


def test_importing_an_export_into_an_empty_database_gives_equal_runs(api: Client) -> None:
    project, other = make_project(name="P"), make_project(name="Q", status="archived")
    first = make_prompt(project, "text")
    twin = make_prompt(project, "text")
    make_run(first, project="P", tags='["\\u00fc", 1]', overall_score=0.1 + 0.2)
    make_run(twin, project="old name", weaknesses="null", strengths="[]")
    make_run(make_prompt(other, "in an archive"), raw_prompt="", title="")
    make_run(project="P", raw_prompt="linked to nothing")
    make_run(secondary_frameworks="{not json", codebase_context_snapshot='{"a": 1.5}', is_improvement=True)
    lines = export(api)
    assert imported(api, *lines) == (0, 5)
    Optimization.objects.all().delete()
    Project.objects.all().delete()
    assert not Prompt.objects.exists()
    assert imported(api, *lines) == (5, 0)
    assert export(api) == lines
    assert dict(Prompt.objects.values_list("id", "content"))[twin.id] == "text"


def test_importing_needs_the_scope_write(client: Client) -> None:
    assert client.post(IMPORT, b"", content_type="application/x-ndjson").status_code == 401
