"""Variables of a prompt: those that are declared and those of its text, and the prompt with values in their places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from projects.contrib.registry.chat import Message, read_messages
from projects.contrib.registry.models import Kind
from projects.texts.variables import fill_variables, find_variables
from promptadmin.db import json_text


def all_variables(text: str, template_format: str, declared: Any) -> list[dict[str, Any]]:
    """The variables that are declared, then those that only the text has."""
    known = [one for one in declared or () if isinstance(one, dict) and isinstance(one.get("name"), str)]
    names = {one["name"] for one in known}
    return [*known, *({"name": name} for name in find_variables(text, template_format) if name not in names)]


@dataclass(frozen=True)
class Compiled:
    """A text with values in it, or messages.

    `missing` are variables and placeholders without a value, `unused` values that nothing has a place for.
    """

    text: str | None
    messages: list[Message] | None
    missing: list[str]
    unused: list[str]


def compile_prompt(
    *,
    text: str,
    kind: str,
    template_format: str,
    declared: Any,
    values: Mapping[str, Any],
    placeholders: Mapping[str, Iterable[Message]],
) -> Compiled:
    """Fill in values, or the defaults that are declared; what has neither stays as it is.

    Values that are no texts are written as JSON. Messages take the place of a placeholder as they are.
    """
    defaults = {one["name"]: one["default"] for one in all_variables("", template_format, declared) if "default" in one}
    filled = {name: value for name, value in {**defaults, **values}.items() if value is not None}
    used = find_variables(text, template_format)
    missing = [name for name in used if name not in filled]
    if kind != Kind.CHAT:
        unused = [name for name in (*values, *placeholders) if name not in used]
        return Compiled(_filled(text, template_format, filled), None, missing, unused)
    messages: list[Message] = []
    asked = []
    for message in read_messages(text):
        if "role" in message:
            messages.append({**message, "content": _filled(message["content"], template_format, filled)})
            continue
        asked.append(message["name"])
        messages.extend(placeholders.get(message["name"], [message]))
    missing += [name for name in asked if name not in placeholders]
    unused = [*(name for name in values if name not in used), *(name for name in placeholders if name not in asked)]
    return Compiled(None, messages, missing, unused)


def _filled(text: str, template_format: str, values: Mapping[str, Any]) -> str:
    return fill_variables(text, template_format, {name: value_text(value) for name, value in values.items()})


def value_text(value: Any) -> str:
    """A value as it stands in a text."""
    return value if isinstance(value, str) else json_text.write(value) or ""
