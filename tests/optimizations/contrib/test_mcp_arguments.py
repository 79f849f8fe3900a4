"""What MCP's tools make of arguments: unknown ones, null, texts that look like JSON, ids; and prompts' placeholders."""

from __future__ import annotations

import re
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp.server.mcpserver.exceptions import ToolError
from mcp.shared.exceptions import MCPError

from optimizations.contrib.mcp.placeholders import fill_in, placeholders
from optimizations.contrib.mcp.registry import TOOLS
from optimizations.contrib.mcp.server import build_server
from optimizations.models import Optimization
from projects.models import Project
from tests.projects.making import make_project, make_prompt, make_run, stored

rows = pytest.mark.django_db(transaction=True)
SERVER = build_server()


def call(tool: str, /, **arguments: Any) -> Any:
    """What a tool answers, as an agent sees it. Raises ToolError."""
    return anyio.run(SERVER.call_tool, tool, arguments).structured_content


def described() -> dict[str, dict[str, Any]]:
    return {tool.name: tool.input_schema for tool in anyio.run(SERVER.list_tools)}


@pytest.mark.parametrize("tool", sorted(TOOLS))
def test_an_argument_that_a_tool_does_not_know_is_refused_by_name(tool: str) -> None:
    schema = described()[tool]
    assert schema["additionalProperties"] is False
    names = ", ".join(schema.get("properties", {})) or "nothing"
    with pytest.raises(ToolError, match=re.escape(f"nobody_knows: Extra inputs are not permitted: {names} can be")):
        call(tool, nobody_knows=None)


@rows
def test_a_wrong_name_leaves_a_context_as_it_is() -> None:
    kept = '{"language": "Python"}'
    project = make_project(context_profile=kept)
    for arguments in ({"context": {"language": "Go"}}, {}, {"context_profile": {"langauge": "Go"}}):
        with pytest.raises(ToolError, match=r"context|Field required"):
            call("set_project_context", project_id=project.id, **arguments)
        assert stored("projects", "context_profile", project.id) == kept
    call("set_project_context", project_id=project.id, context_profile=None)
    assert stored("projects", "context_profile", project.id) is None


@rows
def test_null_means_the_default_of_every_optional_argument() -> None:
    run = make_run(project="p", title="t")
    kept = {"get": {"optimization_id": run.id}, "search": {"query": "text"}, "get_by_project": {"project": "p"}}
    for name in ("list", "search", "get_by_project", "list_projects", "stats"):
        schema, needed = described()[name], kept.get(name, {})
        nulls = dict.fromkeys(schema["properties"].keys() - needed.keys())
        assert call(name, **needed, **nulls) == call(name, **needed)
    tagged = call("tag", optimization_id=run.id, add_tags=["a"], remove_tags=None, project=None, title=None)
    assert (tagged["tags"], tagged["title"], tagged["project"]) == (["a"], "t", "p")
    with pytest.raises(ToolError, match="optimization_id"):
        call("get", optimization_id=None)


@rows
@pytest.mark.parametrize("text", ['["a"]', "null", '{"a": 1}', "true", "12", '"quoted"'])
def test_a_text_that_looks_like_json_stays_a_text(text: str) -> None:
    project = call("create_project", name=text, description=text)
    assert (project["name"], project["description"]) == (text, text)
    prompt = call("add_prompt", project_id=project["id"], content=text)
    assert prompt["content"] == text
    run = make_run(raw_prompt="x")
    tagged = call("tag", optimization_id=run.id, title=text, project=text)
    assert (tagged["title"], tagged["project"]) == (text, text)
    assert call("list", search=text)["total"] == 0 + Optimization.objects.filter(title=text, status="completed").count()


@rows
def test_lists_and_objects_may_come_as_json_texts_as_some_agents_send_them() -> None:
    run, project = make_run(), make_project()
    assert call("tag", optimization_id=run.id, add_tags='["a", "b"]')["tags"] == ["a", "b"]
    profile = call("set_project_context", project_id=project.id, context_profile='{"language": "Go"}')
    assert profile["context_profile"] == {"language": "Go"}
    with pytest.raises(ToolError, match=r"context_profile.langauge: Extra inputs"):
        call("set_project_context", project_id=project.id, context_profile='{"langauge": "Go"}')
    with pytest.raises(ToolError, match="add_tags"):
        call("tag", optimization_id=run.id, add_tags="a, b")


@rows
@pytest.mark.parametrize(
    "key", ["run-1", "project_24", "all", "a b", "../x", "ключ", "8663074e", "x" * 100, "", "a%2Fb"]
)
def test_any_id_of_the_tables_is_an_id(key: str) -> None:
    make_run(id=key)
    assert key in [item["id"] for item in call("list")["items"]]
    assert call("get", optimization_id=key)["id"] == key
    assert call("tag", optimization_id=key, add_tags=["a"])["tags"] == ["a"]
    project = make_project(id=key)
    make_prompt(project, "text", id=key)
    assert call("get_project", project_id=key)["prompts"][0]["id"] == key
    assert call("update_prompt", prompt_id=key, content="new", optimization_id=key)["version"] == 2
    assert call("bulk_delete", ids=[key, "nope"]) == {
        "deleted_count": 1, "deleted_ids": [key], "not_found_ids": ["nope"],
    }  # fmt: skip


