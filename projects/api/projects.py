"""The API of projects; their prompts are in `prompt_api`."""

from __future__ import annotations

import datetime as dt
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Header, Query, Router, Status
from pydantic import AfterValidator

from projects.api.inputs import ProjectCreateIn, ProjectUpdateIn, storable
from projects.api.prompts import PROJECT, Force, ProjectId, project_tag, project_text
from projects.api.prompts import router as prompt_router
from projects.api.schemas import DeletedOut, ProjectListOut, ProjectOut, ProjectStatusOut
from projects.models import Project
from projects.records import ProjectDetail
from projects.repository import LEAVE, ProjectRepository
from promptadmin.api.app import errors
from promptadmin.api.etags import checks_if_match, is_known, text_tag, with_etag
from promptadmin.conf.limits import PAGE_ROWS
from promptadmin.db.fields import LARGEST_INTEGER
from promptadmin.http.responses import ready_text

router = Router(tags=["projects"])
router.add_router("/projects/{project_id}/prompts", prompt_router)


@router.get(
    "/projects",
    response={200: ProjectListOut, **errors()},
    operation_id="list_projects",
    summary="List projects",
)
def list_projects(
    request: HttpRequest,
    *,
    page: Annotated[int, Query(ge=1, le=LARGEST_INTEGER, example=1)] = 1,
    per_page: Annotated[int, Query(ge=1, le=PAGE_ROWS, example=20)] = 20,
    search: Annotated[
        str | None,
        AfterValidator(storable),
        Query(None, description="A part of the name or the description, whatever the case.", example="notes"),
    ] = None,
    status: Annotated[
        str | None,
        AfterValidator(storable),
        Query(None, description="active, archived or deleted; without it, all but the deleted.", example="active"),
    ] = None,
    sort: Annotated[
        str, Query(description="created_at, updated_at or name; anything else means created_at.", example="name")
    ] = "created_at",
    order: Annotated[Literal["asc", "desc"], Query(example="asc")] = "desc",
) -> dict[str, Any]:
    """A page of projects. Every sort ends with the id, so that pages never overlap."""
    found = ProjectRepository().list_projects(
        limit=per_page, offset=(page - 1) * per_page, search=search, status=status, sort=sort, order=order
    )
    return {"items": found.items, "total": found.total, "page": page, "per_page": per_page}


@router.post(
    "/projects",
    response={201: ProjectOut, **errors(409)},
    operation_id="create_project",
    summary="Create a project",
)
def create_project(request: HttpRequest, response: HttpResponse, data: ProjectCreateIn) -> Status[ProjectDetail]:
    """A deleted project of the same name comes back, with its id and this description and context."""
    return Status(201, with_etag(response, ProjectRepository().create_project(**data.model_dump()), project_tag))


@router.get(
    "/projects/{project_id}",
    response={200: ProjectOut, 304: None, **errors(404)},
    operation_id="get_project",
    summary="Read a project with its prompts",
)
def get_project(request: HttpRequest, project_id: ProjectId) -> HttpResponse:
    """An archived project is readable, a deleted one is not found."""
    text = project_text(ProjectRepository().get_project(project_id=project_id))
    headers = {"ETag": text_tag(text)}
    return (
        HttpResponse(status=304, headers=headers) if is_known(request, headers["ETag"]) else ready_text(text, headers)
    )


@router.put(
    "/projects/{project_id}",
    response={200: ProjectOut, **errors(404, 409)},
    operation_id="update_project",
    summary="Change a project",
)
@checks_if_match(PROJECT)
def update_project(
    request: HttpRequest,
    response: HttpResponse,
    project_id: ProjectId,
    data: ProjectUpdateIn,
    if_unmodified_since: Annotated[
        str | None,
        Header(
            alias="If-Unmodified-Since",
            description="An HTTP date: 409 if the project has changed since. Ignored if it can't be read.",
            example="Fri, 20 Mar 2026 09:30:00 GMT",
        ),
    ] = None,
) -> ProjectDetail:
    """Changes the fields that are given; `updated_at` moves in any case."""
    project = ProjectRepository().update_project(
        project_id=project_id,
        name=data.name,
        description=data.description,
        context_profile=data.context_profile if "context_profile" in data.model_fields_set else LEAVE,
        unmodified_since=_http_date(if_unmodified_since),
    )
    return with_etag(response, project, project_tag)


@router.delete(
    "/projects/{project_id}",
    response={200: DeletedOut, **errors(404, 409)},
    operation_id="delete_project",
    summary="Delete a project",
)
@checks_if_match(PROJECT)
def delete_project(request: HttpRequest, project_id: ProjectId, force: Force = False) -> dict[str, Any]:
    """Deletes its prompts, their versions and its runs; the project itself can be created again.

    409 where programs fetched a prompt of it by name, unless with `force`.
    """
    deleted = ProjectRepository().delete_project(project_id=project_id, force=force)
    return {"message": "Project deleted", "id": project_id, "deleted_optimizations": deleted}


@router.post(
    "/projects/{project_id}/archive",
    response={200: ProjectStatusOut, **errors(400, 404)},
    operation_id="archive_project",
    summary="Archive a project",
)
@checks_if_match(PROJECT)
def archive_project(request: HttpRequest, project_id: ProjectId) -> dict[str, Any]:
    """Makes it read-only: it can be read, deleted and unarchived."""
    return _status_answer("Project archived", ProjectRepository().archive_project(project_id=project_id))


@router.post(
    "/projects/{project_id}/unarchive",
    response={200: ProjectStatusOut, **errors(400, 404)},
    operation_id="unarchive_project",
    summary="Make an archived project active",
)
@checks_if_match(PROJECT)
def unarchive_project(request: HttpRequest, project_id: ProjectId) -> dict[str, Any]:
    """Makes it writable again."""
    return _status_answer("Project unarchived", ProjectRepository().unarchive_project(project_id=project_id))


def _status_answer(message: str, row: Project) -> dict[str, Any]:
    return {"message": message, "id": row.id, "status": row.status, "updated_at": row.updated_at.isoformat()}


def _http_date(text: str | None) -> dt.datetime | None:
    """The moment that a header means, or None where it means none."""
    try:
        moment = parsedate_to_datetime(text or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment
