from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.db import connection  # noqa: F401  # read by skipif
from django.test import Client
from pytest_django import Settings

from projects.models import Project
from tests.projects.making import make_project, make_prompt, make_run, store

# A reading request inside a test's own transaction would leave that transaction read-only on PostgreSQL.
pytestmark = pytest.mark.django_db(transaction=True)

PROJECTS = "/api/projects"
CONTEXT = {"language": "Python", "conventions": ["PEP 8"]}
MADE = dt.datetime(2026, 3, 20, 9, 30, 0, 123456, tzinfo=dt.UTC)


@pytest.fixture
def api(settings: Settings) -> Client:
    settings.API_AUTH_TOKEN = "secret"
    return Client(headers={"Authorization": "Bearer secret"})


def post(api: Client, path: str, body: object = None, **headers: str) -> Any:
    return api.post(path, json.dumps(body), content_type="application/json", headers=headers)


def put(api: Client, path: str, body: object, **headers: str) -> Any:
    return api.put(path, json.dumps(body), content_type="application/json", headers=headers)


def invalid(answer: Any) -> list[tuple[str, list[Any]]]:
    """The kind and place of each thing that a 422 names."""
    assert answer.status_code == 422, answer.content
    return [(item["type"], item["loc"]) for item in answer.json()["detail"]]


def test_a_project_is_created_read_changed_and_deleted(api: Client) -> None:
    created = post(api, PROJECTS, {"name": "  Notes ", "description": "first", "context_profile": CONTEXT})
    assert created.status_code == 201
    project = created.json()
    assert list(project) == [
        "id", "name", "description", "context_profile", "status", "created_at", "updated_at", "parent_id", "path",
        "prompts",
    ]  # fmt: skip
    assert (project["name"], project["status"], project["prompts"]) == ("Notes", "active", [])
    assert project["context_profile"] == CONTEXT
    assert project["created_at"].endswith("Z")
    path = f"{PROJECTS}/{project['id']}"
    assert api.get(path).json() == project

    changed = put(api, path, {"name": " Field notes ", "description": "second"})
    assert changed.status_code == 200
    assert (changed.json()["name"], changed.json()["description"]) == ("Field notes", "second")
    assert changed.json()["context_profile"] == CONTEXT
    assert changed.json()["updated_at"] > project["updated_at"]

    deleted = api.delete(path)
    assert deleted.json() == {"message": "Project deleted", "id": project["id"], "deleted_optimizations": 0}
    for answer in (api.get(path), put(api, path, {}), api.delete(path), post(api, f"{path}/archive")):
        assert (answer.status_code, answer.json()) == (404, {"detail": "Project not found"})


def test_a_detail_has_prompts_with_their_runs(api: Client) -> None:
    project = make_project(name="mine", created_at=MADE, updated_at=MADE.replace(microsecond=0))
    prompt = make_prompt(project, "text", order_index=0, created_at=MADE, updated_at=MADE)
    run = make_run(prompt, title="t", task_type="reasoning", overall_score=0.5, tags='["a"]', is_improvement=True)
    make_run(project="mine", raw_prompt="text", status="error")
    answer = api.get(f"{PROJECTS}/{project.id}")
    assert "Cache-Control" not in answer.headers
    body = answer.json()
    assert (body["created_at"], body["updated_at"]) == ("2026-03-20T09:30:00.123456Z", "2026-03-20T09:30:00Z")
    assert body["prompts"] == [
        {
            "id": prompt.id,
            "content": "text",
            "version": 1,
            "project_id": project.id,
            "order_index": 0,
            "created_at": "2026-03-20T09:30:00.123456Z",
            "updated_at": "2026-03-20T09:30:00.123456Z",
            "forge_count": 2,
            "latest_forge": {
                "id": run.id,
                "title": "t",
                "task_type": "reasoning",
                "complexity": None,
                "framework_applied": None,
                "overall_score": 0.5,
                "is_improvement": True,
                "tags": ["a"],
                "version": None,
            },
        }
    ]


def test_a_list_has_pages_filters_and_sorts(api: Client) -> None:
    for name in ("alpha", "beta", "gamma"):
        make_project(name=name, description=f"{name.upper()} project", context_profile='{"language": "Go"}')
    make_project(name="gone", status="deleted")
    page = api.get(f"{PROJECTS}?sort=name&order=asc&per_page=2&page=2").json()
    assert {key: page[key] for key in ("total", "page", "per_page")} == {"total": 3, "page": 2, "per_page": 2}
    (item,) = page["items"]
    assert list(item) == [
        "id", "name", "description", "status", "prompt_count", "has_context", "created_at", "updated_at", "parent_id",
        "path",
    ]  # fmt: skip
    assert (item["name"], item["prompt_count"], item["has_context"]) == ("gamma", 0, True)
    assert api.get(PROJECTS, {"page": 9}).json()["items"] == []
    assert [item["name"] for item in api.get(PROJECTS, {"search": "ALPHA p"}).json()["items"]] == ["alpha"]
    assert api.get(PROJECTS, {"search": ""}).json()["total"] == 3
    assert [item["name"] for item in api.get(PROJECTS, {"status": "deleted"}).json()["items"]] == ["gone"]
    assert api.get(PROJECTS, {"status": "nope"}).json()["total"] == 0
    assert api.get(PROJECTS, {"sort": "nope"}).status_code == 200


