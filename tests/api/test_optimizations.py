"""Recording, completing, correcting and labelling runs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from optimizations.api import runs
from optimizations.models import Optimization
from projects.models import Project, Prompt
from promptadmin.http import responses
from tests.projects.making import make_project, make_prompt, make_run

# A reading request inside a test's own transaction would leave that transaction read-only on PostgreSQL.
pytestmark = pytest.mark.django_db(transaction=True)

RUNS = "/api/optimizations"
WHOLE = {
    "id": "my-run",
    "created_at": "2026-03-20T09:30:00.5Z",
    "raw_prompt": "Sum it up.",
    "optimized_prompt": "Sum it up in one line.",
    "task_type": "writing",
    "complexity": "simple",
    "weaknesses": ["vague"],
    "strengths": [],
    "changes_made": ["a length"],
    "framework_applied": "chain-of-thought",
    "optimization_notes": "notes",
    "strategy": "co-star",
    "strategy_reasoning": "because",
    "strategy_confidence": 0.9,
    "secondary_frameworks": ["risen", "step-by-step"],
    "clarity_score": 0,
    "specificity_score": 1,
    "structure_score": 0.5,
    "faithfulness_score": 0.25,
    "overall_score": 0.75,
    "is_improvement": False,
    "verdict": "better",
    "duration_ms": 0,
    "model_used": "model-a",
    "input_tokens": 1,
    "output_tokens": 2,
    "cache_creation_input_tokens": 3,
    "cache_read_input_tokens": 2_147_483_647,
    "status": "completed",
    "error_message": "none",
    "project": " Support ",
    "tags": ["ünï", 'a "b"'],
    "title": "Shorter",
    "version": "v2",
    "codebase_context_snapshot": {"language": "Python", "deep": {"list": [1, None, "ü"]}},
}


@pytest.fixture
def api(settings: Settings) -> Client:
    settings.API_AUTH_TOKEN = "secret"
    return Client(headers={"Authorization": "Bearer secret"})


def send(api: Client, method: str, path: str, body: object) -> Any:
    return api.generic(method, path, json.dumps(body), content_type="application/json")


def record(api: Client, **values: Any) -> Any:
    answer = send(api, "POST", RUNS, {"raw_prompt": "text", **values})
    assert answer.status_code == 201, answer.content
    return answer.json()


def places(answer: Any) -> list[list[Any]]:
    assert answer.status_code == 422, answer.content
    return [item["loc"] for item in answer.json()["detail"]]


def test_a_run_is_recorded_with_all_its_fields_and_read_back(api: Client) -> None:
    run = record(api, **WHOLE)
    project, prompt = Project.objects.get(), Prompt.objects.get()
    assert (project.name, prompt.project_id, prompt.content) == ("Support", project.id, "Sum it up.")
    assert run == {
        **WHOLE,
        "created_at": "2026-03-20T09:30:00.500000Z",
        "prompt_id": prompt.id,
        "project_id": project.id,
        "project_status": "active",
    }
    assert api.get("/api/optimize/my-run").json() == run


def test_what_is_not_said_has_a_default(api: Client) -> None:
    run = record(api)
    given = {name: value for name, value in run.items() if value is not None}
    assert given.keys() == {"id", "created_at", "raw_prompt", "status"}
    assert given["status"] == "completed"
    assert record(api)["id"] != run["id"]


def test_aliases_become_canonical_names(api: Client) -> None:
    run = record(api, strategy="few-shot", secondary_frameworks=["role-based", "risen"], framework_applied="role-based")
    assert (run["strategy"], run["secondary_frameworks"]) == ("few-shot-scaffolding", ["persona-assignment", "risen"])
    assert run["framework_applied"] == "persona-assignment"
    assert record(api, framework_applied="my own")["framework_applied"] == "my own"


def test_control_characters_are_stripped_from_the_prompt_alone(api: Client) -> None:
    run = record(api, raw_prompt="\x01a\tb\r\nc\x7f\x85d\x1b", verdict="a\x01b")
    assert (run["raw_prompt"], run["verdict"]) == ("a\tb\r\ncd", "a\x01b")


def test_blank_texts_that_mean_nothing_are_null(api: Client) -> None:
    run = record(api, project="  ", version=" ")
    assert (run["project"], run["version"], run["prompt_id"]) == (None, None, None)
    assert not Project.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("raw_prompt", None),
        ("raw_prompt", ""),
        ("raw_prompt", " \n\t"),
        ("raw_prompt", "\x01\x02"),
        ("raw_prompt", "x" * 100_001),
        ("raw_prompt", 5),
        ("raw_prompt", "a\0b"),
        ("status", "done"),
        ("status", None),
        ("overall_score", 1.0001),
        ("overall_score", -0.1),
        ("overall_score", "0.5"),
        ("overall_score", True),
        ("strategy_confidence", 85),
        ("duration_ms", -1),
        ("duration_ms", 1.5),
        ("duration_ms", 2**63),
        ("input_tokens", "7"),
        ("is_improvement", 1),
        ("is_improvement", "true"),
        ("strategy", "my own"),
        ("strategy", ""),
        ("secondary_frameworks", ["risen", "co-star", "few-shot"]),
        ("project", "x" * 201),
        ("title", "x" * 201),
        ("title", 7),
        ("version", "2"),
        ("version", "v"),
        ("version", "v" + "1" * 20),
        ("version", "v\N{ARABIC-INDIC DIGIT ONE}"),
        ("tags", "x"),
        ("task_type", "x" * 201),
        ("id", ""),
        ("id", "a/b"),
        ("id", "x" * 101),
        ("created_at", "yesterday"),
        ("created_at", 1700000000),
        ("created_at", "0001-01-01T00:00:00+14:00"),
        ("codebase_context_snapshot", []),
        ("codebase_context_snapshot", {"a": {"b": "\0"}}),
        ("codebase_context_snapshot", {"\0": 1}),
        ("project_id", "derived"),
        ("optimised_prompt", "a slip of the pen"),
    ],
)
def test_what_a_run_cannot_say_is_refused(api: Client, field: str, value: Any) -> None:
    assert places(send(api, "POST", RUNS, {"raw_prompt": "text", field: value})) == [["body", field]]
    assert not Optimization.objects.exists()


@pytest.mark.parametrize("value", [["x" * 51], [""], [5], ["a\0"], [None]])
def test_a_tag_has_one_to_fifty_characters(api: Client, value: Any) -> None:
    assert places(send(api, "POST", RUNS, {"raw_prompt": "text", "tags": value})) == [["body", "tags", 0]]
    run = make_run()
    assert places(send(api, "PUT", f"{RUNS}/{run.id}/tags", {"add": value})) == [["body", "add", 0]]


def test_numbers_and_depths_that_json_cannot_carry_are_refused(api: Client) -> None:
    for body in ('{"raw_prompt": "a", "overall_score": 1e999}', '{"raw_prompt": "a", "overall_score": NaN}', "{", ""):
        assert api.post(RUNS, body, content_type="application/json").status_code == 422
    deep = '{"raw_prompt": "a", "codebase_context_snapshot": {"a": ' + "[" * 300 + "]" * 300 + "}}"
    assert places(api.post(RUNS, deep, content_type="application/json")) == [["body", "codebase_context_snapshot"]]


def test_an_id_is_recorded_once(api: Client) -> None:
    record(api, id="mine")
    again = send(api, "POST", RUNS, {"raw_prompt": "other", "id": "mine", "project": "new"})
    assert (again.status_code, again.json()) == (409, {"detail": "An optimization with this id already exists"})
    assert not Project.objects.exists()


def test_the_prompt_is_found_by_its_text_whatever_its_blanks(api: Client) -> None:
    prompt = make_prompt(make_project(name="P"), "one  two\nthree")
    assert record(api, project="P", raw_prompt="one two three")["prompt_id"] == prompt.id
    assert record(api, project=" P", raw_prompt="one  two\nthree ")["prompt_id"] == prompt.id
    assert record(api, project="P", raw_prompt="another")["prompt_id"] not in (None, prompt.id)
    assert Prompt.objects.count() == 2


def test_a_given_prompt_is_taken_and_must_exist(api: Client) -> None:
    prompt = make_prompt(make_project(name="P"))
    run = record(api, prompt_id=prompt.id, project="Q")
    assert (run["prompt_id"], run["project"], run["project_id"]) == (prompt.id, "Q", prompt.project_id)
    assert Project.objects.filter(name="Q").exists()
    unknown = send(api, "POST", RUNS, {"raw_prompt": "text", "prompt_id": "nope", "project": "new"})
    assert (unknown.status_code, unknown.json()) == (400, {"detail": "prompt_id does not reference a valid prompt"})
    assert not Project.objects.filter(name="new").exists()


def test_a_deleted_project_comes_back_and_an_archived_one_gets_no_prompt(api: Client) -> None:
    deleted, archived = make_project(name="D", status="deleted"), make_project(name="A", status="archived")
    make_prompt(archived, "text")
    run = record(api, project="D")
    assert (run["project_id"], run["project_status"]) == (deleted.id, "active")
    assert run["prompt_id"] is not None
    run = record(api, project="A")
    assert (run["project_id"], run["project_status"], run["prompt_id"]) == (archived.id, "archived", None)


def test_a_run_is_completed_once(api: Client) -> None:
    run = record(api, status="running", title="kept", tags=["kept"])
    path = f"{RUNS}/{run['id']}"
    completion = {"status": "completed", "optimized_prompt": "better", "overall_score": 0.7, "strategy": "few-shot"}
    done = send(api, "PATCH", path, completion)
    assert done.status_code == 200
    assert done.json() == {**run, **completion, "strategy": "few-shot-scaffolding"}
    again = send(api, "PATCH", path, completion)  # a client that missed the answer
    assert (again.status_code, again.json()) == (200, done.json())
    refused = send(api, "PATCH", path, {"title": "new", "overall_score": 0.9, "status": "running"})
    assert refused.status_code == 409
    assert refused.json()["detail"] == (
        "Cannot change overall_score, status of an optimization in 'completed' status: "
        "only title, tags, project, version"
    )
    assert api.get(f"/api/optimize/{run['id']}").json() == done.json()


@pytest.mark.parametrize("status", ["completed", "error", "cancelled"])
def test_labels_of_a_finished_run_may_change(api: Client, status: str) -> None:
    run = record(api, status=status, title="old", version="v1", tags=["a"], project="P")
    labels = {"title": None, "version": "v2", "tags": ["b"], "project": "Q"}
    changed = send(api, "PATCH", f"{RUNS}/{run['id']}", labels).json()
    assert {name: changed[name] for name in labels} == labels
    assert Project.objects.get(id=changed["project_id"]).name == "Q"
    assert Prompt.objects.get(id=changed["prompt_id"]).project_id == changed["project_id"]
    for change in ({"verdict": "other"}, {"raw_prompt": "other"}, {"prompt_id": None}, {"status": "pending"}):
        assert send(api, "PATCH", f"{RUNS}/{run['id']}", change).status_code == 409


def test_a_patch_leaves_what_it_does_not_name(api: Client) -> None:
    run = record(api, status="pending", verdict="kept", duration_ms=5)
    path = f"{RUNS}/{run['id']}"
    assert send(api, "PATCH", path, {}).json() == run
    assert send(api, "PATCH", path, {"raw_prompt": None, "status": None}).json() == run
    assert send(api, "PATCH", path, {"duration_ms": None}).json() == {**run, "duration_ms": None}
    assert send(api, "PATCH", path, {"raw_prompt": "other"}).json()["raw_prompt"] == "other"
    assert places(send(api, "PATCH", path, {"titel": "slip"})) == [["body", "titel"]]
    assert send(api, "PATCH", f"{RUNS}/nope", {}).status_code == 404


def test_a_patch_writes_no_column_that_it_does_not_change(api: Client) -> None:
    run = make_run(status="running", tags="{not json", weaknesses="null", strategy="my own", title="t")
    assert send(api, "PATCH", f"{RUNS}/{run.id}", {"title": "new", "weaknesses": None}).status_code == 200
    run.refresh_from_db()
    assert (run.title, run.tags, run.weaknesses, run.strategy) == ("new", "{not json", "null", "my own")


def test_a_patch_may_name_another_prompt(api: Client) -> None:
    run = record(api, status="running", project="P")
    prompt = make_prompt(make_project(name="Q"))
    path = f"{RUNS}/{run['id']}"
    assert send(api, "PATCH", path, {"prompt_id": prompt.id}).json()["project_id"] == prompt.project_id
    assert send(api, "PATCH", path, {"prompt_id": prompt.id, "project": "R"}).json()["prompt_id"] == prompt.id
    assert send(api, "PATCH", path, {"prompt_id": "nope"}).status_code == 400
    assert send(api, "PATCH", path, {"prompt_id": None}).json()["prompt_id"] is None


def tags(api: Client, run_id: str, **body: Any) -> Any:
    return send(api, "PUT", f"{RUNS}/{run_id}/tags", body)


def test_tags_are_removed_and_then_added_once(api: Client) -> None:
    run = record(api, tags=["a", "b", "a"], title="t", project="P")
    answer = tags(api, run["id"], add=["c", "b", "c", "d"], remove=["a", "d", "nope"])
    assert answer.status_code == 200
    assert answer.json() == {
        "id": run["id"],
        "tags": ["b", "c", "d"],
        "project": "P",
        "project_id": run["project_id"],
        "title": "t",
        "updated": True,
    }
    assert tags(api, run["id"], add=["b"], remove=["x"]).json()["updated"] is False
    assert tags(api, run["id"], remove=["b", "c", "d"]).json()["tags"] == []
    assert tags(api, run["id"]).json()["updated"] is False
    assert tags(api, "nope", add=["x"]).status_code == 404


def test_tags_that_are_no_list_stay_until_one_is_added(api: Client) -> None:
    run = make_run(tags="{not json")
    assert tags(api, run.id, remove=["x"], title="new").json()["tags"] == []
    run.refresh_from_db()
    assert (run.tags, run.title) == ("{not json", "new")
    assert tags(api, run.id, add=["ü"]).json()["tags"] == ["ü"]
    run.refresh_from_db()
    assert run.tags == '["ü"]'


def test_title_and_project_are_set_and_cleared(api: Client) -> None:
    run = record(api, status="error")
    set_to = tags(api, run["id"], title="new", project=" Q ").json()
    assert (set_to["title"], set_to["project"]) == ("new", " Q ")
    assert Project.objects.get(id=set_to["project_id"]).name == "Q"
    assert api.get(f"/api/optimize/{run['id']}").json()["prompt_id"] == Prompt.objects.get().id
    cleared = tags(api, run["id"], title="", project="").json()
    assert (cleared["title"], cleared["project"], cleared["project_id"]) == (None, None, None)
    assert places(tags(api, run["id"], title="x" * 201)) == [["body", "title"]]
    assert places(tags(api, run["id"], project="x" * 201)) == [["body", "project"]]
    assert places(tags(api, run["id"], remove=["x" * 51])) == [["body", "remove", 0]]


def test_a_run_that_moves_takes_its_link_along(api: Client) -> None:
    old, new = make_project(name="old"), make_project(name="new", status="deleted")
    there = make_prompt(new, "text")
    run = make_run(make_prompt(old, "text"), project="old")
    moved = tags(api, run.id, project="new").json()
    assert moved["project_id"] == new.id
    run.refresh_from_db()
    assert run.prompt_id == there.id
    new.refresh_from_db()
    assert new.status == "active"
    # Another spelling of the project that it is in moves nothing.
    assert tags(api, run.id, project=" new").json()["updated"] is True
    run.refresh_from_db()
    assert (run.project, run.prompt_id) == (" new", there.id)


def test_no_run_moves_to_an_archived_project(api: Client) -> None:
    make_project(name="A", status="archived")
    run = record(api, title="t")
    for answer in (
        tags(api, run["id"], project="A", title="x"),
        send(api, "PATCH", f"{RUNS}/{run['id']}", {"project": "A"}),
    ):
        assert (answer.status_code, answer.json()) == (403, {"detail": "Cannot assign to archived project: A"})
    assert api.get(f"/api/optimize/{run['id']}").json() == run
    inside = record(api, project="A")  # recording is allowed, and so is naming the same project again
    assert tags(api, inside["id"], project="A", add=["x"]).status_code == 200


def test_writing_needs_the_scope_write(client: Client) -> None:
    run = make_run()
    for method, path in (("POST", RUNS), ("PATCH", f"{RUNS}/{run.id}"), ("PUT", f"{RUNS}/{run.id}/tags")):
        assert send(client, method, path, {"raw_prompt": "x"}).status_code == 401


@pytest.mark.parametrize(
    "run",
    [
        WHOLE,
        {"raw_prompt": "least"},
        {"raw_prompt": "text", "project": "Old"},
        {"raw_prompt": "another", "project": "Old"},
        {"raw_prompt": "text", "project": "Gone"},
    ],
    ids=["whole", "least", "archived", "archived, no prompt", "deleted"],
)
def test_recording_answers_what_reading_does(api: Client, run: dict[str, Any]) -> None:
    """Byte for byte, with the same ETag, though it reads nothing back where it knows all."""
    make_prompt(make_project(name="Old", status="archived"), "text")
    make_project(name="Gone", status="deleted")
    recorded = api.post(RUNS, run, content_type="application/json")
    read = api.get(f"/api/optimize/{recorded.json()['id']}")
    assert recorded.status_code == 201
    assert (recorded.content, recorded["ETag"]) == (read.content, read["ETag"])


def test_nobody_waits_for_the_answer_to_a_recorded_run(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made when the run is committed: other writers have their turn by then."""
    committed: list[bool] = []

    def ready_answer(*args: Any) -> HttpResponse:
        committed.append(not connection.in_atomic_block and Optimization.objects.filter(id="my-run").exists())
        return responses.ready_answer(*args)

    monkeypatch.setattr(runs, "ready_answer", ready_answer)
    record(api, id="my-run")
    assert committed == [True]
