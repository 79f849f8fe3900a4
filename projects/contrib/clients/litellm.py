"""LiteLLM's generic prompt management."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import AfterValidator

from projects.api.inputs import storable
from projects.contrib.clients.answers import fetched, messages_of
from projects.contrib.clients.templates import in_format
from projects.contrib.registry.models import Format
from projects.contrib.registry.repository import RegistryRepository
from promptadmin.db.fields import LARGEST_INTEGER
from promptadmin.errors import Invalid

router = Router()


def error_body(status: int, detail: str) -> dict[str, str]:
    """An error as LiteLLM's own server says it; its client passes on the status alone."""
    return {"detail": detail}


@router.get("/litellm_prompt_management", response=Any)
def get_prompt(
    request: HttpRequest,
    *,
    prompt_id: Annotated[str, AfterValidator(storable), Query(max_length=1000)],
    label: Annotated[Annotated[str, AfterValidator(storable)] | None, Query(None)] = None,
    version: Annotated[int | None, Query(None, ge=1, le=LARGEST_INTEGER)] = None,
) -> HttpResponse:
    """A version as messages; a text is one of the user.

    Variables are `{name}`: LiteLLM would replace that inside of `{{name}}`, and leave the outer braces.
    """
    found = RegistryRepository().resolve(name=prompt_id, label=label, version=version)
    messages = messages_of(found) or [{"role": "user", "content": found.text}]
    if places := [message["name"] for message in messages if "role" not in message]:
        raise Invalid(f"{found.name} has a placeholder '{places[0]}', and LiteLLM has none")
    config = dict(found.config) if isinstance(found.config, dict) else {}
    model = config.pop("model", None)
    answer: dict[str, Any] = {
        "prompt_id": prompt_id,
        "prompt_template": [
            {**message, "content": in_format(message["content"], found.template_format, Format.F_STRING)}
            for message in messages
        ],
    }
    if isinstance(model, str):
        answer["prompt_template_model"] = model
    if config:
        answer["prompt_template_optional_params"] = config
    return fetched(request, answer)
