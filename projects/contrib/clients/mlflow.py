"""MLflow's prompt registry, where a prompt is a registered model with tags that say so."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import AfterValidator, Field

from projects.api.inputs import storable
from projects.contrib.clients.answers import fetched, messages_of, waiting_words
from projects.contrib.clients.dotted import dotted, named
from projects.contrib.clients.mlflow_tags import (
    EXPERIMENTS,
    IS_PROMPT,
    PromptTags,
    config_of,
    prompt_tags,
    version_tags,
    with_tag,
)
from projects.contrib.clients.mlflow_tags import read_filter as read
from projects.contrib.registry.api.schemas import Reason
from projects.contrib.registry.names import LATEST, checked_name
from projects.contrib.registry.records import Named, Resolved
from projects.contrib.registry.repository import RegistryRepository
from projects.contrib.registry.targets import Target
from promptadmin.api.auth import admit
from promptadmin.db.fields import LARGEST_INTEGER
from promptadmin.errors import Conflict, Invalid, NotFound
from promptadmin.http.responses import ready_answer
from promptadmin.plugins import token_access

router = Router()

CODES = {
    400: "INVALID_PARAMETER_VALUE",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    409: "RESOURCE_CONFLICT",
    429: "REQUEST_LIMIT_EXCEEDED",
    503: "TEMPORARILY_UNAVAILABLE",
}
FIXED = "A version never changes, and is kept for ever: set tags of the prompt, or create another version"

Text = Annotated[str, AfterValidator(storable)]
Name = Annotated[Text, Field(max_length=1000)]
NameQuery = Annotated[Text, Query(max_length=1000)]
Number = Annotated[int, Field(ge=1, le=LARGEST_INTEGER)]  # as text, which pydantic reads as a number


def error_body(status: int, detail: str) -> dict[str, str]:
    """An error as MLflow says it."""
    return {"error_code": CODES.get(status, "INTERNAL_ERROR"), "message": detail}


class TagIn(Schema):
    """A tag."""

    key: Text
    value: Text = ""


class PromptIn(Schema):
    """A prompt without a version."""

    name: Name
    tags: list[TagIn] = Field([], max_length=100)
    description: Text | None = None


class VersionIn(Schema):
    """A version: tags say what it is."""

    name: Name
    source: Text | None = None
    tags: list[TagIn] = Field([], max_length=100)
    description: Reason | None = None


class AliasIn(Schema):
    """An alias, and the version that it shall point to."""

    name: Name
    alias: Text
    version: Number


class NoAliasIn(Schema):
    """An alias that shall go."""

    name: Name
    alias: Text


class PromptTagIn(TagIn):
    """A tag of a prompt."""

    name: Name


class NameIn(Schema):
    """A prompt."""

    name: Name


@router.get("/registered-models/get")
def get_prompt(request: HttpRequest, name: NameQuery) -> dict[str, Any]:
    """A prompt with its aliases."""
    repository = RegistryRepository()
    return {"registered_model": _prompt(repository, repository.find(named(repository, name)))}


@router.post("/registered-models/create")
def create_prompt(request: HttpRequest, data: PromptIn) -> dict[str, Any]:
    """What MLflow asks before it creates the first version. A prompt is made with that: here only its name is tried."""
    repository = RegistryRepository()
    if not any(tag.key == IS_PROMPT for tag in data.tags):
        raise Invalid("promptadmin has prompts alone, and no models")
    try:
        found = repository.find(named(repository, data.name))
    except NotFound:
        name = checked_name(data.name)
    else:
        raise Conflict(f"There is a prompt {found.name} already")
    return {"registered_model": {"name": name, "tags": [tag.dict() for tag in data.tags]}}


@router.delete("/registered-models/delete")
def delete_prompt(request: HttpRequest, data: NameIn) -> dict[str, Any]:
    """The whole prompt. MLflow asks for it too where a first version couldn't be created: then there is nothing."""
    repository = RegistryRepository()
    try:
        found = repository.find(named(repository, data.name))
    except NotFound:
        return {}
    repository.prompts.delete_prompt(prompt_id=found.prompt_id)
    return {}


