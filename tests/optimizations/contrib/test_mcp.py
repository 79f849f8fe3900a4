"""The plugin mcp: every tool with the SDK's own client, on both transports; parity with the API; no connection left."""

from __future__ import annotations

import os
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from csp.utils import build_policy
from mcp.client.client import Client
from mcp.shared.exceptions import MCPError

from tests.api.requests_to import JsonClient
from tests.http.test_headers import EVERYWHERE
from tests.optimizations.contrib.mcp_clients import over_http, over_stdio
from tests.support.processes import Scratch
from tests.support.servers import START_SECONDS, serving

PLUGINS = "projects,optimizations,mcp"
TOKEN = "all-scopes-0123456789abcdef"  # long enough to work beside somebody who guesses
NOWHERE = "8663074e-3b65-438e-bb1f-07edf6db0373"
TOOLS = {
    "get", "list", "get_by_project", "search", "record", "tag", "stats", "delete", "bulk_delete", "list_projects",
    "get_project", "get_prompt", "strategies", "create_project", "add_prompt", "update_prompt", "set_project_context",
    "cancel",
}  # fmt: skip
READING = {
    "get", "list", "get_by_project", "search", "stats", "list_projects", "get_project", "get_prompt", "strategies",
}  # fmt: skip
DESTROYING = {"delete", "bulk_delete", "cancel", "set_project_context"}


class Site:
    """A database served by the API and over MCP."""

    def __init__(self, address: str, directory: Path) -> None:
        parts = urlsplit(address)
        self.api = JsonClient(address, TOKEN)
        self.mcp_address = f"http://{parts.hostname}:{(parts.port or 0) + 1}/plugins/mcp/"
        self.database = directory / "new.db"
        self.variables = {
            "DATABASE_URL": f"sqlite:///{self.database}",
            "PROMPTADMIN_DATA_DIR": str(directory / "data"),
            "PROMPTADMIN_PLUGINS": PLUGINS,
        }

    def token(self, *scopes: str, prefix: str = "") -> str:
        options = [part for scope in scopes for part in ("--scope", scope)]
        options += ["--prefix", prefix] if prefix else []
        made = Scratch(self.database.parent, self.variables).manage("create_api_token", "agent", *options)
        return made.stdout.strip()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("mcp")
    url = f"sqlite:///{directory / 'new.db'}"
    with serving(directory, url, "--mcp", PROMPTADMIN_PLUGINS=PLUGINS, AUTH_TOKEN=TOKEN) as served:
        site = Site(served.address, directory)
        deadline = time.monotonic() + START_SECONDS
        while status_of(site.mcp_address) != 401:
            assert time.monotonic() < deadline, (directory / "serve.log").read_text()
            time.sleep(0.1)
        yield site
        site.api.close()


