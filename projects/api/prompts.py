"""The API of a project's prompts and their versions."""

from __future__ import annotations

from dataclasses import fields
from types import SimpleNamespace
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router, Status
from pydantic import AfterValidator

from projects.api.inputs import PROJECT_ID, PROMPT_ID, PromptCreateIn, PromptOrderIn, PromptUpdateIn, storable
from projects.api.schemas import (
    DeletedOut,
    FindingListOut,
    ForgeListOut,
    PromptListOut,
    PromptOrderOut,
    PromptOut,
    VersionDiffOut,
    VersionListOut,
    VersionOut,
)
from projects.models import Project
from projects.records import Page, ProjectDetail, PromptRecord, RunRecord, VersionRecord
from projects.repository import ProjectRepository
from promptadmin.api.app import errors
from promptadmin.api.etags import Resource, checks_if_match, text_tag, unless_known, with_etag
from promptadmin.api.extensions import extensions
from promptadmin.conf.limits import PAGE_ROWS
from promptadmin.db.fields import LARGEST_INTEGER
from promptadmin.http.responses import ready_json

router = Router()

# Every client's integer holds it and, times a page's length, every database's offset.

ProjectId = Annotated[str, AfterValidator(storable), Path(description="The project's id.", example=PROJECT_ID)]
PromptId = Annotated[str, AfterValidator(storable), Path(description="The prompt's id.", example=PROMPT_ID)]
Version = Annotated[int, Path(ge=1, le=LARGEST_INTEGER, description="A version; the current one too.", example=1)]
Limit = Annotated[int, Query(ge=1, le=PAGE_ROWS, example=20)]
Offset = Annotated[int, Query(ge=0, le=LARGEST_INTEGER, example=20)]
Force = Annotated[bool, Query(description="Also where programs fetched it in the last 7 days.", example=True)]


def version_tag(prompt: PromptRecord) -> str:
    """The ETag of a prompt stands for its version, so for its text: runs and the position change without it."""
    return f'"{prompt.version}"'


def project_text(project: ProjectDetail) -> bytes:
    """The JSON text that reading a project answers."""
    prompts = [_prompt(**prompt._asdict()) for prompt in project.prompts]
    return ready_json({**{field.name: getattr(project, field.name) for field in fields(project)}, "prompts": prompts})


def _prompt(run_count: int, latest_run: RunRecord | None, **values: Any) -> dict[str, Any]:
    return {**values, "forge_count": run_count, "latest_forge": latest_run and _latest(latest_run)}


def _latest(run: RunRecord) -> dict[str, Any]:
    return {
        "id": run.id,
        "title": run.title,
        "task_type": run.task_type,
        "complexity": run.complexity,
        "framework_applied": run.framework_applied,
        "overall_score": run.overall_score,
        "is_improvement": run.is_improvement,
        "tags": run.tags,
        "version": run.version,
    }


def extended(prompts: list[PromptRecord]) -> list[Any]:
    """The prompts, those that plugins say something of with that."""
    found = extensions("prompt_fields", [prompt.id for prompt in prompts])
    return [
        SimpleNamespace(**prompt._asdict(), extensions=found[prompt.id]) if prompt.id in found else prompt
        for prompt in prompts
    ]


def project_tag(project: ProjectDetail) -> str:
    """The ETag of a project stands for all that reading it answers."""
    return text_tag(project_text(project))


PROJECT = Resource(
    lambda project_id, **_: ProjectRepository().get_project(project_id=project_id),
    lock=(Project, "project_id"),
    tag=project_tag,
)
PROMPT = Resource(
    lambda project_id, prompt_id, **_: ProjectRepository().get_prompt(project_id=project_id, prompt_id=prompt_id),
    lock=(Project, "project_id"),  # whoever changes a prompt locks its project first
    tag=version_tag,
)


# Before the operations on one prompt: the first path that matches a request has it.
@router.put(
    "/reorder",
    response={200: PromptOrderOut, **errors(400, 404)},
    operation_id="reorder_prompts",
    summary="Put a project's prompts in order",
)
@checks_if_match(PROJECT)
def reorder_prompts(request: HttpRequest, project_id: ProjectId, data: PromptOrderIn) -> dict[str, Any]:
    """Takes the ids of all prompts of the project, each once; positions count from 0."""
    prompts = ProjectRepository().reorder_prompts(project_id=project_id, prompt_ids=data.prompt_ids)
    return {"message": "Prompts reordered", "prompts": prompts}


@router.post(
    "",
    response={201: PromptOut, **errors(404)},
    operation_id="add_prompt",
    summary="Add a prompt",
)
def add_prompt(
    request: HttpRequest, response: HttpResponse, project_id: ProjectId, data: PromptCreateIn
) -> Status[PromptRecord]:
    """Adds it after the project's last prompt, as version 1."""
    prompt = ProjectRepository().add_prompt(project_id=project_id, content=data.content)
    return Status(201, with_etag(response, prompt, version_tag))


@router.get(
    "",
    response={200: PromptListOut, **errors(404)},
    operation_id="list_prompts",
    summary="List a project's prompts",
)
def list_prompts(request: HttpRequest, project_id: ProjectId, limit: Limit = 20, offset: Offset = 0) -> Page[Any]:
    """In their order. In place of a project's id, `none` asks for the prompts that are in no project."""
    page = ProjectRepository().list_prompts(project_id=project_id, limit=limit, offset=offset)
    return Page(extended(page.items), page.total)


