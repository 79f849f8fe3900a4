"""How two texts differ: a unified diff for people, numbers for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from projects.texts.matching import Matcher

#: Unchanged lines around a change.
CONTEXT = 3

#: Of longer texts, in words, `similarity` doesn't see their order.
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
    lines = list(_unified(old_lines, new_lines, old_name, new_name))
    # The first two lines name the texts.
    added = sum(line.startswith("+") for line in lines[2:])
    removed = sum(line.startswith("-") for line in lines[2:])
    old_words, new_words = old.split(), new.split()
    words = Matcher(old_words, new_words)
    in_order = max(len(old_words), len(new_words)) <= LONGEST_ORDERED
    return TextDiff(
        diff="\n".join(lines),
        lines_added=added,
        lines_removed=removed,
        lines_unchanged=len(old_lines) - removed,
        similarity=1.0 if old == new else round(words.ratio() if in_order else words.quick_ratio(), 4),
    )


def _unified(old: Sequence[str], new: Sequence[str], old_name: str, new_name: str) -> Iterator[str]:
    """A unified diff, as `difflib.unified_diff` writes it."""
    for number, group in enumerate(Matcher(old, new).get_grouped_opcodes(CONTEXT)):
        if not number:
            yield f"--- {old_name}"
            yield f"+++ {new_name}"
        first, last = group[0], group[-1]
        yield f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@"
        for tag, old_start, old_end, new_start, new_end in group:
            if tag == "equal":
                yield from (f" {line}" for line in old[old_start:old_end])
            else:
                yield from (f"-{line}" for line in old[old_start:old_end])
                yield from (f"+{line}" for line in new[new_start:new_end])


def _range(start: int, stop: int) -> str:
    """A range of lines in a unified diff: an empty one begins at the line before it."""
    length = stop - start
    if length == 1:
        return f"{start + 1}"
    return f"{start + 1 if length else start},{length}"
