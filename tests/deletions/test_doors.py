"""Deletions at the doors of programs: what stands in their way is told, and what they took comes back.

Neither the API nor MCP restores: PromptForge's programs know nothing of it. The back-office and the command do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from mcp.server.mcpserver.exceptions import ToolError
from pytest_django import Settings

from optimizations.contrib.mcp.server import build_server
from optimizations.models import Optimization
from projects.models import Project, Prompt
from promptadmin.models import Deletion
from tests.projects.making import make_project, make_prompt, make_run

pytestmark = pytest.mark.django_db(transaction=True)
TABLES = ("projects", "prompts", "optimizations")


@pytest.fixture
def api(client: Client, settings: Settings) -> Client:
    settings.API_AUTH_TOKEN = "secret"
    client.defaults["HTTP_AUTHORIZATION"] = "Bearer secret"
    return client


@pytest.fixture
def referred_to() -> Iterator[Optimization]:
    """A run that a row of a plugin refers to, which is switched off."""
    run = make_run(make_prompt(make_project(name="kept")))
    with connection.cursor() as cursor:
        cursor.execute('CREATE TABLE remarks (id INTEGER, "row" TEXT REFERENCES optimizations (id))')
        cursor.execute('INSERT INTO remarks (id, "row") VALUES (1, %s)', [run.id])
    yield run
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE remarks")


def call(tool: str, **arguments: Any) -> Any:
    return asyncio.run(build_server().call_tool(tool, arguments))


def everything() -> list[list[tuple[Any, ...]]]:
    found = []
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT * FROM {table} ORDER BY id")
            found.append(cursor.fetchall())
    return found


def test_a_plugins_rows_in_the_way_are_told_at_each_door(api: Client, referred_to: Optimization) -> None:
    prompt = Prompt.objects.get()
    project, before = f"/api/projects/{prompt.project_id}", everything()
    for address in (f"/api/history/{referred_to.id}", f"{project}/prompts/{prompt.id}", project):
        answer = api.delete(address)
        assert answer.status_code == 409, answer.content
        assert answer.json()["detail"].startswith("The table remarks has rows that refer")
    body = {"ids": [referred_to.id]}
    assert api.post("/api/history/bulk-delete", body, "application/json").status_code == 409
    assert api.delete("/api/history/all", headers={"X-Confirm-Delete": "yes"}).status_code == 409
    for tool, arguments in (("delete", {"optimization_id": referred_to.id}), ("bulk_delete", body)):
        with pytest.raises(ToolError, match="The table remarks has rows that refer"):
            call(tool, **arguments)
    assert everything() == before
    assert not Deletion.objects.exists()


def test_what_programs_delete_can_be_restored(api: Client) -> None:
    prompt = make_prompt(make_project(name="comes back"))
    runs = [make_run(prompt) for _ in range(3)]
    project, before = Project.objects.get(), everything()
    deletes: tuple[Callable[[], Any], ...] = (
        lambda: api.delete(f"/api/history/{runs[0].id}"),
        lambda: api.delete(f"/api/projects/{project.id}/prompts/{prompt.id}"),
        lambda: api.delete(f"/api/projects/{project.id}"),
        lambda: api.delete("/api/history/all", headers={"X-Confirm-Delete": "yes"}),
        lambda: call("delete", optimization_id=runs[0].id),
        lambda: call("bulk_delete", ids=[run.id for run in runs]),
    )
    for delete in deletes:
        delete()
        assert everything() != before
        call_command("restore_deleted", str(Deletion.objects.get().pk))
        assert everything() == before
