from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from projects.models import Project, Prompt, PromptVersion
from tests.projects.making import make_project, make_prompt, make_run, make_version

# A reading request inside a test's own transaction would leave that transaction read-only on PostgreSQL.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def api(settings: Settings) -> Client:
    settings.API_AUTH_TOKEN = "secret"
    return Client(headers={"Authorization": "Bearer secret"})


@pytest.fixture
def project() -> Project:
    return make_project(name="mine")


def prompts(project: Project) -> str:
    return f"/api/projects/{project.id}/prompts"


def post(api: Client, path: str, body: object = None, **headers: str) -> Any:
    return api.post(path, json.dumps(body), content_type="application/json", headers=headers)


def put(api: Client, path: str, body: object, **headers: str) -> Any:
    return api.put(path, json.dumps(body), content_type="application/json", headers=headers)


def invalid(answer: Any) -> list[tuple[str, list[Any]]]:
    """The kind and place of each thing that a 422 names."""
    assert answer.status_code == 422, answer.content
    return [(item["type"], item["loc"]) for item in answer.json()["detail"]]


def test_a_prompt_is_added_read_edited_and_deleted(api: Client, project: Project) -> None:
    added = post(api, prompts(project), {"content": "  first\n"})
    assert added.status_code == 201
    prompt = added.json()
    assert list(prompt) == [
        "id", "content", "version", "project_id", "order_index", "created_at", "updated_at", "forge_count",
        "latest_forge",
    ]  # fmt: skip
    assert (prompt["content"], prompt["version"], prompt["order_index"]) == ("  first\n", 1, 0)
    assert (prompt["project_id"], prompt["forge_count"], prompt["latest_forge"]) == (project.id, 0, None)
    path = f"{prompts(project)}/{prompt['id']}"
    assert api.get(path).json() == prompt

    edited = put(api, path, {"content": "second"})
    assert edited.status_code == 200
    assert (edited.json()["content"], edited.json()["version"]) == ("second", 2)
    assert edited.json()["created_at"] == prompt["created_at"]
    assert edited.json()["updated_at"] > prompt["updated_at"]

    deleted = api.delete(path)
    assert deleted.json() == {"message": "Prompt deleted", "id": prompt["id"], "deleted_optimizations": 0}
    for answer in (api.get(path), put(api, path, {}), api.delete(path), api.get(f"{path}/versions")):
        assert (answer.status_code, answer.json()) == (404, {"detail": "Prompt not found"})


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({}, "missing"),
        ({"content": None}, "string_type"),
        ({"content": 5}, "string_type"),
        ({"content": ""}, "string_too_short"),
        ({"content": " \n"}, "value_error"),
        ({"content": "x" * 100_001}, "string_too_long"),
        ({"content": "a\x00b"}, "value_error"),
    ],
)
def test_add_and_edit_refuse_the_same(api: Client, project: Project, body: dict[str, Any], kind: str) -> None:
    assert invalid(post(api, prompts(project), body)) == [(kind, ["body", "content"])]
    prompt = make_prompt(project, "text")
    if body.get("content") is not None:  # an edit may leave the text out
        assert invalid(put(api, f"{prompts(project)}/{prompt.id}", body)) == [(kind, ["body", "content"])]
    assert Prompt.objects.get().version == 1


def test_the_text_of_a_refused_prompt_is_known_to_clients(api: Client, project: Project) -> None:
    (item,) = post(api, prompts(project), {"content": " "}).json()["detail"]
    assert item["msg"] == "Value error, Prompt content must not be empty or whitespace-only"
    assert post(api, prompts(project), {"content": "日" * 10_000}).status_code == 201


@pytest.mark.parametrize("body", [{}, {"content": None}, {"content": "same"}])
def test_the_same_text_makes_no_version(api: Client, project: Project, body: dict[str, Any]) -> None:
    prompt = make_prompt(project, "same", version=2)
    answer = put(api, f"{prompts(project)}/{prompt.id}", body).json()
    assert (answer["content"], answer["version"]) == ("same", 2)
    assert not PromptVersion.objects.exists()


