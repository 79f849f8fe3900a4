"""Texts that show nothing, and texts that look alike though their characters differ."""

from __future__ import annotations

import re
import unicodedata

#: Anything but blanks, control characters, what Unicode calls "default ignorable", and the empty Braille cell.
SHOWN = re.compile(
    r"[^\s\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff]"
)


def is_blank(text: str) -> bool:
    """Whether nothing of the text can be seen."""
    return SHOWN.search(text) is None


def composed(text: str) -> str:
    """The text in Unicode's form NFC: `é` as one character, however it was typed."""
    return unicodedata.normalize("NFC", text)


def spellings(text: str) -> list[str]:
    """The text as it is, and the composed and the decomposed form of it (NFC, NFD): they look the same."""
    return list(dict.fromkeys([text, composed(text), unicodedata.normalize("NFD", text)]))
