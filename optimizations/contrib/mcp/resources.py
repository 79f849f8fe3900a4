"""Resources: what an agent reads by its address. Prompts: the stored ones, as an agent's user picks them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import mcp_types as types
from django.apps import apps

from optimizations.contrib.mcp import shapes
from optimizations.contrib.mcp.placeholders import fill_in, placeholders
from optimizations.repository import OptimizationRepository
from projects.api.inputs import storable
from projects.records import PromptRecord
from projects.repository import ProjectRepository
from projects.texts.forms import composed
from promptadmin.db.fields import LARGEST_INTEGER
from promptadmin.errors import Invalid, NotFound
from promptadmin.http.responses import to_json

ALL = 100
PROMPTS_A_PAGE = 100
TITLE_LENGTH = 80


def read_projects() -> str:
    """The first hundred projects that aren't deleted."""
    found = ProjectRepository().list_projects(limit=ALL)
    items = [shapes.project(item, prompt_count=item.prompt_count) for item in found.items]
    return to_json(shapes.page(items, found.total, 0)).decode()


def read_context(project_id: str) -> str:
    """A project's context profile."""
    found = ProjectRepository().get_project(project_id=project_id)
    return to_json(shapes.project_with_context(found)).decode()


def read_version(prompt_id: str, version: str) -> str:
    """A prompt with the text of one version."""
    number = int(version) if version.isascii() and version.isdigit() else 0
    if not 0 < number <= LARGEST_INTEGER:
        raise NotFound("Version not found")
    return to_json(shapes.prompt(find_version(prompt_id, number))).decode()


def find_version(prompt_id: str, version: int | None) -> PromptRecord:
    """A prompt with the text of a version, or of the current one. Raises NotFound."""
    repository = ProjectRepository()
    found = repository.get_prompt(prompt_id=prompt_id)
    if version is None:
        return found
    return found._replace(version=version, content=repository.get_version(prompt_id=prompt_id, version=version).content)


def read_run(optimization_id: str) -> str:
    """A run, with scores from 1 to 10."""
    return to_json(shapes.run(OptimizationRepository().get_run(optimization_id))).decode()


#: Address → (what reads it, name, description).
RESOURCES: dict[str, tuple[Callable[..., str], str, str]] = {
    "promptforge://projects": (read_projects, "projects", "Projects that aren't deleted."),
    "promptforge://projects/{project_id}/context": (read_context, "project context", "A project's context profile."),
    "promptforge://prompts/{prompt_id}/versions/{version}": (read_version, "version", "A version of a prompt."),
    "promptforge://optimizations/{optimization_id}": (read_run, "optimization", "One optimisation run."),
}


def list_prompts(after: str) -> types.ListPromptsResult:
    """A page of the stored prompts: named ones by name, then, by id, those without a name of active projects or none.

    A cursor says where the page before ended, and among which of the two.
    """
    _expect_storable(after)
    kind, _, last = after.partition(":")
    listed: list[types.Prompt] = []
    if _has_names() and kind != "id":
        from optimizations.contrib.mcp.named_prompts import list_named

        listed, next_name = list_named(last, PROMPTS_A_PAGE)
        if next_name is not None:
            return types.ListPromptsResult(prompts=listed, next_cursor=f"name:{next_name}")
        last = ""
    found = ProjectRepository().list_active_prompts(limit=PROMPTS_A_PAGE, after=last)
    cursor = f"id:{found[-1][0].id}" if len(found) == PROMPTS_A_PAGE else None
    named = _with_names([row.id for row, _ in found])
    listed += [_described(row, project) for row, project in found if row.id not in named]
    return types.ListPromptsResult(prompts=listed, next_cursor=cursor)


def get_prompt(name: str, arguments: Mapping[str, str]) -> types.GetPromptResult:
    """A prompt by its name, or the current text of one by its id, filled in.

    Raises NotFound, Invalid for an argument that it hasn't.
    """
    _expect_storable(name, *arguments.values())
    if _has_names():
        from optimizations.contrib.mcp.named_prompts import get_named

        if named := get_named(name, arguments):
            return named
    found = ProjectRepository().get_prompt(prompt_id=name)
    names = placeholders(found.content)
    given = {composed(name): value for name, value in arguments.items()}
    if unknown := sorted(given.keys() - set(names)):
        raise Invalid(f"This prompt has no argument {unknown[0]!r}; it has: {', '.join(names) or 'none'}")
    text = fill_in(found.content, given)
    message = types.PromptMessage(role="user", content=types.TextContent(type="text", text=text))
    return types.GetPromptResult(description=f"Version {found.version}", messages=[message])


def _has_names() -> bool:
    return apps.is_installed("projects.contrib.registry")


def _with_names(prompt_ids: list[str]) -> set[str]:
    """Which of these prompts have a name."""
    if not _has_names():
        return set()
    from optimizations.contrib.mcp.named_prompts import with_names

    return with_names(prompt_ids)


def _expect_storable(*texts: str) -> None:
    try:
        storable(list(texts))
    except ValueError as error:
        raise Invalid(str(error)) from error


def _described(row: PromptRecord, project_name: str | None) -> types.Prompt:
    arguments: list[Any] = [types.PromptArgument(name=name, required=False) for name in placeholders(row.content)]
    title = " ".join(row.content.split())[:TITLE_LENGTH]
    description = f"{'no project' if project_name is None else project_name}, version {row.version}"
    return types.Prompt(name=row.id, title=title, description=description, arguments=arguments)