def test_missing_and_archived_projects(api: Client, project: Project) -> None:
    archived, deleted = make_project(status="archived"), make_project(status="deleted")
    prompt, other = make_prompt(archived), make_prompt(project)
    for missing in ("nope", deleted.id):
        for answer in (
            post(api, f"/api/projects/{missing}/prompts", {"content": "x"}),
            put(api, f"/api/projects/{missing}/prompts/reorder", {"prompt_ids": ["x"]}),
        ):
            assert (answer.status_code, answer.json()) == (404, {"detail": "Project not found"})
    path = f"{prompts(archived)}/{prompt.id}"
    for answer in (
        post(api, prompts(archived), {"content": "x"}),
        put(api, path, {"content": "x"}),
        put(api, f"{prompts(archived)}/reorder", {"prompt_ids": [prompt.id]}),
        api.delete(path),
        post(api, f"{path}/versions/1/restore"),
    ):
        assert (answer.status_code, answer.json()) == (403, {"detail": "Cannot modify an archived project"})
    for readable in (path, f"{path}/versions", f"{path}/forges", f"{path}/versions/1"):
        assert api.get(readable).status_code == 200
    for answer in (put(api, f"{prompts(archived)}/{other.id}", {}), api.delete(f"{prompts(archived)}/{other.id}")):
        assert (answer.status_code, answer.json()) == (404, {"detail": "Prompt not found"})


def test_one_prompt_tells_its_runs(api: Client, project: Project) -> None:
    prompt = make_prompt(project, "text")
    make_run(prompt, title="done")
    make_run(project="mine", raw_prompt="text", status="error")
    body = api.get(f"{prompts(project)}/{prompt.id}").json()
    assert body == api.get(f"/api/projects/{project.id}").json()["prompts"][0]
    assert (body["forge_count"], body["latest_forge"]["title"]) == (2, "done")


def test_deleting_a_prompt_counts_its_runs(api: Client, project: Project) -> None:
    prompt = make_prompt(project, "text")
    make_run(prompt)
    make_run(project="mine", raw_prompt="text")
    make_run(project="mine", raw_prompt="other")
    assert api.delete(f"{prompts(project)}/{prompt.id}").json()["deleted_optimizations"] == 2


def test_every_answer_with_a_prompt_has_the_etag_of_its_version(api: Client, project: Project) -> None:
    added = post(api, prompts(project), {"content": "one"})
    path = f"{prompts(project)}/{added.json()['id']}"
    assert added.headers["ETag"] == '"1"'
    assert put(api, path, {"content": "two"}).headers["ETag"] == '"2"'
    assert put(api, path, {"content": "two"}).headers["ETag"] == '"2"'
    assert post(api, f"{path}/versions/1/restore").headers["ETag"] == '"3"'
    read = api.get(path)
    assert (read.headers["ETag"], read.headers["Cache-Control"]) == ('"3"', "no-cache")


@pytest.mark.parametrize(
    ("tags", "status"),
    [
        ('"3"', 304),
        ('W/"3"', 304),
        ('"3-gzip"', 304),
        ('W/"3-br", "x"', 304),
        ('"3;gzip"', 304),
        ('"3-zstd"', 304),
        ('"2-gzip"', 200),
        ('"3-other"', 200),
        ('"2", "3"', 304),
        ("*", 304),
        ('"2"', 200),
        ('"33"', 200),
        ("3", 200),
        ('"x"', 200),
        ("", 200),
    ],
)
def test_a_known_version_is_not_sent_again(api: Client, project: Project, tags: str, status: int) -> None:
    prompt = make_prompt(project, version=3)
    answer = api.get(f"{prompts(project)}/{prompt.id}", headers={"If-None-Match": tags})
    assert (answer.status_code, answer.headers["ETag"]) == (status, '"3"')
    assert (answer.content == b"") == (status == 304)