@router.get(
    "/{prompt_id}",
    response={200: PromptOut, 304: None, **errors(404)},
    operation_id="get_prompt",
    summary="Read a prompt",
)
def get_prompt(
    request: HttpRequest,
    response: HttpResponse,
    project_id: ProjectId,
    prompt_id: PromptId,
) -> Any:
    """The ETag stands for the version, so for the text: runs and the position change without it."""
    prompt = ProjectRepository().get_prompt(project_id=project_id, prompt_id=prompt_id)
    response["Cache-Control"] = "no-cache"
    found = unless_known(request, response, prompt, version_tag)
    return found if isinstance(found, Status) else extended([found])[0]


@router.put(
    "/{prompt_id}",
    response={200: PromptOut, **errors(404)},
    operation_id="update_prompt",
    summary="Edit a prompt",
)
@checks_if_match(PROMPT)
def update_prompt(
    request: HttpRequest,
    *,
    response: HttpResponse,
    project_id: ProjectId,
    prompt_id: PromptId,
    data: PromptUpdateIn,
) -> PromptRecord:
    """Another text becomes the next version, and the old one is kept; the same text moves only `updated_at`."""
    prompt = ProjectRepository().update_prompt(project_id=project_id, prompt_id=prompt_id, content=data.content)
    return with_etag(response, prompt, version_tag)


@router.delete(
    "/{prompt_id}",
    response={200: DeletedOut, **errors(404, 409)},
    operation_id="delete_prompt",
    summary="Delete a prompt",
)
@checks_if_match(PROMPT)
def delete_prompt(
    request: HttpRequest, project_id: ProjectId, prompt_id: PromptId, force: Force = False
) -> dict[str, Any]:
    """Deletes its versions and its runs with it. 409 where programs fetched it by name, unless with `force`."""
    deleted = ProjectRepository().delete_prompt(project_id=project_id, prompt_id=prompt_id, force=force)
    return {"message": "Prompt deleted", "id": prompt_id, "deleted_optimizations": deleted}


@router.get(
    "/{prompt_id}/findings",
    response={200: FindingListOut, **errors(404)},
    operation_id="list_prompt_findings",
    summary="Check a prompt's text",
)
def list_findings(request: HttpRequest, project_id: ProjectId, prompt_id: PromptId) -> dict[str, Any]:
    """What the checks of the enabled plugins say, by place in the text; nothing where no plugin has checks."""
    found = ProjectRepository().findings(project_id=project_id, prompt_id=prompt_id)
    return {"items": found, "total": len(found)}


@router.get(
    "/{prompt_id}/forges",
    response={200: ForgeListOut, **errors(404)},
    operation_id="list_prompt_forges",
    summary="List a prompt's runs",
)
def list_runs(
    request: HttpRequest, project_id: ProjectId, prompt_id: PromptId, limit: Limit = 20, offset: Offset = 0
) -> Page[Any]:
    """Newest first, of any status: those linked to it and, of those linked to none, those of its text and project."""
    return ProjectRepository().list_runs(project_id=project_id, prompt_id=prompt_id, limit=limit, offset=offset)


@router.get(
    "/{prompt_id}/versions",
    response={200: VersionListOut, **errors(404)},
    operation_id="list_prompt_versions",
    summary="List a prompt's superseded texts",
)
def list_versions(
    request: HttpRequest, project_id: ProjectId, prompt_id: PromptId, limit: Limit = 20, offset: Offset = 0
) -> Page[VersionRecord]:
    """Newest version first, without the current one."""
    return ProjectRepository().list_versions(project_id=project_id, prompt_id=prompt_id, limit=limit, offset=offset)


@router.get(
    "/{prompt_id}/versions/{version}",
    response={200: VersionOut, 304: None, **errors(404)},
    operation_id="get_prompt_version",
    summary="Read one version of a prompt",
)
def get_version(
    request: HttpRequest, response: HttpResponse, project_id: ProjectId, prompt_id: PromptId, version: Version
) -> VersionRecord | Status[None]:
    """The current text is a version too."""
    found = ProjectRepository().get_version(project_id=project_id, prompt_id=prompt_id, version=version)
    return unless_known(request, response, found)


@router.get(
    "/{prompt_id}/versions/{from_version}/diff/{to_version}",
    response={200: VersionDiffOut, **errors(404)},
    operation_id="diff_prompt_versions",
    summary="Compare two versions of a prompt",
)
def diff_versions(
    request: HttpRequest, project_id: ProjectId, prompt_id: PromptId, from_version: Version, to_version: Version
) -> dict[str, Any]:
    """In either direction; the current text is a version too."""
    found = ProjectRepository().diff_versions(
        project_id=project_id, prompt_id=prompt_id, old=from_version, new=to_version
    )
    return {
        "prompt_id": prompt_id,
        "from_version": from_version,
        "to_version": to_version,
        "diff": found.diff,
        "statistics": found,
    }


@router.post(
    "/{prompt_id}/versions/{version}/restore",
    response={200: PromptOut, **errors(404)},
    operation_id="restore_prompt_version",
    summary="Go back to an earlier text",
)
@checks_if_match(PROMPT)
def restore_version(
    request: HttpRequest,
    *,
    response: HttpResponse,
    project_id: ProjectId,
    prompt_id: PromptId,
    version: Version,
) -> PromptRecord:
    """The earlier text becomes the next version; nothing is lost, and no version changes."""
    prompt = ProjectRepository().restore_version(project_id=project_id, prompt_id=prompt_id, version=version)
    return with_etag(response, prompt, version_tag)
