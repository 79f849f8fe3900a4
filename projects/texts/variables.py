"""Variables in a text: found, and filled in with values that are data and never read again."""

from __future__ import annotations

import re
from collections.abc import Mapping

MUSTACHE, F_STRING = "mustache", "f-string"
#: `{{name}}` with or without blanks inside; in three braces or more it is no variable. `{name}`, and `{{` is a brace.
PATTERNS = {
    MUSTACHE: re.compile(r"(?<!\{)\{\{[ \t]*(\w[\w.-]*)[ \t]*\}\}(?!\})"),
    F_STRING: re.compile(r"\{\{|\}\}|\{(\w[\w.-]*)\}"),
}


def find_variables(text: str, template_format: str) -> list[str]:
    """The names of the variables in a text, in their order, each once."""
    pattern = PATTERNS.get(template_format)
    found = pattern.finditer(text) if pattern else ()
    return list(dict.fromkeys(match[1] for match in found if match[1]))


def fill_variables(text: str, template_format: str, values: Mapping[str, str]) -> str:
    """The text with these values; a variable without one stays as it is."""
    pattern = PATTERNS.get(template_format)
    if pattern is None:
        return text

    def value(match: re.Match[str]) -> str:
        if match.re.groups and match[1] is None:  # a doubled brace of an f-string
            return match[0][0]
        return values.get(match[1], match[0])

    return pattern.sub(value, text)


def guess_format(text: str) -> str:
    """How a text that nobody says it of marks its variables: as `{{name}}`, unless it has `{name}` and no `{{`."""
    return F_STRING if "{{" not in text and find_variables(text, F_STRING) else MUSTACHE
