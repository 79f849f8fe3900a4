"""Phoenix's clients: its REST API of prompts, where each version is a chat."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router, Schema, Status
from pydantic import AfterValidator, Field

from projects.api.inputs import Description, storable
from projects.contrib.clients.answers import fetched, waiting_words
from projects.contrib.clients.dotted import dotted, named
from projects.contrib.clients.phoenix_versions import (
    VersionIn,
    config_of,
    kind_and_text,
    template_format,
    version_shape,
)
from projects.contrib.registry.api.schemas import Reason
from projects.contrib.registry.names import LATEST
from projects.contrib.registry.records import Named, Resolved
from projects.contrib.registry.repository import RegistryRepository
from projects.contrib.registry.targets import Target
from promptadmin.errors import Invalid, NotFound
from promptadmin.http.responses import ready_answer

router = Router()
version_router = Router()

#: The release of Phoenix whose API of prompts this is: its client asks before it changes or deletes a prompt.
PHOENIX = "19.18.0"

Text = Annotated[str, AfterValidator(storable)]
Identifier = Annotated[Text, Path(max_length=1000)]


def error_body(status: int, detail: str) -> dict[str, str]:
    """An error as FastAPI says it, which Phoenix is built on."""
    return {"detail": detail}


class PromptDataIn(Schema):
    """What belongs to all versions."""

    name: Annotated[Text, Field(max_length=1000)]
    description: Description | None = None
    source_prompt_id: None = None
    metadata: dict[str, Any] | None = None


class CreateIn(Schema):
    """A prompt with a version."""

    prompt: PromptDataIn
    version: VersionIn


class PatchIn(Schema):
    """What shall be said of a prompt."""

    description: Description | None = None
    metadata: dict[str, Any] | None = None


class TagIn(Schema):
    """A label that shall point to a version, and why."""

    name: Text
    description: Reason | None = None


@version_router.get("", response=Any)
def get_phoenix_version(request: HttpRequest) -> HttpResponse:
    """As text."""
    return HttpResponse(PHOENIX, content_type="text/plain")


@router.get("/prompts")
def list_prompts(
    request: HttpRequest,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[Text | None, Query(None)] = None,
) -> dict[str, Any]:
    """By name."""
    page = RegistryRepository().list_names(limit=limit, after=cursor)
    return {"data": [_prompt(found) for found, _ in page.items], "next_cursor": page.next_cursor}


@router.post("/prompts", response=Any)
def create_version(request: HttpRequest, data: CreateIn) -> HttpResponse:
    """A prompt, or its next version. The current version's content makes none."""
    _refuse_metadata(data.prompt.metadata)
    repository = RegistryRepository()
    name = named(repository, data.prompt.name)
    try:
        before: Named | None = repository.find(name)
    except NotFound:
        before = None
    kind, text = kind_and_text(data.version, before)
    saved = repository.save(
        name=name,
        text=text,
        kind=kind,
        template_format=template_format(data.version),
        config=config_of(data.version),
        description=data.prompt.description,
        reason=data.version.description or "",
    )
    return ready_answer({"data": version_shape(saved.prompt)}, {})


@router.patch("/prompts/{identifier}")
def patch_prompt(request: HttpRequest, identifier: Identifier, data: PatchIn) -> dict[str, Any]:
    """Its description; null clears it."""
    _refuse_metadata(data.metadata)
    repository = RegistryRepository()
    found = _find(repository, identifier)
    if "description" in data.model_fields_set:
        found = repository.give_name(prompt_id=found.prompt_id, name=found.name, description=data.description or "")
    return {"data": _prompt(found)}


@router.delete("/prompts/{identifier}", response={204: None})
def delete_prompt(request: HttpRequest, identifier: Identifier) -> Status[None]:
    """The whole prompt."""
    repository = RegistryRepository()
    repository.prompts.delete_prompt(prompt_id=_find(repository, identifier).prompt_id)
    return Status(204, None)


@router.get("/prompts/{identifier}/latest", response=Any)
def get_latest(request: HttpRequest, identifier: Identifier) -> HttpResponse:
    """The current version."""
    return get_by_tag(request, identifier, LATEST)


@router.get("/prompts/{identifier}/tags/{tag}", response=Any)
def get_by_tag(request: HttpRequest, identifier: Identifier, tag: Text) -> HttpResponse:
    """The version that a label points to."""
    repository = RegistryRepository()
    found = repository.resolve(name=named(repository, identifier), label=tag)
    return fetched(request, {"data": version_shape(found)})


@router.get("/prompts/{identifier}/versions", response=Any)
def list_versions(
    request: HttpRequest,
    identifier: Identifier,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[int | None, Query(None, ge=1)] = None,
) -> HttpResponse:
    """Newest first."""
    repository = RegistryRepository()
    found = _find(repository, identifier)
    stored = repository.prompts.versions.filter(prompt_id=found.prompt_id).values_list("version", flat=True)
    numbers = sorted({*stored, found.current}, reverse=True)
    wanted = [number for number in numbers if cursor is None or number < cursor]
    page = wanted[:limit]
    return ready_answer(
        {
            "data": [version_shape(repository.resolve(name=found.name, version=number)) for number in page],
            "next_cursor": str(page[-1]) if len(wanted) > len(page) else None,
        },
        {},
    )


@router.get("/prompt_versions/{version_id}", response=Any)
def get_version(request: HttpRequest, version_id: Identifier) -> HttpResponse:
    """A version by its id."""
    return fetched(request, {"data": version_shape(_version(RegistryRepository(), version_id))})


@router.get("/prompt_versions/{version_id}/tags")
def list_tags(
    request: HttpRequest,
    version_id: Identifier,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[Text | None, Query(None)] = None,
) -> dict[str, Any]:
    """The labels that point to a version alone. They are few: there is one page."""
    found = _version(RegistryRepository(), version_id)
    labels = [label for label in found.labels if cursor is None or label > cursor]
    return {
        "data": [{"id": f"{found.id}.{label}", "name": label} for label in labels[:limit]],
        "next_cursor": labels[limit - 1] if len(labels) > limit else None,
    }


@router.post("/prompt_versions/{version_id}/tags", response={204: None})
def move_tag(request: HttpRequest, version_id: Identifier, data: TagIn) -> Any:
    """Move a label to a version; the description is the reason."""
    repository = RegistryRepository()
    found = _version(repository, version_id)
    moved = repository.move_label(
        name=found.name, label=data.name, target=Target.of(found.version), reason=data.description or ""
    )
    if words := waiting_words([moved]):  # no exception, which would undo the request
        return ready_answer(error_body(409, words), {}, 409)
    return Status(204, None)


def _find(repository: RegistryRepository, identifier: str) -> Named:
    """A prompt by its name or its id."""
    return repository.find(repository.name_of(identifier) or named(repository, identifier))


def _version(repository: RegistryRepository, version_id: str) -> Resolved:
    prompt_id, _, number = version_id.rpartition(".")
    name = repository.name_of(prompt_id) if number.isdecimal() and len(number) < 10 else None
    if name is None:
        raise NotFound(f"Prompt version not found: {version_id}")
    return repository.resolve(name=name, version=int(number))


def _prompt(found: Named) -> dict[str, Any]:
    return {"id": found.prompt_id, "name": dotted(found.name), "description": found.description, "metadata": {}}


def _refuse_metadata(metadata: dict[str, Any] | None) -> None:
    if metadata:
        raise Invalid("promptadmin keeps no metadata of prompts: leave it out, or use tags in the back-office")
