"""What a program fills in when it uses a prompt: `{{topic}}`, as Mustache and most libraries have it, or `{topic}`.

Between two or three braces, blanks may stand around the name. A name is a word of any script, as Python's identifiers
are. A placeholder whose argument isn't given stays as it is, and so do names in four braces or more, and everything
else that stands in braces, as in JSON. What is filled in is never looked through again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from projects.texts.forms import composed

LONGEST_NAME = 100
_NAME = rf"[^\s{{}}]{{1,{LONGEST_NAME}}}"
#: The first that matches at a place counts.
_BRACED = re.compile(
    r"\{{4,}"  # no placeholder begins here
    rf"|\{{\{{\{{\s*(?P<three>{_NAME})\s*\}}\}}\}}"
    rf"|\{{\{{\s*(?P<two>{_NAME})\s*\}}\}}"
    rf"|\{{(?P<one>{_NAME})\}}"
)


def placeholders(text: str) -> list[str]:
    """The names in a text, each once, in their order."""
    names = (_name(match) for match in _BRACED.finditer(text))
    return list(dict.fromkeys(name for name in names if name))


def fill_in(text: str, values: Mapping[str, str]) -> str:
    """The text with these values in the places of their names; the others stay."""
    return _BRACED.sub(lambda match: values.get(_name(match), match.group()), text)


def _name(match: re.Match[str]) -> str:
    """The name that a match stands for, letters and accents composed; an empty text for none."""
    name = match["three"] or match["two"] or match["one"] or ""
    return composed(name) if name.isidentifier() else ""