# With the scope to read: MLflow sends one of them whenever it has loaded a prompt.
@router.post("/registered-models/set-tag", auth=token_access("read"))
def set_tag(request: HttpRequest, data: PromptTagIn) -> dict[str, Any]:
    """A tag of a prompt. Which experiments use it isn't kept."""
    if data.key == EXPERIMENTS:
        return {}
    admit(request.auth, "write")  # type: ignore[attr-defined]  # ninja sets it
    _change_tags(data.name, data.key, data.value)
    return {}


@router.delete("/registered-models/delete-tag")
def delete_tag(request: HttpRequest, data: PromptTagIn) -> dict[str, Any]:
    """A tag of a prompt."""
    _change_tags(data.name, data.key, None)
    return {}


@router.get("/registered-models/search")
def search_prompts(
    request: HttpRequest,
    filter: Annotated[Text | None, Query(None)] = None,  # noqa: A002  # MLflow's
    max_results: Annotated[int, Query(ge=1, le=1000)] = 100,
    page_token: Annotated[Text | None, Query(None)] = None,
    order_by: Annotated[list[str], Query([])] = [],  # noqa: B006  # ninja's
) -> dict[str, Any]:
    """By name, with the conditions that `search_prompts` of MLflow documents."""
    if order_by:
        raise Invalid("Prompts are listed by name: leave 'order_by' out")
    repository = RegistryRepository()
    wanted = read(filter)
    found = []
    after = page_token or None
    while True:
        page = repository.list_names(limit=max_results, after=after)
        for prompt, labels in page.items:
            if wanted.fits(dotted(prompt.name), prompt_tags(prompt.tags)):
                found.append(_prompt(repository, prompt, labels))
                if len(found) == max_results:
                    return {"registered_models": found, "next_page_token": prompt.name}
        after = page.next_cursor
        if after is None:
            return {"registered_models": found}


@router.get("/registered-models/alias", response=Any)
def get_by_alias(request: HttpRequest, name: NameQuery, alias: Annotated[Text, Query()]) -> HttpResponse:
    """The version that an alias points to."""
    repository = RegistryRepository()
    found = repository.resolve(name=named(repository, name), label=alias)
    return fetched(request, {"model_version": version_shape(found)})


@router.post("/registered-models/alias", response=Any)
def set_alias(request: HttpRequest, data: AliasIn) -> HttpResponse:
    """Move a label."""
    return _move(data.name, data.alias, Target.of(data.version))


@router.delete("/registered-models/alias", response=Any)
def delete_alias(request: HttpRequest, data: NoAliasIn) -> HttpResponse:
    """Take a label away."""
    return _move(data.name, data.alias, None)


@router.get("/model-versions/get", response=Any)
def get_version(
    request: HttpRequest, name: NameQuery, version: Annotated[int, Query(ge=1, le=LARGEST_INTEGER)]
) -> HttpResponse:
    """A version by its number."""
    repository = RegistryRepository()
    found = repository.resolve(name=named(repository, name), version=version)
    return fetched(request, {"model_version": version_shape(found)})


@router.post("/model-versions/create")
def create_version(request: HttpRequest, data: VersionIn) -> dict[str, Any]:
    """The next version, or the first one of a new prompt. The current version's content makes none."""
    repository = RegistryRepository()
    name = named(repository, data.name)
    given = PromptTags({tag.key: tag.value for tag in data.tags})
    if not given.is_prompt:
        raise Invalid("promptadmin has prompts alone, and no models")
    try:
        before = repository.find(name).tags
    except NotFound:
        before = []
    tags = before
    for key, value in given.own.items():
        tags = with_tag(tags, key, value)
    saved = repository.save(
        name=name,
        text=given.text,
        kind=given.kind,
        config=given.config,
        tags=None if tags == before else tags,
        reason=data.description or "",
    )
    return {"model_version": version_shape(saved.prompt)}


