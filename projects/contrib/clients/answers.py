"""What the clients of all products have in common: answers that can be kept, and prompts as messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse

from projects.contrib.registry.api.prompts import cache_control
from projects.contrib.registry.api.shapes import readable_messages
from projects.contrib.registry.chat import Message
from projects.contrib.registry.models import Kind
from projects.contrib.registry.records import Moved, Resolved
from promptadmin.api.etags import is_known, text_tag
from promptadmin.errors import Conflict
from promptadmin.http.responses import ready_json, ready_text


def fetched(request: HttpRequest, data: Any) -> HttpResponse:
    """The answer to whoever fetches a prompt, with its ETag; 304 where they have it."""
    text = ready_json(data)
    headers = {"ETag": text_tag(text), "Cache-Control": cache_control()}
    if is_known(request, headers["ETag"]):
        return HttpResponse(status=304, headers=headers)
    return ready_text(text, headers)


def messages_of(found: Resolved) -> list[Message] | None:
    """The messages of a chat; None of another kind. Raises Conflict for a text that can't be read as a chat."""
    messages = readable_messages(found)
    if messages is None and found.kind == Kind.CHAT:
        raise Conflict(f"Version {found.version} of {found.name} is no chat, though the prompt is one: edit its text")
    return messages


def waiting_words(moves: Sequence[Moved]) -> str:
    """What to tell whoever moved labels that a second person has to approve first; empty where there are none."""
    waiting = [moved for moved in moves if moved.request]
    if not waiting:
        return ""
    labels = ", ".join(f"'{moved.label}'" for moved in waiting)
    ids = ", ".join(str(moved.request.id) for moved in waiting if moved.request)
    return f"{labels} wants a second person: somebody else approves the move, which waits as request {ids}"