@pytest.mark.parametrize(
    ("tags", "matches"),
    [
        ('"3"', True),
        ('W/"3"', True),
        ('"3-gzip"', True),
        ('"3-br"', True),
        ('W/"3-zstd"', True),
        ('"2-gzip"', False),
        ('"3-4"', False),
        ('"2", "3"', True),
        ("*", True),
        ('"2"', False),
        ('"4"', False),
        ("3", False),
        ("", False),
        ('"99999999999999999999"', False),
    ],
)
def test_a_write_can_expect_a_version(api: Client, project: Project, tags: str, matches: bool) -> None:
    for send in (
        lambda path: put(api, path, {"content": "new"}, **{"If-Match": tags}),
        lambda path: post(api, f"{path}/versions/1/restore", **{"If-Match": tags}),
        lambda path: api.delete(path, headers={"If-Match": tags}),
    ):
        prompt = make_prompt(project, "old", version=3)
        make_version(prompt, 1, "oldest")
        answer = send(f"{prompts(project)}/{prompt.id}")
        assert answer.status_code == (200 if matches else 412)
        if not matches:
            assert answer.json() == {"detail": 'It has been modified since your last read: its ETag is "3"'}
            assert Prompt.objects.get(id=prompt.id).content == "old"


def test_a_long_text_keeps_its_version_through_compression(api: Client, project: Project) -> None:
    prompt = make_prompt(project, "words " * 500)
    path = f"{prompts(project)}/{prompt.id}"
    packed = api.get(path, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert put(api, path, {"content": "x"}, **{"If-Match": packed.headers["ETag"]}).status_code == 200


def test_prompts_are_put_in_order(api: Client, project: Project) -> None:
    a, b, c = (make_prompt(project, id=key, order_index=at).id for at, key in enumerate("abc"))
    path = f"{prompts(project)}/reorder"
    answer = put(api, path, {"prompt_ids": [c, a, b]})
    assert answer.json()["message"] == "Prompts reordered"
    assert [(item["id"], item["order_index"]) for item in answer.json()["prompts"]] == [(c, 0), (a, 1), (b, 2)]
    assert [item["id"] for item in api.get(f"/api/projects/{project.id}").json()["prompts"]] == [c, a, b]
    for prompt_ids, detail in (
        ([a, "nope"], "Prompt IDs not found in project: {'nope'}"),
        ([a, a, b, c], "Duplicate prompt IDs in reorder request"),
        ([a], "Reorder must include all prompts; missing: {'b', 'c'}"),
    ):
        refused = put(api, path, {"prompt_ids": prompt_ids})
        assert (refused.status_code, refused.json()) == (400, {"detail": detail})
    assert invalid(put(api, path, {"prompt_ids": []})) == [("too_short", ["body", "prompt_ids"])]
    assert invalid(put(api, path, {})) == [("missing", ["body", "prompt_ids"])]
    assert invalid(put(api, path, {"prompt_ids": "a"})) == [("list_type", ["body", "prompt_ids"])]
    assert invalid(put(api, path, {"prompt_ids": [1, "\x00"]})) == [
        ("string_type", ["body", "prompt_ids", 0]),
        ("value_error", ["body", "prompt_ids", 1]),
    ]


def test_forges_are_listed_newest_first(api: Client, project: Project) -> None:
    prompt = make_prompt(project, "text")
    made = [make_run(prompt, status=status, overall_score=0.5).id for status in ("completed", "error", "running")]
    made.append(make_run(project="mine", raw_prompt="text", tags='["x"]').id)
    path = f"{prompts(project)}/{prompt.id}/forges"
    body = api.get(path).json()
    assert body["total"] == 4
    assert [item["id"] for item in body["items"]] == made[::-1]
    assert list(body["items"][0]) == [
        "id", "created_at", "overall_score", "framework_applied", "is_improvement", "status", "title", "task_type",
        "complexity", "tags", "version",
    ]  # fmt: skip
    assert (body["items"][0]["tags"], body["items"][1]["tags"]) == (["x"], [])
    second = api.get(path, {"limit": 1, "offset": 1}).json()
    assert ([item["id"] for item in second["items"]], second["total"]) == (made[2:3], 4)


@pytest.mark.parametrize("what", ["versions", "forges"])
@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("limit=0", "greater_than_equal"),
        ("limit=101", "less_than_equal"),
        ("offset=-1", "greater_than_equal"),
        ("offset=99999999999999999999", "less_than_equal"),
        ("limit=x", "int_parsing"),
    ],
)
def test_pages_of_a_prompts_lists_have_bounds(api: Client, project: Project, what: str, query: str, kind: str) -> None:
    path = f"{prompts(project)}/{make_prompt(project).id}/{what}"
    assert invalid(api.get(f"{path}?{query}")) == [(kind, ["query", query.split("=", maxsplit=1)[0]])]


