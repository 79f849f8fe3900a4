"""The tools on projects and their prompts."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from optimizations.contrib.mcp import shapes
from optimizations.contrib.mcp.arguments import (
    Content,
    Description,
    Key,
    Limit,
    Offset,
    Order,
    ProjectName,
    ProjectSort,
    Text,
    Whole,
)
from optimizations.contrib.mcp.registry import tool
from optimizations.contrib.mcp.resources import find_version
from projects.api.inputs import Context
from projects.repository import LEAVE, ProjectRepository
from promptadmin.db.fields import LARGEST_INTEGER


@tool("list_projects", "List projects")
def list_projects(
    *,
    status: Annotated[
        Text | None, Field(description="active, archived or deleted; without it, all but the deleted.")
    ] = None,
    search: Annotated[Text | None, Field(description="A part of the name or description, whatever the case.")] = None,
    limit: Limit = 20,
    offset: Offset = 0,
    sort: ProjectSort = "created_at",
    order: Order = "desc",
) -> dict[str, Any]:
    """Projects, a page at a time, with the number of their prompts."""
    found = ProjectRepository().list_projects(
        status=status, search=search, limit=limit, offset=offset, sort=sort, order=order
    )
    items = [shapes.project(item, prompt_count=item.prompt_count) for item in found.items]
    return shapes.page(items, found.total, offset)


@tool("get_project", "Read a project")
def get_project(project_id: Key) -> dict[str, Any]:
    """A project with its context profile and its prompts, in their order; also a deleted one."""
    found = ProjectRepository().get_project(project_id=project_id, deleted=True)
    return shapes.project_with_context(found, prompts=[shapes.prompt(item) for item in found.prompts])


@tool("get_prompt", "Read a prompt and its versions")
def get_prompt(
    *,
    prompt_id: Key,
    version: Annotated[
        int | None,
        Field(ge=1, le=LARGEST_INTEGER, description="The text of this version; without it, the current one."),
    ] = None,
    limit: Limit = 20,
    offset: Offset = 0,
    whole: Whole = False,
) -> dict[str, Any]:
    """A prompt's text, and a page of its versions, newest first, with the beginning of each."""
    history = ProjectRepository().list_history(prompt_id=prompt_id, limit=limit, offset=offset)
    versions = shapes.page([shapes.history_entry(entry) for entry in history.items], history.total, offset)
    shown = shapes.prompt(find_version(prompt_id, version), versions=versions)
    return dict(shown) if whole else shown


@tool("create_project", "Create a project", writes=True)
def create_project(
    name: ProjectName, description: Description | None = None, context_profile: Context | None = None
) -> dict[str, Any]:
    """A new project. A deleted one of this name comes back, with what it had where nothing else is given."""
    found = ProjectRepository().create_project(
        name=name,
        description=LEAVE if description is None else description,
        context_profile=LEAVE if context_profile is None else context_profile,
    )
    return shapes.project(found)


@tool("add_prompt", "Add a prompt", writes=True)
def add_prompt(project_id: Key, content: Content) -> dict[str, Any]:
    """Add a prompt after the last one of a project, as version 1. Archived projects take none."""
    return shapes.prompt(ProjectRepository().add_prompt(project_id=project_id, content=content))


@tool("update_prompt", "Edit a prompt", writes=True, repeatable=True)
def update_prompt(
    prompt_id: Key,
    content: Content,
    optimization_id: Annotated[Key | None, Field(description="The run that led to the new text.")] = None,
) -> dict[str, Any]:
    """Give a prompt another text, as its next version; the old text is kept under the old number."""
    found = ProjectRepository().update_prompt(prompt_id=prompt_id, content=content, optimization_id=optimization_id)
    return shapes.prompt(found)


@tool("set_project_context", "Describe a project's context", writes=True, destroys=True, repeatable=True)
def set_project_context(
    project_id: Key, context_profile: Annotated[Context | None, Field(description="null, or {}, clears it.")]
) -> dict[str, Any]:
    """Replace the whole context profile of a project; null clears it."""
    found = ProjectRepository().update_project(project_id=project_id, context_profile=context_profile)
    return shapes.project_with_context(found)