def status_of(address: str, **headers: str) -> int:
    request = urllib.request.Request(address, b"{}", headers | {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0


def test_its_answers_have_the_headers_of_all_others(site: Site) -> None:
    """Those of the gate, of the MCP server itself, and of Django beside it, each header once."""
    elsewhere = site.mcp_address.replace("/plugins/mcp/", "/nope")
    authorization = {"Authorization": f"Bearer {TOKEN}"}
    for address, headers, statuses in (
        (site.mcp_address, {}, {401, 429}),  # other tests of this server are strangers, too
        (site.mcp_address, authorization, {406}),
        (elsewhere, authorization, {404}),
    ):
        request = urllib.request.Request(address, b"{}", headers | {"Content-Type": "application/json"})
        with pytest.raises(urllib.error.HTTPError) as failed:
            urllib.request.urlopen(request, timeout=5)
        with failed.value as answer:
            assert answer.code in statuses
            told = {name: answer.headers.get_all(name) for name in EVERYWHERE}
            assert told == {name: [value] for name, value in EVERYWHERE.items()}
            (policy,) = answer.headers.get_all("Content-Security-Policy", [])
            assert sorted(policy.split("; ")) == sorted(build_policy().split("; "))


async def good(client: Client, tool: str, **arguments: Any) -> Any:
    """What a tool answers; it must succeed."""
    answer = await client.call_tool(tool, arguments)
    assert not answer.is_error, answer.content
    return answer.structured_content


def text_of(content: Any) -> str:
    """What a part of an answer says; it must be text."""
    return str(content.text)


async def refused(client: Client, tool: str, **arguments: Any) -> str:
    """What a tool says; it must refuse, and not crash."""
    answer = await client.call_tool(tool, arguments)
    assert answer.is_error, answer.structured_content
    text = text_of(answer.content[0])
    assert text.startswith(f"Error executing tool {tool}: "), text
    return text.removeprefix(f"Error executing tool {tool}: ")


def record(site: Site, **run: Any) -> str:
    answer = site.api.send("POST", "/api/optimizations", {"raw_prompt": "Write about whales.", **run})
    assert answer.status == 201, answer.content
    return str(answer.json["id"])


async def every_tool(client: Client, site: Site, name: str) -> None:
    """Each tool succeeds, refuses what the data doesn't allow, and refuses a bad argument."""
    tools = {tool.name: tool.annotations for tool in (await client.list_tools()).tools}
    assert set(tools) == TOOLS
    assert {key for key, hints in tools.items() if hints and hints.read_only_hint} == READING
    assert {key for key, hints in tools.items() if hints and hints.destructive_hint} == DESTROYING

    project = await good(client, "create_project", name=f" {name} ", description="d")
    assert (project["name"], project["status"], project["has_context"]) == (name, "active", False)
    assert "already exists" in await refused(client, "create_project", name=name)
    assert "200 characters" in await refused(client, "create_project", name="x" * 201)
    key = project["id"]

    context = await good(client, "set_project_context", project_id=key, context_profile={"language": "Python"})
    assert context["context_profile"] == {"language": "Python"}
    assert "Project not found" in await refused(client, "set_project_context", project_id=NOWHERE, context_profile={})
    assert "Project not found" in await refused(client, "set_project_context", project_id=name, context_profile=None)

    prompt = await good(client, "add_prompt", project_id=key, content="Write about whales.")
    assert (prompt["version"], prompt["order_index"], prompt["project_id"]) == (1, 0, key)
    assert "Project not found" in await refused(client, "add_prompt", project_id=NOWHERE, content="x")
    assert "empty or whitespace" in await refused(client, "add_prompt", project_id=key, content=" ")

    runs = [record(site, project=name, title=f"run {number}", overall_score=0.85) for number in range(3)]
    failed = record(site, project=name, status="error", title="failed")
    changed = await good(client, "update_prompt", prompt_id=prompt["id"], content="Whales!", optimization_id=runs[0])
    assert changed["version"] == 2
    assert site.rows(f"SELECT optimization_id FROM prompt_versions WHERE prompt_id = '{prompt['id']}'") == [(runs[0],)]
    assert "Prompt not found" in await refused(client, "update_prompt", prompt_id=NOWHERE, content="x")
    unknown = await refused(client, "update_prompt", prompt_id=prompt["id"], content="y", optimization_id=NOWHERE)
    assert "optimization_id does not reference" in unknown
    assert "100000" in await refused(client, "update_prompt", prompt_id=prompt["id"], content="x" * 100_001)

    read = await good(client, "get_prompt", prompt_id=prompt["id"])
    assert (read["content"], read["version"], read["versions"]["total"]) == ("Whales!", 2, 2)
    assert [(each["beginning"], each["optimization_id"]) for each in read["versions"]["items"]] == [
        ("Whales!", runs[0]), ("Write about whales.", None),
    ]  # fmt: skip
    earlier = await good(client, "get_prompt", prompt_id=prompt["id"], version=1, limit=1, offset=1)
    assert (earlier["content"], earlier["versions"]["items"][0]["version"]) == ("Write about whales.", 1)
    assert "Prompt not found" in await refused(client, "get_prompt", prompt_id=NOWHERE)
    assert "Version not found" in await refused(client, "get_prompt", prompt_id=prompt["id"], version=3)

    found = await good(client, "get_project", project_id=key)
    assert [item["content"] for item in found["prompts"]] == ["Whales!"]
    assert "Project not found" in await refused(client, "get_project", project_id=NOWHERE)
    assert "Field required" in await refused(client, "get_project")
    listed = await good(client, "list_projects", search=name, limit=1000)
    assert [(item["name"], item["prompt_count"]) for item in listed["items"]] == [(name, 1)]
    assert (await good(client, "list_projects", search=name, sort="size", order="up")) == {**listed}

    run = await good(client, "get", optimization_id=runs[0])
    assert (run["overall_score"], run["raw_prompt"], run["project_id"]) == (8, "Write about whales.", key)
    assert "Optimization not found" in await refused(client, "get", optimization_id=NOWHERE)
    assert "Optimization not found" in await refused(client, "get", optimization_id="1")
    assert (await refused(client, "get", optimization_id=1)).startswith(
        "optimization_id: Input should be a valid string"
    )
    page = await good(client, "list", project=name, limit=2, min_score=8)
    assert {part: page[part] for part in ("total", "count", "offset", "has_more", "next_offset")} == {
        "total": 3, "count": 2, "offset": 0, "has_more": True, "next_offset": 2,
    }  # fmt: skip
    assert page["items"][0]["raw_prompt_preview"] == "Write about whales."
    assert "raw_prompt" not in page["items"][0]
    assert (await good(client, "list", project=name, min_score=99))["total"] == 0
    assert "valid integer" in await refused(client, "list", limit="many")
    whole = await good(client, "get_by_project", project=name, offset=-5)
    assert [item["raw_prompt"] for item in whole["items"]] == ["Write about whales."] * 3
    short = await good(client, "get_by_project", project=name, include_prompts=False)
    assert (short["project"], "raw_prompt" in short["items"][0]) == (name, False)
    assert "Field required" in await refused(client, "get_by_project")
    failures = await good(client, "list", project=name, status="error")
    assert [item["id"] for item in failures["items"]] == [failed]
    assert (await good(client, "list", project=name, status="any"))["total"] == 4
    assert "Input should be 'completed'" in await refused(client, "list", status="broken")
    assert (await good(client, "search", query=name))["total"] == 4
    assert "at least 2" in await refused(client, "search", query="x")
    statistics = await good(client, "stats", project=name)
    assert (statistics["total_optimizations"], statistics["average_overall_score"]) == (3, 8.5)
    assert "valid string" in await refused(client, "stats", project=3)
    strategies = await good(client, "strategies")
    assert (strategies["count"], strategies["legacy_aliases"]["few-shot"]) == (10, "few-shot-scaffolding")

    tagged = await good(client, "tag", optimization_id=runs[1], add_tags=["a", "b"], remove_tags=["c"], title="")
    assert (tagged["tags"], tagged["title"], tagged["updated"]) == (["a", "b"], None, True)
    assert "50 characters" in await refused(client, "tag", optimization_id=runs[1], add_tags=["x" * 51])
    kept = await good(
        client, "record", raw_prompt="Write about seals.", optimized_prompt="Seals, in 3 lines.", project=name,
        strategy="few-shot", overall_score=7.5, tags=["by agent"], input_tokens=12,
    )  # fmt: skip
    stored = site.rows(
        f"SELECT overall_score, strategy, status, prompt_id FROM optimizations WHERE id = '{kept['id']}'"
    )
    assert stored == [(0.75, "few-shot-scaffolding", "completed", kept["prompt_id"])]
    assert (kept["project_id"], kept["tags"], kept["overall_score"]) == (key, ["by agent"], 8)
    assert "less than or equal to 10" in await refused(client, "record", raw_prompt="x", overall_score=75)
    assert "prompt_id does not reference" in await refused(client, "record", raw_prompt="x", prompt_id=NOWHERE)
    running = record(site, project=name, status="running")
    assert await good(client, "cancel", optimization_id=running) == {"id": running, "status": "cancelled"}
    assert "Cannot cancel" in await refused(client, "cancel", optimization_id=running)
    assert "not found" in await refused(client, "cancel", optimization_id="")
    assert await good(client, "delete", optimization_id=failed) == {"deleted": True, "id": failed}
    assert "not found" in await refused(client, "delete", optimization_id=failed)
    assert "not found" in await refused(client, "delete", optimization_id="all")
    gone = await good(client, "bulk_delete", ids=[runs[2], NOWHERE])
    assert (gone["deleted_count"], gone["not_found_ids"]) == (1, [NOWHERE])
    assert "at least 1 item" in await refused(client, "bulk_delete", ids=[])

    for tool in ("optimize", "retry", "batch"):
        assert "No enabled plugin runs optimisations" in await refused(client, tool, prompt="x")

    site.api.send("POST", f"/api/projects/{key}/archive")
    for tool, arguments in (
        ("add_prompt", {"project_id": key, "content": "x"}),
        ("update_prompt", {"prompt_id": prompt["id"], "content": "x"}),
        ("set_project_context", {"project_id": key, "context_profile": {}}),
    ):
        assert "archived" in await refused(client, tool, **arguments)
    assert "archived" in await refused(client, "tag", optimization_id=record(site), project=name)


async def resources_and_prompts(client: Client, site: Site, name: str) -> None:
    project = await good(client, "create_project", name=name, context_profile={"language": "Go"})
    prompt = await good(client, "add_prompt", project_id=project["id"], content="Explain {concept} to {whom}.")
    listed = await client.read_resource("promptforge://projects")
    assert name in text_of(listed.contents[0])
    context = await client.read_resource(f"promptforge://projects/{project['id']}/context")
    assert '"language":"Go"' in text_of(context.contents[0])
    run = await client.read_resource(f"promptforge://optimizations/{record(site, overall_score=1)}")
    assert '"overall_score":10' in text_of(run.contents[0])
    version = await client.read_resource(f"promptforge://prompts/{prompt['id']}/versions/1")
    assert '"content":"Explain {concept} to {whom}."' in text_of(version.contents[0])
    for missing in (
        f"promptforge://prompts/{prompt['id']}/versions/2",
        f"promptforge://prompts/{NOWHERE}/versions/x",
        f"promptforge://optimizations/{NOWHERE}",
        f"promptforge://projects/{NOWHERE}/context",
    ):
        with pytest.raises(MCPError, match="not found"):
            await client.read_resource(missing)

    page = await client.list_prompts()
    listed_prompts = list(page.prompts)
    while page.next_cursor:
        page = await client.list_prompts(cursor=page.next_cursor)
        listed_prompts += page.prompts
    (found,) = (item for item in listed_prompts if item.name == prompt["id"])
    assert [argument.name for argument in found.arguments or []] == ["concept", "whom"]
    filled = await client.get_prompt(prompt["id"], {"concept": "tides"})
    assert text_of(filled.messages[0].content) == "Explain tides to {whom}."
    with pytest.raises(MCPError, match="Prompt not found"):
        await client.get_prompt(NOWHERE)
    with pytest.raises(MCPError, match="it has: concept, whom"):
        await client.get_prompt(prompt["id"], {"topic": "x"})


def test_every_tool_resource_and_prompt_over_http(site: Site) -> None:
    over_http(lambda client: every_tool(client, site, "by http"), site.mcp_address, TOKEN)
    over_http(lambda client: resources_and_prompts(client, site, "more by http"), site.mcp_address, TOKEN)


def test_every_tool_resource_and_prompt_over_stdio(site: Site) -> None:
    async def calls(client: Client) -> None:
        await every_tool(client, site, "by stdio")
        await resources_and_prompts(client, site, "more by stdio")

    over_stdio(calls, **site.variables)


def test_health_says_whether_it_is_served(site: Site) -> None:
    assert site.api.send("GET", "/api/health").json["mcp_connected"] is True


def test_many_calls_leave_no_connection_open(site: Site) -> None:
    def open_files() -> list[str]:
        tasks = Path(f"/proc/{os.getpid()}/task")
        children = {pid for task in tasks.iterdir() for pid in (task / "children").read_text().split()}
        places = [
            Path(f"/proc/{pid}") for pid in children if b"manage.py\0mcp" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]
        assert len(places) == 1
        return [str(link.readlink()) for link in (places[0] / "fd").iterdir() if link.is_symlink()]

    async def calls(client: Client) -> None:
        project = await good(client, "create_project", name="many calls")
        before = len(open_files())
        for number in range(60):
            await good(client, "add_prompt", project_id=project["id"], content=f"prompt {number}")
            await good(client, "list_projects")
        files = open_files()
        assert not [file for file in files if "new.db" in file]
        assert len(files) <= before + 2

    over_stdio(calls, **site.variables)


def test_tokens_and_scopes_are_those_of_the_api(site: Site) -> None:
    assert status_of(site.mcp_address) == 401
    assert status_of(site.mcp_address, Authorization="Bearer wrong") == 401
    assert status_of(site.mcp_address, Authorization=f"Bearer {TOKEN}", Host="evil.example") == 421

    async def reads_only(client: Client) -> None:
        await good(client, "list_projects")
        for tool, arguments in (("create_project", {"name": "x"}), ("delete", {"optimization_id": NOWHERE})):
            assert "needs the scope 'write'" in await refused(client, tool, **arguments)

    over_http(reads_only, site.mcp_address, site.token("read"))
    statuses = [status_of(site.mcp_address, Authorization="Bearer guess") for _ in range(61)]
    assert statuses[-1] == 429
    over_http(lambda client: good(client, "list_projects"), site.mcp_address, TOKEN)


def test_a_write_by_mcp_and_one_by_the_api_leave_the_same(site: Site) -> None:
    """Rows, versions and entries of the change log differ in ids, times and door only."""

    async def by_mcp(client: Client) -> str:
        project = await good(client, "create_project", name="same mcp", description="d")
        prompt = await good(client, "add_prompt", project_id=project["id"], content="one")
        await good(client, "update_prompt", prompt_id=prompt["id"], content="two")
        return str(project["id"])

    def by_api() -> str:
        project = site.api.send("POST", "/api/projects", {"name": "same api", "description": "d"}).json["id"]
        prompts = f"/api/projects/{project}/prompts"
        prompt = site.api.send("POST", prompts, {"content": "one"}).json["id"]
        assert site.api.send("PUT", f"{prompts}/{prompt}", {"content": "two"}).status == 200
        return str(project)

    def left(project: str) -> list[Any]:
        of_project = f"(SELECT id FROM prompts WHERE project_id = '{project}')"
        log = site.rows(
            "SELECT action, object_repr, changes, by FROM promptadmin_logentry "
            f"WHERE object_pk = '{project}' OR object_pk IN {of_project} ORDER BY id"
        )
        return [
            site.rows(f"SELECT description, status, context_profile FROM projects WHERE id = '{project}'"),
            site.rows(f"SELECT content, version, order_index FROM prompts WHERE project_id = '{project}'"),
            site.rows(f"SELECT content, version, optimization_id FROM prompt_versions WHERE prompt_id IN {of_project}"),
            [tuple(str(value).replace("same api", "same mcp") for value in entry) for entry in log],
        ]

    mcp_project, api_project = over_http(by_mcp, site.mcp_address, TOKEN), by_api()
    assert left(mcp_project) == left(api_project)
    assert len(left(mcp_project)[-1]) == 3
    doors = site.rows(
        f"SELECT DISTINCT door FROM promptadmin_logentry "
        f"WHERE object_pk IN ('{mcp_project}', '{api_project}') ORDER BY 1"
    )
    assert doors == [("API",), ("MCP",)]