@pytest.mark.parametrize(
    ("query", "kind", "place"),
    [
        ("page=0", "greater_than_equal", "page"),
        ("page=x", "int_parsing", "page"),
        ("page=99999999999999999999", "less_than_equal", "page"),
        ("per_page=0", "greater_than_equal", "per_page"),
        ("per_page=101", "less_than_equal", "per_page"),
        ("order=up", "literal_error", "order"),
        ("search=a%00b", "value_error", "search"),
        ("status=%00", "value_error", "status"),
    ],
)
def test_a_list_refuses_what_it_cant_mean(api: Client, query: str, kind: str, place: str) -> None:
    assert invalid(api.get(f"{PROJECTS}?{query}")) == [(kind, ["query", place])]


@pytest.mark.parametrize(
    ("body", "kind", "place"),
    [
        ({}, "missing", "name"),
        ({"name": None}, "string_type", "name"),
        ({"name": 5}, "string_type", "name"),
        ({"name": True}, "string_type", "name"),
        ({"name": ["x"]}, "string_type", "name"),
        ({"name": ""}, "string_too_short", "name"),
        ({"name": " \t\n"}, "value_error", "name"),
        ({"name": "x" * 201}, "string_too_long", "name"),
        ({"name": "a\x00b"}, "value_error", "name"),
        ({"name": "x", "description": 5}, "string_type", "description"),
        ({"name": "x", "description": "x" * 2001}, "string_too_long", "description"),
        ({"name": "x", "description": "\x00"}, "value_error", "description"),
        ({"name": "x", "context_profile": "text"}, "dict_type", "context_profile"),
        ({"name": "x", "context_profile": [1]}, "dict_type", "context_profile"),
        ({"name": "x", "context_profile": {"language": "\x00"}}, "value_error", "context_profile"),
        ({"name": "x", "context_profile": {"patterns": [{"\x00": 1}]}}, "value_error", "context_profile"),
    ],
)
def test_create_and_update_refuse_the_same(api: Client, body: dict[str, Any], kind: str, place: str) -> None:
    assert invalid(post(api, PROJECTS, body)) == [(kind, ["body", place])]
    project = make_project()
    if body.get("name") is not None:  # an update may leave the name out
        assert invalid(put(api, f"{PROJECTS}/{project.id}", body)) == [(kind, ["body", place])]
    assert Project.objects.count() == 1


def test_deep_nesting_is_refused_without_a_fall(api: Client) -> None:
    deep: list[Any] = []
    for _ in range(200):
        deep = [deep]
    body = {"name": "x", "context_profile": {"language": deep}}
    assert invalid(post(api, PROJECTS, body)) == [("value_error", ["body", "context_profile"])]


def test_the_texts_of_refused_names_are_known_to_clients(api: Client) -> None:
    (item,) = post(api, PROJECTS, {"name": " "}).json()["detail"]
    assert item["msg"] == "Value error, Project name must not be empty or whitespace-only"
    (item,) = post(api, PROJECTS, {"name": ""}).json()["detail"]
    assert item["msg"] == "String should have at least 1 character"


@pytest.mark.parametrize(
    "body", ['{"name": ', "[1]", '"x"', "null", "", "5", '{"name": "\\ud800"}', b'{"name": "\xff"}']
)
def test_a_body_that_is_no_object_is_refused(api: Client, body: str | bytes) -> None:
    project = make_project()
    for send, path in ((api.post, PROJECTS), (api.put, f"{PROJECTS}/{project.id}")):
        assert send(path, body, content_type="application/json").status_code == 422


def test_limits_count_characters_before_trimming(api: Client) -> None:
    assert post(api, PROJECTS, {"name": "ü" * 200, "description": "日" * 2000}).status_code == 201
    assert invalid(post(api, PROJECTS, {"name": " " + "x" * 200})) == [("string_too_long", ["body", "name"])]


def test_a_taken_name_is_a_conflict_and_a_deleted_ones_comes_back(api: Client) -> None:
    first = post(api, PROJECTS, {"name": "same", "description": "d", "context_profile": CONTEXT}).json()
    taken = post(api, PROJECTS, {"name": " same"})
    assert (taken.status_code, taken.json()) == (409, {"detail": "A project with this name already exists"})
    api.delete(f"{PROJECTS}/{first['id']}")
    again = post(api, PROJECTS, {"name": "same"})
    assert again.status_code == 201
    expected = first | {"description": None, "context_profile": None, "updated_at": again.json()["updated_at"]}
    assert again.json() == expected


