"""From records to what the API answers."""

from __future__ import annotations

from typing import Any

from projects.contrib.registry.chat import Message, read_messages, write_messages
from projects.contrib.registry.models import Kind
from projects.contrib.registry.records import EventRecord, Moved, RequestRecord, Resolved, Saved
from projects.contrib.registry.targets import Target
from projects.contrib.registry.variables import all_variables
from promptadmin.errors import Invalid


def prompt_shape(found: Resolved) -> dict[str, Any]:
    """A version of a prompt, with its messages where it is a chat."""
    return {
        **found._asdict(),
        "messages": readable_messages(found),
        "variables": all_variables(found.text, found.template_format, found.variables),
    }


def readable_messages(found: Resolved) -> list[Message] | None:
    """The messages of a chat; None of another kind, and where another program wrote a text that can't be read."""
    try:
        return read_messages(found.text) if found.kind == Kind.CHAT else None
    except Invalid:
        return None


def target_shape(target: Target | None) -> dict[str, Any] | None:
    """Where a label points."""
    if target is None:
        return None
    weights = target.by_version
    return {
        "version": target.version,
        "weights": None if weights is None else {str(version): weight for version, weight in weights.items()},
    }


def with_targets(record: EventRecord | RequestRecord) -> dict[str, Any]:
    """An event or a request."""
    return {
        **record._asdict(),
        "from_target": target_shape(record.from_target),
        "to_target": target_shape(record.to_target),
    }


def moved_shape(moved: Moved) -> dict[str, Any]:
    """What became of a move."""
    return {
        "label": moved.label,
        "target": target_shape(moved.target),
        "event": None if moved.event is None else with_targets(moved.event),
    }


def saved_shape(saved: Saved) -> dict[str, Any]:
    """What became of a save."""
    return {
        "outcome": saved.outcome,
        "prompt": prompt_shape(saved.prompt),
        "labels": [
            {
                "label": moved.label,
                "outcome": "moved" if moved.event else "requested" if moved.request else "unchanged",
                "request_id": moved.request.id if moved.request else None,
            }
            for moved in saved.moves
        ],
    }


def text_of(text: str | None, messages: list[Any] | None) -> str:
    """The text of a content that came as text or as messages. Raises Invalid for both and for neither."""
    if (text is None) == (messages is None):
        raise Invalid("Send the content as 'text' or as 'messages', one of the two")
    return text if text is not None else write_messages(as_message(message) for message in messages or ())


def as_message(message: Any) -> Message:
    """A message as it is read and written. Raises Invalid for one that mixes both kinds."""
    given = message.model_dump(exclude_none=True)
    kind = given.pop("type")
    if set(given) != ({"name"} if kind == "placeholder" else {"role", "content"}):
        raise Invalid("A message has 'role' and 'content'; a placeholder has 'type' and 'name'")
    return {"type": kind, **given} if kind == "placeholder" else given
