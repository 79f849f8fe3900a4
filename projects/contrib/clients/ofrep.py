"""OpenFeature's remote evaluation (OFREP): a prompt is a flag whose value has its text or messages, and its config."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema
from pydantic import AfterValidator, ConfigDict, Field

from projects.api.inputs import storable
from projects.contrib.clients.answers import fetched, messages_of
from projects.contrib.clients.listing import list_all
from projects.contrib.registry.api.schemas import PromptName
from projects.contrib.registry.names import LATEST, PRODUCTION
from projects.contrib.registry.records import Resolved
from projects.contrib.registry.repository import RegistryRepository
from promptadmin.db.fields import LARGEST_INTEGER
from promptadmin.db.sessions import in_read_session
from promptadmin.errors import Invalid
from promptadmin.plugins import opens_own_session, token_access

router = Router(auth=token_access("read"))

#: As many prompts are evaluated at once.
MOST = 1000
CODES = {400: "INVALID_CONTEXT", 404: "FLAG_NOT_FOUND"}


def error_body(status: int, detail: str) -> dict[str, str]:
    """An error as OFREP says it."""
    return {"errorCode": CODES.get(status, "GENERAL"), "errorDetails": detail}


class Context(Schema):
    """What is known of who asks. `label` or `version` choose the version, `targetingKey` that of a split."""

    model_config = ConfigDict(extra="allow")  # programs send the same context to all of their providers

    targetingKey: Annotated[str, Field(max_length=1000), AfterValidator(storable)] | None = None  # noqa: N815
    label: Annotated[str, AfterValidator(storable)] | None = None
    version: Annotated[int, Field(ge=1, le=LARGEST_INTEGER)] | None = None


class EvaluateIn(Schema):
    """The body of an evaluation."""

    context: Context = Context()


# Evaluations are POSTs, but change nothing: they open read sessions.
@router.post("/flags/{path:key}", response=Any)
@opens_own_session
def evaluate(request: HttpRequest, key: PromptName, data: EvaluateIn) -> HttpResponse:
    """One prompt."""
    return fetched(request, in_read_session(lambda: _evaluated(RegistryRepository(), key, data.context)))


@router.post("/flags", response=Any)
@opens_own_session
def evaluate_all(request: HttpRequest, data: EvaluateIn) -> HttpResponse:
    """All prompts that have the label."""
    return fetched(request, {"flags": in_read_session(lambda: _all_evaluated(data.context))})


def _all_evaluated(context: Context) -> list[dict[str, Any]]:
    if context.version is not None:
        raise Invalid("A version is asked for with the key of one flag: ask for all by 'label'")
    repository = RegistryRepository()
    label = context.label or PRODUCTION
    found = list_all(repository, label=None if label == LATEST else label)
    if len(found) > MOST:
        raise Invalid(f"More than {MOST:,} prompts have the label '{label}': evaluate flags one by one")
    return [_evaluated(repository, named.name, context) for named, _ in found]


def _evaluated(repository: RegistryRepository, key: str, context: Context) -> dict[str, Any]:
    found = repository.resolve(name=key, label=context.label, version=context.version, key=context.targetingKey)
    messages = messages_of(found)
    return {
        "key": key,
        "value": {
            "version": found.version,
            **({"text": found.text} if messages is None else {"messages": messages}),
            "config": found.config,
        },
        "reason": _reason(found, context),
        "variant": f"v{found.version}",
        "metadata": {"label": found.label} if found.label else {},
    }


def _reason(found: Resolved, context: Context) -> str:
    if found.label not in (None, LATEST, *found.labels):  # it points to several versions
        return "SPLIT"
    return "STATIC" if context.label is None and context.version is None else "TARGETING_MATCH"
