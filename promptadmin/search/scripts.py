"""Scripts that are written without blanks between words, or that glue particles to them, as Korean does.

Each of their letters is a word of its own in the index and in a query. The letters of a query that stand together have
to follow each other in a text, so a word is found wherever it stands, however short it is.
"""

from __future__ import annotations

import re

#: The first and the last letter or mark of each range.
RANGES = (
    (0x0E01, 0x0E3A), (0x0E40, 0x0E4E),  # Thai
    (0x0E81, 0x0ECE), (0x0EDC, 0x0EDF),  # Lao
    (0x1000, 0x103F), (0x1050, 0x108F), (0x109A, 0x109D), (0xAA60, 0xAA76), (0xAA7A, 0xAA7F),  # Myanmar
    (0x1780, 0x17D3), (0x17D7, 0x17D7), (0x17DC, 0x17DD),  # Khmer
    (0x1100, 0x11FF), (0x3131, 0x318E), (0xA960, 0xA97C), (0xAC00, 0xD7FB), (0xFFA0, 0xFFDC),  # Hangul
    (0x3041, 0x3096), (0x3099, 0x309A), (0x309D, 0x309F), (0x30A1, 0x30FA), (0x30FC, 0x30FF),  # kana
    (0x31F0, 0x31FF), (0xFF66, 0xFF9F), (0x1AFF0, 0x1B167),
    (0x3105, 0x312F), (0x31A0, 0x31BF),  # Bopomofo
    (0x2E80, 0x2FD5), (0x3005, 0x3007), (0x3021, 0x3029), (0x3031, 0x3035), (0x3038, 0x303C),  # Han
    (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF),
    (0xA000, 0xA48C),  # Yi
)  # fmt: skip
#: What stands between brackets in a regular expression of Python, and in one of PostgreSQL.
LETTERS = "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in RANGES)
LETTER = re.compile(f"[{LETTERS}]")


def has_letter(text: str) -> bool:
    """Whether a text has a letter of such a script."""
    return not text.isascii() and LETTER.search(text) is not None


def is_all_letters(text: str) -> bool:
    """Whether a text is made of such letters alone."""
    return bool(text) and all(map(LETTER.fullmatch, text))
