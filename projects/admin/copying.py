"""What the pages of prompts and versions offer to be copied."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from projects.models import Prompt
from projects.repository.rows import NO_PROJECT
from promptadmin.backoffice.code_snippets import add_token, snippets


def copying(request: HttpRequest, prompt: Prompt, version: int | None = None) -> dict[str, Any]:
    """Programs that read a prompt, or one of its versions, and where a token for them is made."""
    path: list[object] = ["projects", prompt.project_id or NO_PROJECT, "prompts", prompt.pk]
    if version is not None:
        path += ["versions", version]
    return {
        "snippets": snippets(request, *path, name="prompt", field="content"),
        "add_token": add_token(request),
    }
