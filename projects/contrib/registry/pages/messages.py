"""Chats by their messages, so that two versions are compared message by message."""

from __future__ import annotations

from projects.contrib.registry.chat import read_messages
from projects.contrib.registry.models import Kind
from projects.contrib.registry.repository import RegistryRepository
from projects.texts.parts import Part
from promptadmin.errors import Invalid


def message_parts(text: str) -> list[Part] | None:
    """Each message by its role; None where the text can't be read as a chat."""
    try:
        messages = read_messages(text)
    except Invalid:
        return None
    return [
        ("placeholder", message["name"]) if "name" in message else (message["role"], message["content"])
        for message in messages
    ]


def parts_of(prompt_id: str, text: str) -> list[Part] | None:
    """The messages of a prompt's text, if the prompt is a chat."""
    kind = RegistryRepository().names.filter(prompt_id=prompt_id).values_list("kind", flat=True).first()
    return message_parts(text) if kind == Kind.CHAT else None
