"""Variables of a prompt: found in its text, and filled in with values that are data and never read again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from projects.contrib.registry.chat import Message, read_messages
from projects.contrib.registry.models import Format, Kind
from promptadmin.db import json_text

#: `{{name}}` with or without blanks inside; in three braces or more it is no variable. `{name}`, and `{{` is a brace.
PATTERNS = {
    Format.MUSTACHE: re.compile(r"(?<!\{)\{\{[ \t]*(\w[\w.-]*)[ \t]*\}\}(?!\})"),
    Format.F_STRING: re.compile(r"\{\{|\}\}|\{(\w[\w.-]*)\}"),
}


def find_variables(text: str, template_format: str) -> list[str]:
    """The names of the variables in a text, in their order, each once."""
    pattern = PATTERNS.get(Format(template_format))
    found = pattern.finditer(text) if pattern else ()
    return list(dict.fromkeys(match[1] for match in found if match[1]))


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
    pattern = PATTERNS.get(Format(template_format))
    if pattern is None:
        return text

    def value(match: re.Match[str]) -> str:
        if match.re.groups and match[1] is None:  # a doubled brace of an f-string
            return match[0][0]
        if match[1] not in values:
            return match[0]
        found = values[match[1]]
        return found if isinstance(found, str) else json_text.write(found) or ""

    return pattern.sub(value, text)