def test_versions_are_listed_read_and_compared(api: Client, project: Project) -> None:
    prompt = make_prompt(project, "one", id="p")
    run = make_run(prompt)
    path = f"{prompts(project)}/p"
    put(api, path, {"content": "two"})
    put(api, path, {"content": "three"})
    PromptVersion.objects.filter(version=1).update(optimization_id=run.id)
    body = api.get(f"{path}/versions").json()
    assert (body["total"], [item["version"] for item in body["items"]]) == (2, [2, 1])
    first = body["items"][1]
    assert list(first) == ["id", "prompt_id", "version", "content", "created_at", "optimization_id"]
    assert (first["prompt_id"], first["content"], first["optimization_id"]) == ("p", "one", run.id)
    assert api.get(f"{path}/versions/1").json() == first | {"current": False}
    assert api.get(f"{path}/versions/3").json() == {
        "id": None,
        "prompt_id": "p",
        "version": 3,
        "content": "three",
        "created_at": None,
        "optimization_id": None,
        "current": True,
    }
    assert api.get(f"{path}/versions/1/diff/3").json() == {
        "prompt_id": "p",
        "from_version": 1,
        "to_version": 3,
        "diff": "--- version 1\n+++ version 3\n@@ -1 +1 @@\n-one\n+three",
        "statistics": {"lines_added": 1, "lines_removed": 1, "lines_unchanged": 0, "similarity": 0.0},
    }
    assert api.get(f"{path}/versions/2/diff/2").json()["diff"] == ""


def test_an_earlier_text_comes_back_as_a_new_version(api: Client, project: Project) -> None:
    prompt = make_prompt(project, "one")
    path = f"{prompts(project)}/{prompt.id}"
    put(api, path, {"content": "two"})
    restored = post(api, f"{path}/versions/1/restore")
    assert restored.status_code == 200
    assert (restored.json()["content"], restored.json()["version"]) == ("one", 3)
    assert [item["content"] for item in api.get(f"{path}/versions").json()["items"]] == ["two", "one"]


def test_versions_that_are_not_there(api: Client, project: Project) -> None:
    path = f"{prompts(project)}/{make_prompt(project).id}"
    for answer in (
        api.get(f"{path}/versions/2"),
        api.get(f"{path}/versions/1/diff/2"),
        api.get(f"{path}/versions/2/diff/1"),
        post(api, f"{path}/versions/2/restore"),
    ):
        assert (answer.status_code, answer.json()) == (404, {"detail": "Version not found"})
    assert invalid(api.get(f"{path}/versions/x")) == [("int_parsing", ["path", "version"])]
    assert invalid(api.get(f"{path}/versions/0")) == [("greater_than_equal", ["path", "version"])]
    assert invalid(api.get(f"{path}/versions/1/diff/99999999999")) == [("less_than_equal", ["path", "to_version"])]
    elsewhere = f"{prompts(make_project())}/{Prompt.objects.get().id}"
    for answer in (api.get(f"{elsewhere}/versions/1"), api.get(f"{elsewhere}/versions/1/diff/1")):
        assert (answer.status_code, answer.json()) == (404, {"detail": "Prompt not found"})


def test_every_operation_says_what_clients_need(api: Client) -> None:
    document = api.get("/api/openapi.json").json()
    operations = {
        (path, method): operation
        for path, methods in document["paths"].items()
        if path.startswith("/api/projects") and not path.endswith("/comments")  # a plugin's
        for method, operation in methods.items()
    }
    assert len(operations) == 19
    for (path, method), operation in operations.items():
        assert operation["operationId"]
        assert operation["summary"]
        assert operation["description"]
        assert operation["tags"] == ["projects"]
        assert {"401", "403", "422", "429"} <= set(operation["responses"])
        assert path == "/api/projects" or "404" in operation["responses"]
        for parameter in operation.get("parameters", []):
            assert "example" in parameter, (path, method, parameter["name"])
