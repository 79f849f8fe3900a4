"""Variables as another client marks them."""

from __future__ import annotations

from projects.contrib.registry.models import Format
from projects.texts.variables import PATTERNS

MARKS = {Format.MUSTACHE: "{{%s}}", Format.F_STRING: "{%s}"}


def in_format(text: str, written: str, wanted: Format) -> str:
    """A text with its variables marked in another way. Other braces stay, but for doubled ones of an f-string."""
    pattern = PATTERNS.get(written)
    if pattern is None or written == wanted:
        return text
    return pattern.sub(lambda match: match[0][0] if match[1] is None else MARKS[wanted] % match[1], text)
