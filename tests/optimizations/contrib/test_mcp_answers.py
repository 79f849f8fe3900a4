"""What MCP's tools answer: short JSON, long texts cut with a link to the whole, and scores that tell runs apart."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest
from mcp.client.client import Client
from mcp.server.mcpserver.exceptions import ToolError

from optimizations.contrib.mcp.answers import ANSWER_BYTES, Item, fit
from optimizations.contrib.mcp.server import build_server
from promptadmin.http.responses import to_json
from tests.projects.making import make_project, make_prompt, make_run, make_version

pytestmark = pytest.mark.django_db(transaction=True)
SERVER = build_server()


def call(tool: str, /, **arguments: Any) -> Any:
    return anyio.run(SERVER.call_tool, tool, arguments)


def links(answer: Any) -> list[str]:
    return [part.uri for part in answer.content if part.type == "resource_link"]


def read(address: str) -> Any:
    [found] = anyio.run(SERVER.read_resource, address)
    return json.loads(found.content)


def test_an_answer_is_json_in_one_line_and_the_same_as_data() -> None:
    make_run(title="größe", tags='["a", "b"]')
    answer = call("list")
    [text] = answer.content
    assert "\n" not in text.text
    assert '"tags":["a","b"]' in text.text
    assert '"title":"größe"' in text.text
    assert json.loads(text.text) == answer.structured_content


def test_many_long_runs_are_a_short_answer_that_links_to_each() -> None:
    long: dict[str, Any] = {"raw_prompt": "before " * 12_000, "optimized_prompt": "after " * 14_000, "project": "p"}
    runs = {make_run(**long, title=f"run {number}").id for number in range(30)}
    answer = call("get_by_project", project="p")
    assert len(answer.content[0].text.encode()) <= ANSWER_BYTES
    items = answer.structured_content["items"]
    assert {item["id"] for item in items} == runs
    for item in items:
        assert item["cut"] == ["raw_prompt", "optimized_prompt"]
        assert item["raw_prompt"].endswith("… [cut: 1,000 of 84,000 characters]")
        assert len(item["optimized_prompt"]) < 1_100
    assert links(answer) == [item["whole"] for item in items]
    assert read(items[0]["whole"])["optimized_prompt"] == long["optimized_prompt"]
    assert "'cut'" in (SERVER.instructions or "")


def test_the_longest_possible_list_stays_bounded() -> None:
    """Every column that an agent is shown, as long as it can be, in a hundred runs."""
    texts: dict[str, Any] = dict.fromkeys(
        ("raw_prompt", "optimized_prompt", "title", "verdict", "error_message", "model_used"), "x" * 30_000
    )
    lists: dict[str, Any] = dict.fromkeys(
        ("strengths", "weaknesses", "changes_made", "tags"), json.dumps(["y" * 300] * 300)
    )
    context = json.dumps({f"field {number}": "z" * 900 for number in range(50)})
    for _ in range(100):
        make_run(**texts, **lists, codebase_context_snapshot=context, project="p")
    answer = call("get_by_project", project="p", limit=100)
    assert len(answer.structured_content["items"]) == len(links(answer)) == 100
    assert len(answer.content[0].text) < 2.5 * ANSWER_BYTES
    assert len(call("list", limit=100).content[0].text) < ANSWER_BYTES


def test_one_run_is_whole_unless_it_is_very_long_and_then_on_demand() -> None:
    short, long = make_run(raw_prompt="x" * 20_000), make_run(raw_prompt="x" * 20_001, tags=json.dumps(["t"] * 9_000))
    answer = call("get", optimization_id=short.id)
    assert (answer.structured_content["raw_prompt"], links(answer)) == ("x" * 20_000, [])
    assert "cut" not in answer.structured_content
    answer = call("get", optimization_id=long.id)
    assert answer.structured_content["cut"] == ["raw_prompt", "tags"]
    assert set(answer.structured_content["tags"]) == {"t"}
    assert links(answer) == [f"promptforge://optimizations/{long.id}"]
    whole = call("get", optimization_id=long.id, whole=True)
    assert (len(whole.structured_content["raw_prompt"]), len(whole.structured_content["tags"])) == (20_001, 9_000)
    assert links(whole) == []


@pytest.mark.parametrize("key", ["a b", "../x", "ключ", "a%2Fb", "a/b"])
def test_a_long_version_is_read_as_a_whole_whatever_the_id(key: str) -> None:
    prompt = make_prompt(
        make_project(context_profile=json.dumps({"language": "Python"})), "now " * 6_000, id=key, version=2
    )
    make_version(prompt, 1, "then " * 6_000)
    for version, text in ((None, "now "), (1, "then ")):
        answer = call("get_prompt", prompt_id=key, version=version)
        assert answer.structured_content["cut"] == ["content"]
        [address] = links(answer)
        assert read(address)["content"] == text * 6_000
        assert (
            call("get_prompt", prompt_id=key, version=version, whole=True).structured_content["content"] == text * 6_000
        )
    assert len(answer.structured_content["versions"]["items"]) == 2
    project = call("get_project", project_id=prompt.project_id)
    assert project.structured_content["prompts"][0]["cut"] == ["content"]
    assert "cut" not in project.structured_content
    assert read(links(project)[0])["content"] == "now " * 6_000


def test_ids_and_numbers_are_never_cut() -> None:
    item = Item({"id": "k" * 300, "prompt_id": "p" * 300, "text": "t" * 200_000, "count": 7, "none": None}, "a://b")
    text, cut = fit({"items": [item] * 400})
    shown = json.loads(text)["items"][0]
    assert (shown["id"], shown["prompt_id"], shown["count"], shown["none"]) == ("k" * 300, "p" * 300, 7, None)
    assert (shown["cut"], cut) == (["text"], ["a://b"])


def test_statistics_tell_scores_apart_that_differ_by_little() -> None:
    for strategy, score in (("chain-of-thought", 0.52), ("few-shot-scaffolding", 0.49)):
        make_run(strategy=strategy, overall_score=score, task_type="writing", project="p")
    found = call("stats", project="p").structured_content
    assert found["score_by_strategy"] == {"chain-of-thought": 5.2, "few-shot-scaffolding": 4.9}
    assert found["average_overall_score"] == 5.05
    assert found["score_variance"]["chain-of-thought"]["max"] == 5.2
    assert found["score_matrix"]["few-shot-scaffolding"]["writing"]["avg_score"] == 4.9


def test_tools_that_nobody_can_use_are_not_listed() -> None:
    listed = anyio.run(SERVER.list_tools)
    assert not {"optimize", "retry", "batch"} & {tool.name for tool in listed}
    assert len(to_json([tool.model_dump(exclude_none=True) for tool in listed])) < 25_000
    with pytest.raises(ToolError, match="keep the run with record"):
        call("optimize", prompt="x")


def test_the_kept_run_is_the_one_that_was_given() -> None:
    given = {
        "raw_prompt": "before", "optimized_prompt": "after", "status": "error", "title": "t", "task_type": "writing",
        "complexity": "simple", "strengths": ["a"], "weaknesses": ["b"], "changes_made": ["c"],
        "is_improvement": False, "verdict": "v", "model_used": "m", "duration_ms": 1, "input_tokens": 2,
        "output_tokens": 3, "error_message": "e",
    }  # fmt: skip
    scores = {f"{name}_score": 7.0 for name in ("clarity", "specificity", "structure", "faithfulness", "overall")}
    kept = call("record", **given, **scores).structured_content
    whole = call("get", optimization_id=kept["id"]).structured_content
    assert {name: whole[name] for name in given} == given
    assert {name: whole[name] for name in scores} == scores
    assert call("list", status="error").structured_content["items"][0]["error_message"] == "e"


def test_a_client_may_read_what_a_link_names() -> None:
    make_run(raw_prompt="x" * 30_000)

    async def follow() -> Any:
        async with Client(build_server()) as client:
            answer = await client.call_tool("get_by_project", {"project": ""})
            return answer, await client.list_resource_templates()

    answer, templates = anyio.run(follow)
    assert not answer.is_error
    assert "promptforge://prompts/{prompt_id}/versions/{version}" in {
        each.uri_template for each in templates.resource_templates
    }