@router.get("/model-versions/search")
def search_versions(
    request: HttpRequest,
    filter: Annotated[Text, Query()],  # noqa: A002  # MLflow's
    max_results: Annotated[int, Query(ge=1, le=1000)] = 100,
    page_token: Annotated[int | None, Query(None, ge=1, le=LARGEST_INTEGER)] = None,
    order_by: Annotated[list[str], Query([])] = [],  # noqa: B006  # ninja's
) -> dict[str, Any]:
    """The versions of one prompt, newest first."""
    name = read(filter).name
    if name is None or set(order_by) - {"version_number DESC"}:
        raise Invalid("The versions of one prompt are listed, newest first: say its name as in name = 'a.b'")
    repository = RegistryRepository()
    prompt = repository.find(named(repository, name))
    last = prompt.current if page_token is None else page_token - 1
    numbers = repository.prompts.versions.filter(prompt_id=prompt.prompt_id, version__lte=last)
    older = {*numbers.values_list("version", flat=True), *([prompt.current] if last >= prompt.current else [])}
    page = sorted(older, reverse=True)[:max_results]
    shown = [version_shape(repository.resolve(name=prompt.name, version=number)) for number in page]
    more = {"next_page_token": str(page[-1])} if len(older) > len(page) else {}
    return {"model_versions": shown, **more}


@router.post("/model-versions/set-tag", openapi_extra={"requestBody": {}})
@router.delete("/model-versions/delete-tag", openapi_extra={"requestBody": {}})
@router.delete("/model-versions/delete", openapi_extra={"requestBody": {}})
def refuse_to_change_a_version(request: HttpRequest) -> None:
    """Versions are fixed."""
    raise Invalid(FIXED)


def version_shape(found: Resolved) -> dict[str, Any]:
    """A version as MLflow answers it."""
    moment = _milliseconds(found.created_at)
    tags = version_tags(found, messages_of(found), config_of(found.config))
    return {
        "name": dotted(found.name),
        "version": str(found.version),
        "creation_timestamp": moment,
        "last_updated_timestamp": moment,
        "description": found.reason or "",
        "user_id": found.author or "",
        "source": "dummy-source",
        "status": "READY",
        "tags": _pairs({**prompt_tags(found.tags), **tags}),
        "aliases": found.labels,
    }


def _prompt(repository: RegistryRepository, found: Named, labels: dict[str, Target] | None = None) -> dict[str, Any]:
    """Aliases are the labels that point to one version."""
    where = repository.labels_of(found.prompt_id) if labels is None else labels
    moment = _milliseconds(repository.resolve(name=found.name, label=LATEST).created_at)
    return {
        "name": dotted(found.name),
        "creation_timestamp": moment,
        "last_updated_timestamp": moment,
        "description": found.description or "",
        "tags": _pairs({**prompt_tags(found.tags), IS_PROMPT: "true"}),
        "aliases": [
            {"alias": label, "version": str(target.version)} for label, target in where.items() if target.version
        ],
    }


def _move(name: str, label: str, target: Target | None) -> HttpResponse:
    repository = RegistryRepository()
    moved = repository.move_label(name=named(repository, name), label=label, target=target)
    if words := waiting_words([moved]):  # no exception, which would undo the request
        return ready_answer(error_body(409, words), {}, 409)
    return ready_answer({}, {})


def _change_tags(name: str, key: str, value: str | None) -> None:
    repository = RegistryRepository()
    found = repository.find(named(repository, name))
    repository.give_name(prompt_id=found.prompt_id, name=found.name, tags=with_tag(found.tags, key, value))


def _pairs(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def _milliseconds(moment: dt.datetime | None) -> int:
    return 0 if moment is None else int(moment.timestamp() * 1000)
