"""One table of mutations, through each door: the API, the admin's forms and MCP leave the same and refuse the same."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any, Protocol

import pytest
from django.contrib.auth.models import User
from django.test import Client
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError

from optimizations.contrib.mcp.server import build_server
from optimizations.models import Optimization
from projects.models import Project, Prompt, PromptVersion
from promptadmin.models import LogEntry
from tests.projects.making import NO_MEMBERS, make_project, make_prompt, make_run

pytestmark = pytest.mark.django_db(transaction=True)


class Door(Protocol):
    """Each method answers what was refused, or an empty text."""

    def create_project(self, name: str) -> str: ...
    def describe(self, project: Project, language: str) -> str: ...
    def add_prompt(self, project: Project, content: str) -> str: ...
    def edit_prompt(self, prompt: Prompt, content: str) -> str: ...
    def add_tag(self, run: Optimization, tag: str) -> str: ...
    def move_run(self, run: Optimization, project: str) -> str: ...
    def delete_run(self, run: Optimization) -> str: ...


class Api:
    def __init__(self) -> None:
        self.client = signed_in()

    def _send(self, method: str, path: str, **data: Any) -> str:
        answer = self.client.generic(method, path, _json(data), content_type="application/json")
        assert answer.status_code < 500
        return "" if answer.status_code < 300 else answer.content.decode()

    def create_project(self, name: str) -> str:
        return self._send("POST", "/api/projects", name=name)

    def describe(self, project: Project, language: str) -> str:
        return self._send("PUT", f"/api/projects/{project.id}", context_profile={"language": language})

    def add_prompt(self, project: Project, content: str) -> str:
        return self._send("POST", f"/api/projects/{project.id}/prompts", content=content)

    def edit_prompt(self, prompt: Prompt, content: str) -> str:
        return self._send("PUT", f"/api/projects/{prompt.project_id}/prompts/{prompt.id}", content=content)

    def add_tag(self, run: Optimization, tag: str) -> str:
        return self._send("PUT", f"/api/optimizations/{run.id}/tags", add=[tag])

    def move_run(self, run: Optimization, project: str) -> str:
        return self._send("PUT", f"/api/optimizations/{run.id}/tags", project=project)

    def delete_run(self, run: Optimization) -> str:
        return self._send("DELETE", f"/api/history/{run.id}")


class Admin:
    def __init__(self) -> None:
        self.client = signed_in()

    def _form(self, address: str, **fields: Any) -> str:
        answer = self.client.post(f"/admin/{address}", fields)
        assert answer.status_code < 500
        return "" if answer.status_code == 302 else answer.content.decode()

    def _act(self, run: Optimization, action: str, done: str, **fields: str) -> str:
        data = {"action": action, "_selected_action": [run.pk], "confirmed": "yes", **fields}
        page = self.client.post("/admin/optimizations/optimization/", data, follow=True).content.decode()
        return "" if re.search(done, page) else page

    def create_project(self, name: str) -> str:
        return self._form("projects/project/add/", name=name, description="")

    def describe(self, project: Project, language: str) -> str:
        address = f"/admin/projects/project/{project.id}/change/"
        state = re.search(r'name="read_state" value="([^"]*)"', self.client.get(address).content.decode())
        fields = {"name": project.name, "description": "", "context_language": language, **NO_MEMBERS}
        return self._form(address.removeprefix("/admin/"), read_state=state.group(1) if state else "", **fields)

    def add_prompt(self, project: Project, content: str) -> str:
        return self._form("projects/prompt/add/", project=project.id, content=content)

    def edit_prompt(self, prompt: Prompt, content: str) -> str:
        return self._form(f"projects/prompt/{prompt.id}/change/", content=content, read_version=prompt.version)

    def add_tag(self, run: Optimization, tag: str) -> str:
        return self._act(run, "tag", "Changed 1 run", add=tag)

    def move_run(self, run: Optimization, project: str) -> str:
        return self._act(run, "move", "Changed 1 run", project=project)

    def delete_run(self, run: Optimization) -> str:
        return self._act(run, "delete_runs", "Deleted 1 run")


class Mcp:
    def __init__(self) -> None:
        self.server = build_server()

    def _call(self, tool: str, **arguments: Any) -> str:
        try:
            asyncio.run(self.server.call_tool(tool, arguments))
        except UnexpectedToolError:
            raise
        except ToolError as error:
            return str(error)
        return ""

    def create_project(self, name: str) -> str:
        return self._call("create_project", name=name)

    def describe(self, project: Project, language: str) -> str:
        return self._call("set_project_context", project_id=project.id, context_profile={"language": language})

    def add_prompt(self, project: Project, content: str) -> str:
        return self._call("add_prompt", project_id=project.id, content=content)

    def edit_prompt(self, prompt: Prompt, content: str) -> str:
        return self._call("update_prompt", prompt_id=prompt.id, content=content)

    def add_tag(self, run: Optimization, tag: str) -> str:
        return self._call("tag", optimization_id=run.id, add_tags=[tag])

    def move_run(self, run: Optimization, project: str) -> str:
        return self._call("tag", optimization_id=run.id, project=project)

    def delete_run(self, run: Optimization) -> str:
        return self._call("delete", optimization_id=run.id)


def _json(data: dict[str, Any]) -> str:
    from promptadmin.http.responses import to_json

    return to_json(data).decode()


def signed_in() -> Client:
    client = Client()
    client.force_login(User.objects.get_or_create(username="root", is_staff=True, is_superuser=True)[0])
    return client


class Rows:
    """What each mutation starts from."""

    def __init__(self) -> None:
        self.active = make_project(name="active")
        self.archived = make_project(name="archived", status="archived")
        make_project(name="deleted", status="deleted")
        self.prompt = make_prompt(self.active, "one", order_index=0)
        self.frozen = make_prompt(self.archived, "frozen", order_index=0)
        self.run = make_run(self.prompt, raw_prompt="one", project="active", tags='["old"]')


TABLES: tuple[Any, ...] = (PromptVersion, Optimization, Prompt, Project, LogEntry)
Mutation = Callable[[Door, Rows], str]

#: Mutation → what it is refused with; nothing where it goes through.
TABLE: dict[str, tuple[Mutation, str]] = {
    "new project": (lambda door, rows: door.create_project(" new "), ""),
    "deleted project comes back": (lambda door, rows: door.create_project("deleted"), ""),
    "taken name": (lambda door, rows: door.create_project("active"), "already exists"),
    "name of an archived project": (lambda door, rows: door.create_project("archived"), "already exists"),
    "blank name": (lambda door, rows: door.create_project("  "), "empty|required"),
    "context": (lambda door, rows: door.describe(rows.active, "Go"), ""),
    "context of an archived project": (
        lambda door, rows: door.describe(rows.archived, "Go"),
        "archived|403|Forbidden|be changed any more",
    ),
    "new prompt": (lambda door, rows: door.add_prompt(rows.active, "two"), ""),
    "same prompt twice": (lambda door, rows: door.add_prompt(rows.active, "one"), ""),
    "blank prompt": (lambda door, rows: door.add_prompt(rows.active, " \t"), "empty|required"),
    "prompt in an archived project": (lambda door, rows: door.add_prompt(rows.archived, "x"), "archived|valid choice"),
    "edit": (lambda door, rows: door.edit_prompt(rows.prompt, "two"), ""),
    "edit to the same text": (lambda door, rows: door.edit_prompt(rows.prompt, "one"), ""),
    "edit to a blank text": (lambda door, rows: door.edit_prompt(rows.prompt, " "), "empty|required"),
    "edit in an archived project": (
        lambda door, rows: door.edit_prompt(rows.frozen, "x"),
        "archived|403|Forbidden|be changed any more",
    ),
    "tag": (lambda door, rows: door.add_tag(rows.run, "new"), ""),
    "long tag": (lambda door, rows: door.add_tag(rows.run, "x" * 51), "50"),
    "move": (lambda door, rows: door.move_run(rows.run, "elsewhere"), ""),
    "move to an archived project": (lambda door, rows: door.move_run(rows.run, "archived"), "archived project"),
    "delete": (lambda door, rows: door.delete_run(rows.run), ""),
}


def left() -> list[Any]:
    """All rows and the change log, without ids, times and doors."""
    return [
        sorted(Project.objects.values_list("name", "status", "context_profile")),
        sorted(Prompt.objects.values_list("project__name", "content", "version", "order_index")),
        sorted(PromptVersion.objects.values_list("content", "version", "optimization__raw_prompt")),
        sorted(Optimization.objects.values_list("raw_prompt", "project", "tags", "prompt__project__name")),
        [
            (entry.content_type.model, entry.action, entry.object_repr, sorted(set(entry.changes) - {"prompt_id"}))
            for entry in LogEntry.objects.select_related("content_type").order_by("id")
            if entry.content_type.app_label in ("projects", "optimizations")
        ],
    ]


@pytest.mark.parametrize("name", TABLE)
def test_every_door_leaves_the_same_and_refuses_the_same(name: str) -> None:
    mutation, words = TABLE[name]
    results: dict[str, list[Any]] = {}
    for door in (Api(), Admin(), Mcp()):
        for model in TABLES:
            model.objects.all().delete()
        said = mutation(door, Rows())
        assert bool(said) == bool(words), (type(door).__name__, said[:3000])
        assert re.search(words, said), (type(door).__name__, said[:3000])
        results[type(door).__name__] = left()
    assert results["Admin"] == results["Api"]
    assert results["Mcp"] == results["Api"]
