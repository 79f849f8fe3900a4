"""GET /api/history: what a list shows, its filters and its search."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from tests.projects.making import make_project, make_prompt, make_run, store

# A reading request inside a test's own transaction would leave that transaction read-only on PostgreSQL.
pytestmark = pytest.mark.django_db(transaction=True)

MADE = dt.datetime(2026, 3, 20, 9, 30, 0, 123456, tzinfo=dt.UTC)
ITEM = [
    "id", "created_at", "raw_prompt", "title", "version", "task_type", "complexity", "project", "tags", "overall_score",
    "strategy", "secondary_frameworks", "framework_applied", "model_used", "status", "error_message", "prompt_id",
    "project_id", "project_status",
]  # fmt: skip


@pytest.fixture
def api(settings: Settings) -> Client:
    settings.API_AUTH_TOKEN = "secret"
    return Client(headers={"Authorization": "Bearer secret"})


def history(api: Client, **query: Any) -> Any:
    answer = api.get(f"/api/history?{urlencode(query)}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def found(api: Client, **query: Any) -> set[str]:
    """The titles of the runs that a query finds; by number and by cursor it finds the same."""
    page = history(api, per_page=100, **query)
    assert page["total"] == len(page["items"])
    assert history(api, per_page=100, cursor="", **query)["items"] == page["items"]
    return {item["title"] for item in page["items"]}


def test_a_list_shows_what_promptforges_clients_know(api: Client) -> None:
    prompt = make_prompt(make_project(name="Notes"))
    run = make_run(prompt, created_at=MADE, tags='["a", 1]', overall_score=0.5, optimized_prompt="not sent")
    answer = api.get("/api/history")
    assert answer.headers["Cache-Control"] == "max-age=0, must-revalidate"
    page = answer.json()
    assert {name: page[name] for name in ("total", "page", "per_page", "next_cursor")} == {
        "total": 1, "page": 1, "per_page": 20, "next_cursor": None,
    }  # fmt: skip
    (item,) = page["items"]
    assert list(item) == ITEM
    assert item == {
        **dict.fromkeys(ITEM),
        "id": run.id,
        "created_at": "2026-03-20T09:30:00.123456Z",
        "raw_prompt": "text",
        "tags": ["a", "1"],
        "overall_score": 0.5,
        "status": "completed",
        "prompt_id": prompt.id,
        "project_id": prompt.project_id,
        "project_status": "active",
    }


def test_the_project_is_the_prompts_and_without_a_prompt_the_one_of_exactly_the_name(api: Client) -> None:
    linked, named = make_project(name="linked"), make_project(name="named", status="archived")
    make_run(make_prompt(linked), title="by prompt", project="named")
    make_run(title="by name", project="named")
    make_run(title="by no name", project="Named")
    make_run(title="none")
    items = {item["title"]: item for item in history(api)["items"]}
    shown = {title: (item["project_id"], item["project_status"]) for title, item in items.items()}
    assert shown == {
        "by prompt": (linked.id, "active"),
        "by name": (named.id, "archived"),
        "by no name": (None, None),
        "none": (None, None),
    }


def test_filters_are_exact_and_an_empty_one_asks_for_nothing(api: Client) -> None:
    make_run(title="a", project="P", task_type="coding", status="error")
    make_run(title="b", project="p ", task_type="Coding")
    make_run(title="c")
    assert found(api, project="P") == {"a"}
    assert found(api, project="p ") == {"b"}
    assert found(api, task_type="coding") == {"a"}
    assert found(api, status="error") == {"a"}
    assert found(api, status="nope") == set()
    assert found(api, project="", task_type="", status="", search="", project_id="") == {"a", "b", "c"}


def test_project_id_takes_linked_runs_and_of_unlinked_ones_those_of_the_name(api: Client) -> None:
    project, other = make_project(name="P"), make_project(name="Q")
    make_run(make_prompt(project), title="linked", project="Q")
    make_run(title="named", project="P")
    make_run(make_prompt(other), title="linked elsewhere", project="P")
    make_run(title="no project")
    assert found(api, project_id=project.id) == {"linked", "named"}
    assert found(api, project_id="nope") == set()


def test_include_archived_false_hides_runs_of_archived_and_deleted_projects(api: Client) -> None:
    for status in ("active", "archived", "deleted"):
        project = make_project(name=status, status=status)
        make_run(make_prompt(project), title=f"linked to {status}")
        make_run(title=f"names {status}", project=status)
    make_run(make_prompt(make_project(name="other")), title="linked to another", project="archived")
    make_run(title="no project")
    make_run(title="no such project", project="nope")
    shown = {"linked to active", "names active", "linked to another", "no project", "no such project"}
    assert found(api, include_archived="false") == shown
    assert found(api, include_archived="false", project="archived") == {"linked to another"}
    assert found(api, include_archived="false", search="LINKED") == {"linked to active", "linked to another"}
    assert len(found(api, include_archived="true")) == 9


@pytest.mark.parametrize("column", ["raw_prompt", "optimized_prompt", "title", "project"])
@pytest.mark.parametrize(
    ("text", "needles"),
    [
        ("Give 100% of it", ["100%", "GIVE", "% of"]),
        ("an under_score", ["under_score", "_"]),
        (r"a back\slash", ["k\\s", "\\"]),
        ("Ünïcode für Ärzte", ["üNÏCODE", "ÄRZTE", "für"]),
        ("die Straße", ["STRASSE", "straße"]),
        ("ΟΔΟΣ και οδός", ["οδος", "ΟΔΌΣ"]),
        ("ışık", ["IŞIK"]),
        ("担任医疗行业", ["医疗"]),
        ("it's 'quoted'", ["'quoted'", "IT'S"]),
        ("emoji 😀 here", ["😀 H"]),
    ],
)
def test_search_means_what_it_says(api: Client, column: str, text: str, needles: list[str]) -> None:
    values: dict[str, Any] = {"title": "", column: text}
    run = make_run(**values)
    make_run(title="other", raw_prompt="nothing in common \u2026 xyz")
    for needle in needles:
        assert [item["id"] for item in history(api, search=needle)["items"]] == [run.id], needle
    for needle in ("100_", "nowhere", "x%z", "Ä_RZTE"):
        assert run.id not in [item["id"] for item in history(api, search=needle)["items"]], needle


@pytest.mark.parametrize("ensure_ascii", [True, False])
def test_a_tag_is_found_by_its_text_however_it_is_stored(api: Client, ensure_ascii: bool) -> None:
    make_run(
        title="run", tags=json.dumps(["Über", 'say "hi"', r"back\slash", "😀", "plain"], ensure_ascii=ensure_ascii)
    )
    make_run(title="other", tags="[]")
    for needle in ("über", "ÜBER", "ber", 'SAY "hi"', "K\\S", "😀", "PLAIN"):
        assert found(api, search=needle) == {"run"}, needle
    assert found(api, search="Über plain") == set()
    assert found(api, search="[") == {"run", "other"}  # the stored text counts too, as in PromptForge


def test_search_survives_tags_that_are_no_json(api: Client) -> None:
    make_run(title="run", tags=r'["\u00fc')
    make_run(title="deep", tags="[" * 100_000 + r'"\\"')
    assert found(api, search="Deep") == {"deep"}
    assert found(api, search="ü") <= {"run"}


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("page=0", "page"),
        ("page=x", "page"),
        ("page=99999999999999999999", "page"),
        ("per_page=0", "per_page"),
        ("per_page=101", "per_page"),
        ("order=sideways", "order"),
        ("include_archived=maybe", "include_archived"),
        ("search=%00", "search"),
        ("project=a%00", "project"),
        ("project_id=%00", "project_id"),
        ("status=%00", "status"),
    ],
)
def test_what_a_query_cannot_mean_is_refused(api: Client, query: str, place: str) -> None:
    answer = api.get(f"/api/history?{query}")
    assert answer.status_code == 422
    assert [item["loc"] for item in answer.json()["detail"]] == [["query", place]]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="other engines' columns take no such value")
@pytest.mark.parametrize(
    ("column", "stored", "read"),
    [
        ("overall_score", "n/a", None),
        ("overall_score", b"\x00", None),
        ("overall_score", 9e999, None),
        ("overall_score", 7.5, 7.5),
        ("created_at", "someday", None),
        ("created_at", "2026-03-20T09:30:00+02:00", "2026-03-20T07:30:00Z"),
        ("title", b"blob \xff", "blob \N{REPLACEMENT CHARACTER}"),
        ("raw_prompt", b"", ""),
        ("tags", b'["a"]', ["a"]),
        ("id", b"blob", "blob"),
    ],
)
def test_whatever_a_column_holds_the_list_answers(api: Client, column: str, stored: Any, read: Any) -> None:
    run = make_run(title="run")
    make_run(title="other")
    store("optimizations", column, run.id, stored)
    for sort in (column, "created_at"):
        (item,) = (item for item in history(api, sort=sort)["items"] if item["title"] != "other")
        assert item[column] == read
        assert history(api, sort=sort, per_page=1)["next_cursor"]


@pytest.mark.parametrize(
    "stored", ["null", '"text"', "7", '{"a": 1}', "", "{not json", "[1, 2", "[" * 100_000, '["\\ud800"]', "[NaN]"]
)
def test_json_of_another_kind_reads_as_null(api: Client, stored: str) -> None:
    run = make_run(tags=stored, secondary_frameworks=stored)
    (item,) = history(api)["items"]
    expected = {'["\\ud800"]': ["?"], "[NaN]": ["nan"]}.get(stored)
    assert (item["tags"], item["secondary_frameworks"]) == (expected, expected)
    run.refresh_from_db()
    assert run.tags == stored


def test_a_page_takes_as_many_queries_whatever_its_length(api: Client) -> None:
    for number in range(30):
        project = make_project(name=f"project {number}")
        make_run(make_prompt(project), project=project.name)
        make_run(project=project.name)
    counts = []
    for per_page in (2, 60):
        with CaptureQueriesContext(connection) as queries:
            history(api, per_page=per_page)
        sent = [query["sql"] for query in queries]
        counts.append(len(sent))
        assert not any("optimized_prompt" in sql for sql in sent)
    assert counts[1] <= counts[0] <= 8  # how many runs there are is known by then


def test_a_list_needs_the_scope_read(api: Client, client: Client) -> None:
    assert client.get("/api/history").status_code == 401


@pytest.mark.skipif(connection.vendor != "sqlite", reason="other engines' columns take no such value")
def test_a_stored_text_that_is_no_utf8_is_shown_as_far_as_it_goes(api: Client) -> None:
    """Other programs can store such bytes; they stay, and the list, the run and the export go on working."""
    run = make_run(title="seen")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE optimizations SET raw_prompt = CAST(x'61ff62' AS TEXT) WHERE id = %s", [run.id])
    assert history(api)["items"][0]["raw_prompt"] == "a\ufffdb"
    assert found(api, search="B") == {"seen"} == found(api, search="SEEN")
    assert found(api, search="nowhere") == set()
    assert api.get(f"/api/optimize/{run.id}").json()["raw_prompt"] == "a\ufffdb"
    exported = b"".join(api.get("/api/optimizations/export"))
    assert json.loads(exported)["raw_prompt"] == "a\ufffdb"
    with connection.cursor() as cursor:
        cursor.execute("SELECT HEX(raw_prompt) FROM optimizations")
        assert cursor.fetchone() == ("61FF62",)