@pytest.mark.parametrize("status", ["active", "archived", "deleted"])
def test_a_rename_to_a_taken_name_is_a_conflict(api: Client, status: str) -> None:
    make_project(name="taken", status=status)
    project = make_project(name="mine")
    answer = put(api, f"{PROJECTS}/{project.id}", {"name": "taken"})
    assert (answer.status_code, answer.json()) == (409, {"detail": "A project with this name already exists"})


@pytest.mark.parametrize(
    ("body", "description", "context"),
    [
        ({}, "d", CONTEXT),
        ({"name": None, "description": None}, "d", CONTEXT),
        ({"description": ""}, "", CONTEXT),
        ({"context_profile": None}, "d", None),
        ({"context_profile": {}}, "d", None),
        ({"context_profile": {"language": "Go"}}, "d", {"language": "Go"}),
    ],
)
def test_null_leaves_texts_and_clears_the_context(
    api: Client, body: dict[str, Any], description: str, context: dict[str, Any] | None
) -> None:
    project = make_project(name="n", description="d", context_profile=json.dumps(CONTEXT), updated_at=MADE)
    answer = put(api, f"{PROJECTS}/{project.id}", body).json()
    assert (answer["name"], answer["description"], answer["context_profile"]) == ("n", description, context)
    assert answer["updated_at"] > "2026-03-20T09:30:00.123456Z"


@pytest.mark.parametrize(
    ("date", "status"),
    [
        ("Fri, 20 Mar 2026 09:30:00 GMT", 200),
        ("Fri, 20 Mar 2026 09:29:59 GMT", 409),
        ("Wed, 01 Jan 2020 00:00:00 GMT", 409),
        ("Wed, 01 Jan 2020 00:00:00 -0000", 409),
        ("Fri, 20 Mar 2026 10:30:00 +0100", 200),
        ("Wed, 01 Jan 2098 00:00:00 GMT", 200),
        ("yesterday", 200),
        ("2020-01-01T00:00:00Z", 200),
        ("Wed, 99 Jan 2020 00:00:00 GMT", 200),
        ("", 200),
    ],
)
def test_an_update_can_be_conditional_on_a_date(api: Client, date: str, status: int) -> None:
    project = make_project(updated_at=MADE)
    answer = put(api, f"{PROJECTS}/{project.id}", {"description": "x"}, **{"If-Unmodified-Since": date})
    assert answer.status_code == status
    if status == 409:
        assert answer.json() == {"detail": "Project has been modified since your last read"}
        assert Project.objects.get().description is None


def test_archive_and_unarchive(api: Client) -> None:
    project = make_project(updated_at=MADE)
    path = f"{PROJECTS}/{project.id}"
    archived = post(api, f"{path}/archive").json()
    assert list(archived) == ["message", "id", "status", "updated_at"]
    assert (archived["message"], archived["id"], archived["status"]) == ("Project archived", project.id, "archived")
    assert archived["updated_at"].endswith("+00:00")
    assert dt.datetime.fromisoformat(archived["updated_at"]) == Project.objects.get().updated_at > MADE
    again = post(api, f"{path}/archive")
    assert (again.status_code, again.json()) == (400, {"detail": "Project is already archived"})
    refused = put(api, path, {"name": "x"})
    assert (refused.status_code, refused.json()) == (403, {"detail": "Cannot modify an archived project"})
    assert api.get(path).json()["status"] == "archived"
    back = post(api, f"{path}/unarchive").json()
    assert (back["message"], back["status"]) == ("Project unarchived", "active")
    again = post(api, f"{path}/unarchive")
    assert (again.status_code, again.json()) == (400, {"detail": "Project is already active"})
    assert post(api, f"{PROJECTS}/nope/archive").status_code == 404


def test_an_id_is_any_text_but_nul(api: Client) -> None:
    project = make_project(id="not a uuid ü")
    assert api.get(f"{PROJECTS}/{project.id}").json()["id"] == project.id
    assert invalid(api.get(f"{PROJECTS}/a%00b")) == [("value_error", ["path", "project_id"])]
    assert api.get(f"{PROJECTS}/{'x' * 5000}").status_code == 404


def test_legacy_values_that_mean_nothing_are_null(api: Client) -> None:
    project = make_project(context_profile="{broken", description="d")
    make_run(make_prompt(project), tags="{broken", overall_score=0.5)
    body = api.get(f"{PROJECTS}/{project.id}").json()
    assert body["context_profile"] is None
    assert body["prompts"][0]["latest_forge"]["tags"] == []


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="other engines keep no such values")
def test_a_time_that_cant_be_read_is_null(api: Client) -> None:
    project = make_project()
    store("projects", "created_at", project.id, "once")
    assert api.get(f"{PROJECTS}/{project.id}").json()["created_at"] is None
    assert api.get(PROJECTS).json()["items"][0]["created_at"] is None


def test_head_answers_as_get(api: Client) -> None:
    project = make_project()
    for path in (PROJECTS, f"{PROJECTS}/{project.id}"):
        answer = api.head(path)
        assert (answer.status_code, answer.content) == (200, b"")
