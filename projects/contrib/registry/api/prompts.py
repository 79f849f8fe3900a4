"""Reading, compiling and writing prompts by name."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Annotated, Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import AfterValidator, BeforeValidator

from projects.api.inputs import storable
from projects.contrib.registry.api.schemas import (
    LABEL,
    NAME,
    REASON,
    TEXT,
    CompiledOut,
    CompileIn,
    Kind,
    NamedPromptListOut,
    NamedPromptOut,
    PromptIn,
    PromptName,
    PromptPatchIn,
    PromptSaveIn,
    SavedOut,
    UsageOut,
)
from projects.contrib.registry.api.shapes import as_message, prompt_shape, saved_shape, target_shape, text_of
from projects.contrib.registry.names import LATEST
from projects.contrib.registry.records import Resolved
from projects.contrib.registry.repository import RegistryRepository
from projects.contrib.registry.variables import compile_prompt
from projects.repository import LEAVE
from promptadmin.api.app import errors, opens_own_session
from promptadmin.api.auth import access
from promptadmin.api.etags import Resource, checks_if_match, is_known, text_tag
from promptadmin.db.fields import LARGEST_INTEGER, moment_of_text
from promptadmin.db.sessions import in_read_session
from promptadmin.http.responses import ready_json, ready_text

router = Router()

TextQuery = Annotated[str | None, AfterValidator(storable)]


def prompt_tag(found: Resolved) -> str:
    """The ETag of a prompt stands for all that reading it answers."""
    return text_tag(ready_json(prompt_shape(found)))


def _current(name: str, **_: Any) -> Resolved:
    repository = RegistryRepository()
    repository.lock_named(name)
    return repository.resolve(name=name, label=LATEST)


#: Its ETag is that of `GET …?label=latest`.
CURRENT = Resource(_current, lock=None, tag=prompt_tag)


@router.get(
    "/prompts",
    response={200: NamedPromptListOut, **errors()},
    operation_id="list_named_prompts",
    summary="List named prompts",
)
def list_named_prompts(
    request: HttpRequest,
    *,
    prefix: Annotated[TextQuery, Query(None, description="What names begin with.", example="support/")] = None,
    label: Annotated[TextQuery, Query(None, description="Those that have this label.", example=LABEL)] = None,
    tag: Annotated[TextQuery, Query(None, example="support")] = None,
    kind: Annotated[Kind | None, Query(None, example="text")] = None,
    search: Annotated[TextQuery, Query(None, description="A part of name or description.", example="refund")] = None,
    limit: Annotated[int, Query(ge=1, le=100, example=20)] = 20,
    cursor: Annotated[TextQuery, Query(None, description="An answer's `next_cursor`.", example=NAME)] = None,
) -> dict[str, Any]:
    """By name, in small letters, with the current version and where each label points."""
    repository = RegistryRepository()
    found = repository.list_names(
        prefix=prefix, label=label, tag=tag, kind=kind, search=search, limit=limit, after=cursor
    )
    fetched = repository.last_fetched([named.prompt_id for named, _ in found.items])
    return {
        "items": [
            {
                "id": named.prompt_id,
                **named._asdict(),
                "version": named.current,
                "labels": {label: target_shape(target) for label, target in labels.items()},
                "last_fetched_at": fetched.get(named.prompt_id),
            }
            for named, labels in found.items
        ],
        "next_cursor": found.next_cursor,
    }


@router.post(
    "/prompts/{path:name}/compile",
    response={200: CompiledOut, **errors(400, 404)},
    operation_id="compile_named_prompt",
    auth=access("read"),
    summary="Fill in a prompt's variables",
)
@opens_own_session
def compile_named_prompt(request: HttpRequest, name: PromptName, data: CompileIn) -> dict[str, Any]:
    """Values are data: what stands in them is never read as a variable. What has no value stays, and is listed."""
    repository = RegistryRepository()
    asked = {"name": name, "label": data.label, "version": data.version, "key": data.key}
    found = in_read_session(lambda: repository.fetch(**asked))  # a POST that changes nothing
    compiled = compile_prompt(
        text=found.text,
        kind=found.kind,
        template_format=found.template_format,
        declared=found.variables,
        values=data.values,
        placeholders={name: [as_message(one) for one in messages] for name, messages in data.placeholders.items()},
    )
    return {
        "name": found.name,
        "version": found.version,
        "text": compiled.text,
        "messages": compiled.messages,
        "missing": compiled.missing,
        "unused": compiled.unused,
    }


@router.post(
    "/prompts/{path:name}/versions",
    response={200: SavedOut, 201: SavedOut, **errors(400, 404, 409)},
    operation_id="add_named_prompt_version",
    openapi_extra={"requestBody": {"content": {"application/json": {"example": {"text": TEXT, "reason": REASON}}}}},
    summary="Add a version to a named prompt",
)
@checks_if_match(CURRENT)
def add_version(request: HttpRequest, name: PromptName, data: PromptIn) -> Status[dict[str, Any]]:
    """201 for a version; 200 where the content is the current one already. The prompt has to be there."""
    saved = RegistryRepository().save_version(name=name, **_content(data))
    return Status(200 if saved.outcome == "unchanged" else 201, saved_shape(saved))


@router.get(
    "/prompts/{path:name}/usage",
    response={200: UsageOut, **errors(404)},
    operation_id="get_named_prompt_usage",
    summary="See who fetches a prompt",
)
def get_usage(
    request: HttpRequest,
    name: PromptName,
    days: Annotated[int, Query(ge=1, le=366, description="How many days back, with today.", example=30)] = 30,
) -> dict[str, Any]:
    """By day, label, version and token, newest first. Fetches show some seconds after they are made."""
    found = RegistryRepository().list_fetches(name=name, days=days)
    return {
        "items": [asdict(one) for one in found],
        "count": sum(one.count for one in found),
        "last_fetched_at": max((one.last_at for one in found), default=None),
    }


@router.get(
    "/prompts/{path:name}",
    response={200: NamedPromptOut, 304: None, **errors(400, 404)},
    operation_id="get_named_prompt",
    summary="Fetch a prompt by name",
)
def get_named_prompt(
    request: HttpRequest,
    *,
    name: PromptName,
    label: Annotated[TextQuery, Query(None, description="Without it, production.", example=LABEL)] = None,
    version: Annotated[int | None, Query(None, ge=1, le=LARGEST_INTEGER, example=1)] = None,
    at: Annotated[
        dt.datetime | None,
        BeforeValidator(moment_of_text),
        Query(None, description="As the label stood at this moment.", example="2026-11-28T12:00:00Z"),
    ] = None,
    key: Annotated[
        TextQuery, Query(None, max_length=1000, description="Of a split, the same gets the same.", example="user-17")
    ] = None,
) -> HttpResponse:
    """The version that a label points to now or, with `at`, pointed to at a moment; or the one with a number.

    A name that the prompt had before is as good, while no other prompt has it. 404 names the labels that there are.
    """
    found = RegistryRepository().fetch(name=name, label=label, version=version, at=at, key=key)
    text = ready_json(prompt_shape(found))
    headers = {"ETag": text_tag(text), "Cache-Control": cache_control()}
    if is_known(request, headers["ETag"]):
        return HttpResponse(status=304, headers=headers)
    return ready_text(text, headers)


@router.put(
    "/prompts/{path:name}",
    response={200: SavedOut, 201: SavedOut, **errors(400, 404, 409)},
    operation_id="save_named_prompt",
    summary="Make sure that a prompt has this content",
)
@checks_if_match(CURRENT)
def save_named_prompt(request: HttpRequest, name: PromptName, data: PromptSaveIn) -> Status[dict[str, Any]]:
    """Makes a prompt (201), a version or nothing, and says which; labels point to the content afterwards.

    A label that wants a second person is asked for: `labels` says so. A new prompt's project is made, too, where it
    isn't there; who may not make it gets 403.
    """
    saved = RegistryRepository().save(
        name=name, description=data.description, tags=data.tags, project=data.project, **_content(data)
    )
    return Status(201 if saved.outcome == "created" else 200, saved_shape(saved))


@router.patch(
    "/prompts/{path:name}",
    response={200: NamedPromptOut, **errors(400, 404, 409)},
    operation_id="rename_named_prompt",
    summary="Rename a prompt, describe or tag it",
)
@checks_if_match(CURRENT)
def rename_named_prompt(request: HttpRequest, name: PromptName, data: PromptPatchIn) -> dict[str, Any]:
    """The former name leads to the prompt until another one takes it. The answer is the current version."""
    repository = RegistryRepository()
    found = repository.find(name)
    renamed = repository.give_name(
        prompt_id=found.prompt_id, name=data.name or found.name, description=data.description, tags=data.tags
    )
    return prompt_shape(repository.resolve(name=renamed.name, label=LATEST))


def cache_control() -> str:
    """For how long a fetched prompt may be kept; it is the caller's own, as tokens may differ in what they may read."""
    return f"private, max-age={settings.PROMPT_MAX_AGE}" if settings.PROMPT_MAX_AGE else "private, no-cache"


def _content(data: PromptIn) -> dict[str, Any]:
    given = data.model_fields_set
    declared = data.variables
    variables = None if declared is None else [variable.model_dump(exclude_none=True) for variable in declared]
    return {
        "text": text_of(data.text, data.messages),
        "kind": data.kind or ("chat" if data.messages else None),
        "template_format": data.template_format,
        "config": data.config if "config" in given else LEAVE,
        "variables": variables if "variables" in given else LEAVE,
        "reason": data.reason,
        "labels": data.labels,
    }
