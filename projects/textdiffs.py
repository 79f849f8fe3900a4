"""How two texts differ: a unified diff for people, numbers for programs."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

#: Of longer texts, in words, `similarity` doesn't see their order: comparing it takes seconds.
LONGEST_ORDERED = 20_000


@dataclass(frozen=True, slots=True)
class TextDiff:
    """A unified diff, counts of lines, and from 0.0 (nothing in common) to 1.0 (equal) how alike the words are."""

    diff: str
    lines_added: int
    lines_removed: int
    lines_unchanged: int
    similarity: float


def diff_texts(old: str, new: str, *, old_name: str, new_name: str) -> TextDiff:
    """Compare by lines; only a line feed ends one, so that every change of the text is a change of some line."""
    old_lines, new_lines = old.split("\n"), new.split("\n")
    lines = list(difflib.unified_diff(old_lines, new_lines, old_name, new_name, lineterm=""))
    # The first two lines name the texts.
    added = sum(line.startswith("+") for line in lines[2:])
    removed = sum(line.startswith("-") for line in lines[2:])
    old_words, new_words = old.split(), new.split()
    words = difflib.SequenceMatcher(None, old_words, new_words)
    in_order = max(len(old_words), len(new_words)) <= LONGEST_ORDERED
    return TextDiff(
        diff="\n".join(lines),
        lines_added=added,
        lines_removed=removed,
        lines_unchanged=len(old_lines) - removed,
        similarity=1.0 if old == new else round(words.ratio() if in_order else words.quick_ratio(), 4),
    )