@rows
@pytest.mark.parametrize(
    ("least", "shown"),
    [(None, 6), (0, 5), (1, 5), (2.5, 3), (3, 2), (8, 1), (9, 0), (10, 0), (99, 0)],
)
def test_the_least_score_is_itself_enough(least: float | None, shown: int) -> None:
    """`min_score` 1 means 0.05, 2.5 means 0.2, and what is stored as just that is listed."""
    for score in (0.05, 0.1, 0.2, 0.25, 0.75, None, 0.049):
        make_run(overall_score=score)
    expected = shown + (1 if least is None else 0)
    assert call("list", min_score=least)["total"] == expected


@rows
def test_an_unknown_order_means_the_default() -> None:
    for title in ("b", "a", "c"):
        make_run(title=title)
    usual = call("list")
    assert call("list", sort="size", order="sideways") == usual
    assert call("list", order="DESC") == usual
    assert [item["title"] for item in call("list", sort="title", order="asc")["items"]] == ["a", "b", "c"]


@rows
def test_search_finds_parts_as_its_description_says() -> None:
    make_run(raw_prompt="Write about Whales.", title="sea")
    assert "A part of" in described()["list"]["properties"]["search"]["description"]
    assert call("list", search="ALE")["total"] == 1


@rows
def test_names_and_texts_have_the_limits_of_the_api() -> None:
    project = call("create_project", name="n" * 200)
    call("add_prompt", project_id=project["id"], content="x" * 100_000)
    for arguments in (
        {"project_id": project["id"], "content": "x" * 100_001},
        {"project_id": "a", "content": "\u200b"},
    ):
        with pytest.raises(ToolError, match=r"100000 characters|must not be empty"):
            call("add_prompt", **arguments)
    with pytest.raises(ToolError, match="200 characters"):
        call("create_project", name="n" * 201)
    assert Project.objects.count() == 1


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("Write about {{topic}} for {whom}.", "Write about cats for {x}."),
        ("{{ topic }}, {{topic }} and {{\ttopic\n}}", "cats, cats and cats"),
        ("{{{topic}}} {{{ topic }}}", "cats cats"),
        ("{ topic } {topic} {{whom}}", "{ topic } cats {x}"),
        ('{"a": {{topic}}}', '{"a": cats}'),
        ('{"a": {"topic"}} {topic.name} {topic!r} {topic:>3}', '{"a": {"topic"}} {topic.name} {topic!r} {topic:>3}'),
        ("{{{{topic}}}} {{#topic}}{{/topic}} {{>topic}} {{topic | upper}}",) * 2,
        ("{имя} {{größe}} {名前} {{नाम}} {ชื่อ}", "Анна 1 二 3 4"),
        ("{gro\u0308\u00dfe}", "1"),
        ("{1} {{}} {} {{ }} {a-b}",) * 2,
        ("{other} {{other}}",) * 2,
    ],
)
def test_placeholders_are_filled_mustaches_first(text: str, filled: str) -> None:
    """A value with braces is data, and a name in a value is none."""
    values = {
        "topic": "cats",
        "whom": "{x}",
        "x": "wrong",
        "имя": "Анна",
        "größe": "1",
        "名前": "二",
        "नाम": "3",
        "ชื่อ": "4",
    }
    assert fill_in(text, values) == filled


def test_names_are_listed_once_in_their_order() -> None:
    assert placeholders("{b} {{ a }} {b} {{{c}}} {{{{d}}}} {1} {'e'}") == ["b", "a", "c"]


@given(st.text(alphabet="{} \nab1é\u0301", max_size=30), st.text(alphabet="{}ab", max_size=8))
def test_a_text_without_its_values_stays_as_it_is(text: str, value: str) -> None:
    names = placeholders(text)
    assert fill_in(text, {}) == text
    filled = fill_in(text, dict.fromkeys(names, value))
    assert filled == text or names
    assert fill_in(text, dict.fromkeys(names, "")).count("{") <= text.count("{")


@rows
def test_a_stored_prompt_is_filled_and_says_what_it_takes() -> None:
    prompt = make_prompt(make_project(name="p"), "Write about {{topic}} for {audience}, {{ größe }}.")

    async def use() -> Any:
        return await SERVER.get_prompt(
            prompt.id, {"topic": "{audience}", "audience": "children", "gro\u0308\u00dfe": "A4"}
        )

    (message,) = anyio.run(use).messages
    assert message.content.text == "Write about {audience} for children, A4."

    async def misuse() -> Any:
        return await SERVER.get_prompt(prompt.id, {"tpoic": "x"})

    with pytest.raises(MCPError, match=r"no argument 'tpoic'; it has: topic, audience, größe"):
        anyio.run(misuse)
