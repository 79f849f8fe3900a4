"""Named prompts over MCP, with the SDK's own client against a real server: lists, labels, arguments, limited tokens."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from mcp.client.client import Client
from mcp.shared.exceptions import MCPError

from tests.api.requests_to import JsonClient
from tests.optimizations.contrib.mcp_clients import over_http, over_stdio
from tests.optimizations.contrib.test_mcp import TOKEN, Site, status_of, text_of
from tests.support.servers import START_SECONDS, serving
from tests.support.services import needs_postgresql, postgresql_database

PLUGINS = "projects,optimizations,registry,mcp"
REFUND = "support/refund"
CHAT = [
    {"role": "system", "content": "You help {{shop}}."},
    {"type": "placeholder", "name": "history"},
    {"role": "assistant", "content": "Hello"},
    {"role": "user", "content": "{{label}} {{label_}}"},
]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=needs_postgresql)])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("mcp")
    with ExitStack() as stack:
        url = f"sqlite:///{directory / 'new.db'}"
        if request.param == "postgresql":
            url = stack.enter_context(postgresql_database())
        ours: dict[str, Any] = {"PROMPTADMIN_PLUGINS": PLUGINS, "AUTH_TOKEN": TOKEN, "PROMPTADMIN_FETCH_SECONDS": "1"}
        served = stack.enter_context(serving(directory, url, "--mcp", **ours))
        site = Site(served.address, directory)
        site.variables |= {"DATABASE_URL": url, "PROMPTADMIN_PLUGINS": PLUGINS}
        deadline = time.monotonic() + START_SECONDS
        while status_of(site.mcp_address) != 401:
            assert time.monotonic() < deadline, (directory / "serve.log").read_text()
            time.sleep(0.1)
        fill(site.api)
        yield site
        site.api.close()


def fill(api: JsonClient) -> None:
    """One prompt with two versions, a chat without production, one in another folder, and one without a name."""
    tone = {"name": "tone", "default": "kindly", "description": "How it answers."}
    first = {"text": "Answer {{customer}} {{tone}}.", "variables": [tone], "labels": ["production"]}
    for name, body in (
        (REFUND, first),
        (REFUND, {"text": "Answer {{customer}}, v2.", "labels": ["staging"]}),
        ("support/chat", {"messages": CHAT, "description": "For the shop."}),
        ("sales/offer", {"text": "Offer {{thing}}.", "labels": ["production"]}),
    ):
        assert api.send("PUT", f"/api/prompts/{name}", body).status in (200, 201)
    project = api.send("POST", "/api/projects", {"name": "p"}).json["id"]
    assert api.send("POST", f"/api/projects/{project}/prompts", {"content": "Explain {topic}."}).status == 201


async def listed(client: Client) -> dict[str, Any]:
    """All prompts by name, in their order."""
    page = await client.list_prompts()
    found = list(page.prompts)
    while page.next_cursor:
        page = await client.list_prompts(cursor=page.next_cursor)
        found += page.prompts
    assert len({one.name for one in found}) == len(found)
    return {one.name: one for one in found}


async def said(client: Client, name: str, **arguments: str) -> list[tuple[str, str]]:
    """The messages of a prompt."""
    answer = await client.get_prompt(name, arguments)
    return [(message.role, text_of(message.content)) for message in answer.messages]


async def names_and_labels(client: Client) -> None:
    found = await listed(client)
    ours = [name for name in found if name.startswith(("sales/", "support/"))]
    assert ours == ["sales/offer", "support/chat", REFUND]
    (unnamed,) = (one for one in found.values() if one.title == "Explain {topic}.")
    assert await said(client, unnamed.name, topic="tides") == [("user", "Explain tides.")]
    arguments = {one.name: one.description or "" for one in found[REFUND].arguments}
    assert list(arguments) == ["tone", "customer", "label", "version"]
    assert arguments["tone"] == "How it answers. Without it, 'kindly'."
    assert arguments["label"] == "One of production, staging, latest. Without one, production."
    assert [one.name for one in found["support/chat"].arguments] == [
        *("shop", "label_", "label__", "history", "label", "version")
    ]
    assert found["support/chat"].description == "For the shop."
    assert "no production" in found["support/chat"].arguments[-2].description

    assert await said(client, REFUND) == [("user", "Answer {{customer}} kindly.")]
    assert await said(client, REFUND, customer="{{tone}}", tone="", label="") == [("user", "Answer {{tone}} .")]
    for chosen in ({"label": "staging"}, {"label": "latest"}, {"version": "2"}):
        assert await said(client, "SUPPORT/refund", customer="Ana", **chosen) == [("user", "Answer Ana, v2.")]
    assert (await client.get_prompt(REFUND)).description == "Version 1, production"
    chat = {"shop": "Foo", "label_": "one", "label__": "two"}
    told = [("user", "You help Foo."), ("assistant", "Hello"), ("user", "one two")]
    assert await said(client, "support/chat", label="latest", **chat) == told
    told.insert(1, ("user", "Before"))
    assert await said(client, "support/chat", label="latest", history="Before", **chat) == told

    for name, arguments, words in (
        (REFUND, {"topic": "x"}, "no argument 'topic'; it has: tone, customer, label, version"),
        (REFUND, {"label": "nowhere"}, "no label 'nowhere': there are production, staging, latest"),
        (REFUND, {"version": "3"}, "no version 3"),
        (REFUND, {"version": "x"}, "A version is a number"),
        (REFUND, {"version": "1", "label": "staging"}, "asked for alone"),
        (REFUND, {"customer": "\0"}, "NUL"),
        ("support/chat", {}, "no label 'production': there are latest"),
        ("support/none", {}, "Prompt not found"),
        ("no\0ne", {}, "NUL"),
    ):
        with pytest.raises(MCPError, match=words):
            await client.get_prompt(name, arguments)


def test_named_prompts_over_http_and_stdio(site: Site) -> None:
    over_http(names_and_labels, site.mcp_address, TOKEN)
    over_stdio(names_and_labels, **site.variables)


def test_a_limited_token_sees_and_gets_its_own_alone(site: Site) -> None:
    async def calls(client: Client) -> None:
        assert list(await listed(client)) == ["support/chat", REFUND]
        assert await said(client, REFUND, customer="Ana", label="staging") == [("user", "Answer Ana, v2.")]
        with pytest.raises(MCPError, match="Prompt not found"):
            await client.get_prompt("sales/offer")

    limited = site.token("read", prefix="support/")
    over_http(calls, site.mcp_address, limited)


def test_a_moved_label_is_seen_at_once_and_fetches_are_counted(site: Site) -> None:
    name = "moved/prompt"
    for text in ("one", "two"):
        site.api.send("PUT", f"/api/prompts/{name}", {"text": text})

    async def calls(client: Client) -> None:
        for version, text in ((1, "one"), (2, "two"), (1, "one")):
            moved = site.api.send("PUT", f"/api/prompts/{name}/labels/production", {"version": version})
            assert moved.status == 200, moved
            assert await said(client, name) == [("user", text)]

    over_http(calls, site.mcp_address, TOKEN)
    deadline = time.monotonic() + 20
    while site.api.send("GET", f"/api/prompts/{name}/usage").json["count"] != 3:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_lists_of_many_go_on_where_they_ended(site: Site) -> None:
    names = [f"many/{number:03}" for number in range(101)]
    project = site.api.send("POST", "/api/projects", {"name": "many"}).json["id"]
    for name in names:
        site.api.send("PUT", f"/api/prompts/{name}", {"text": name, "project": "many"})
        site.api.send("POST", f"/api/projects/{project}/prompts", {"content": f"Unnamed {name}"})

    async def calls(client: Client) -> None:
        found = await listed(client)
        assert [name for name in found if name.startswith("many/")] == names
        assert len([one for one in found.values() if (one.title or "").startswith("Unnamed")]) == 101

    over_http(calls, site.mcp_address, TOKEN)
