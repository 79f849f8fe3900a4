"""Arguments that an operation doesn't take: each is refused by its name, wherever it stands, and nothing is changed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from optimizations.models import Optimization
from projects.models import Project
from promptadmin.api.unknown_arguments import unknown_names
from tests.api.documented_operations import JSON, Documented, all_rows, documented, make_documented_rows
from tests.projects.making import make_project, make_run, stored

NAME = "nobody-knows"
OPERATIONS = documented("GET", "POST", "PUT", "PATCH", "DELETE")
WITH_BODY = [each for each in OPERATIONS if each.body and each.content_type == JSON]
#: They take the whole of a request themselves: without an optimiser two answer 501 to whatever is asked.
READING_THEMSELVES = {"optimize", "retry_run", "import_runs", "export_runs", "get_health"}
WITHOUT_BODY = [each for each in OPERATIONS if not each.body and each.name not in READING_THEMSELVES]


@pytest.fixture
def api(settings: Settings, db: None) -> Client:
    settings.API_AUTH_TOKEN = "secret"
    return Client(headers={"Authorization": "Bearer secret"})


def by_name(operations: list[Documented]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("operation", operations, ids=lambda operation: operation.name)


def errors(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 422, answer.content
    found: list[dict[str, Any]] = answer.json()["detail"]
    return found


def places(answer: Any) -> list[list[Any]]:
    return [error["loc"] for error in errors(answer) if error["type"] == "extra_forbidden"]


def test_every_kind_of_operation_is_tried() -> None:
    assert len(OPERATIONS) > 35
    assert {"create_project", "update_project", "change_run", "delete_runs"} <= {each.name for each in WITH_BODY}
    assert {"clear_history", "restore_prompt_version", "list_runs"} <= {each.name for each in WITHOUT_BODY}


@by_name(OPERATIONS)
def test_a_query_parameter_that_nobody_knows_is_refused(api: Client, operation: Documented) -> None:
    make_documented_rows()
    before = all_rows()
    answer = operation.send(api, query=f"?{NAME}=1&_=1700000000&=x")
    assert places(answer) == [["query", NAME], ["query", "_"], ["query", ""]]
    assert all_rows() == before


@by_name(WITH_BODY)
def test_a_field_of_a_body_that_nobody_knows_is_refused(api: Client, operation: Documented) -> None:
    make_documented_rows()
    before = all_rows()
    body = json.dumps({**json.loads(operation.body), NAME: {"a": 1}})
    answer = api.generic(operation.method, operation.path, body, content_type=JSON, headers=operation.headers)
    assert places(answer) == [["body", NAME]]
    assert all_rows() == before


@by_name(WITHOUT_BODY)
def test_a_body_where_none_is_wanted_is_refused(api: Client, operation: Documented) -> None:
    """`DELETE /api/history/all` with a filter in its body deletes nothing."""
    make_documented_rows()
    before = all_rows()

    def send(body: str) -> Any:
        return api.generic(operation.method, operation.path, body, content_type=JSON, headers=operation.headers)

    assert places(send(f'{{"{NAME}": 1}}')) == [["body", NAME]]
    assert [places(send(body)) for body in ('["a"]', "project=x", '"text"')] == [[["body"]]] * 3
    assert all_rows() == before
    if operation.method != "GET":  # clients that send a body with each request send one of nothing
        assert [send(body).status_code != 422 for body in ("{}", "null", " ")] == [True] * 3
    if operation.method == "POST":
        assert places(api.post(operation.path, {"project": "x"})) == [["body", "project"]]
        assert api.post(operation.path).status_code != 422  # Django's client sends a form of nothing
        for kind in (
            "multipart/form-data",
            "multipart/form-data; boundary=é",
            "application/x-www-form-urlencoded; charset=x",
        ):
            assert places(api.generic("POST", operation.path, b"\xff=1", content_type=kind))[0][0] == "body"


def test_the_answer_lists_the_names_that_can_be_given(api: Client) -> None:
    (error,) = errors(api.get("/api/history/stats?since=2026-01-01"))
    assert error == {
        "type": "extra_forbidden",
        "loc": ["query", "since"],
        "msg": "Extra inputs are not permitted: project can be given here",
        "input": "2026-01-01",
    }
    (error,) = errors(api.get("/api/strategies?tag=best"))
    assert error["msg"] == "Extra inputs are not permitted: nothing can be given here"
    filters = "search, project, project_id, task_type, status, include_archived"
    (error,) = errors(api.get("/api/optimizations/export?strategy=risen"))
    assert error["msg"] == f"Extra inputs are not permitted: {filters} can be given here"


def test_all_that_is_wrong_is_told_at_once(api: Client) -> None:
    found = errors(api.post("/api/projects?x=1", {"nam": "a", "description": 5}, content_type=JSON))
    assert sorted(error["loc"][-1] for error in found) == ["description", "nam", "name", "x"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reading_only_the_head_is_refused_the_same(api: Client, method: str) -> None:
    assert api.generic(method, "/api/history?tag=best").status_code == 422


@pytest.mark.parametrize("context", [{"languages": "Go"}, {"language": "Go", "languages": "Go"}, {"x": None}])
def test_a_context_profile_keeps_what_it_has_where_a_name_is_wrong(api: Client, context: dict[str, Any]) -> None:
    kept = '{"language": "Python"}'
    project = make_project(context_profile=kept)
    (name,) = set(context) - {"language"}
    answer = api.put(f"/api/projects/{project.id}", {"context_profile": context}, content_type=JSON)
    assert places(answer) == [["body", "context_profile", name]]
    assert "language, framework" in errors(answer)[0]["msg"]
    assert stored("projects", "context_profile", project.id) == kept
    answer = api.post("/api/projects", {"name": "new", "context_profile": context}, content_type=JSON)
    assert places(answer) == [["body", "context_profile", name]]
    assert not Project.objects.filter(name="new").exists()


def test_a_snapshot_of_a_code_base_may_have_any_fields(api: Client) -> None:
    body = {"raw_prompt": "x", "codebase_context_snapshot": {"anything": {"deep": [1, {"er": 2}]}}}
    answer = api.post("/api/optimizations", body, content_type=JSON)
    assert answer.json()["codebase_context_snapshot"] == body["codebase_context_snapshot"]


def test_strangers_are_strangers_first(client: Client, db: None) -> None:
    assert client.get("/api/history?tag=best").status_code == 401


def test_too_many_parameters_are_refused_like_unknown_ones(api: Client) -> None:
    query = "&".join(f"kind=run&k{number}=1" for number in range(1000))
    assert [error["loc"] for error in errors(api.get(f"/api/search?q=x&{query}"))] == [["query"]]
    assert [error["loc"] for error in errors(api.get(f"/api/strategies?{query}"))] == [["query"]]


def test_a_history_is_not_cleared_by_a_request_that_wanted_less(api: Client) -> None:
    make_run()
    answer = api.delete("/api/history/all?project=Old", headers={"X-Confirm-Delete": "yes"})
    assert places(answer) == [["query", "project"]]
    assert Optimization.objects.count() == 1


def test_the_document_says_that_bodies_are_closed(client: Client) -> None:
    schemas = client.get("/api/openapi.json").json()["components"]["schemas"]
    for name in ("ProjectCreateIn", "ProjectUpdateIn", "PromptOrderIn", "RunRecordIn", "RunChangeIn", "RunIdsIn"):
        assert schemas[name]["additionalProperties"] is False, name
    described = schemas["ProjectUpdateIn"]["properties"]["context_profile"]["anyOf"][0]
    assert described["additionalProperties"] is False
    assert "conventions" in described["properties"]


SCHEMA = {
    "type": "object",
    "properties": {
        "list": {"type": "array", "items": {"$ref": "#/$defs/Part"}},
        "either": {"anyOf": [{"$ref": "#/$defs/Part"}, {"type": "null"}, {"type": "string"}]},
        "open": {"type": "object", "additionalProperties": True},
        "map": {"type": "object", "additionalProperties": {"$ref": "#/$defs/Part"}},
        "any": {},
    },
}
DEFINITIONS = {"Part": {"type": "object", "properties": {"a": {"type": "integer"}}}}


def test_names_are_looked_for_however_deep() -> None:
    value = {
        "list": [{"a": 1}, {"b": 1}],
        "either": {"c": 1},
        "open": {"d": 1},
        "map": {"e": {"f": 1}},
        "any": {"g": {"h": 1}},
        "i": 1,
    }
    found = {each.place for each in unknown_names(value, SCHEMA, DEFINITIONS)}
    assert found == {("list", 1, "b"), ("either", "c"), ("map", "e", "f"), ("i",)}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*SCHEMA["properties"], "a"]), inner),
    max_leaves=12,
)


@given(json_values)
def test_any_json_value_can_be_looked_through(value: Any) -> None:
    """What doesn't have the schema's kinds is for the validation to refuse."""
    for each in unknown_names(value, SCHEMA, DEFINITIONS):
        assert each.place
