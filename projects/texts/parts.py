"""Texts that consist of parts, such as the messages of a chat: which part of one belongs to which of another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

#: A title, and a text.
Part = tuple[str, str]


class PartPair(NamedTuple):
    """A part of either text, beside the one that stands for it in the other; None where there is none."""

    title: str
    old: str | None
    new: str | None

    @property
    def is_same(self) -> bool:
        """Whether nothing changed."""
        return self.old == self.new


def pair_parts(old: Sequence[Part], new: Sequence[Part]) -> list[PartPair]:
    """Equal parts belong together; between these, parts of one title do, in their order."""
    found = list[PartPair]()
    for kind, start, end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            found += [PartPair(title, text, text) for title, text in old[start:end]]
        else:
            found += _by_title(old[start:end], new[new_start:new_end])
    return found


def _by_title(old: Sequence[Part], new: Sequence[Part]) -> Iterator[PartPair]:
    titles, new_titles = ([title for title, _ in parts] for parts in (old, new))
    for kind, start, end, new_start, new_end in SequenceMatcher(None, titles, new_titles, autojunk=False).get_opcodes():
        if kind == "equal":
            for (title, text), (_, other) in zip(old[start:end], new[new_start:new_end], strict=True):
                yield PartPair(title, text, other)
        else:
            yield from (PartPair(title, text, None) for title, text in old[start:end])
            yield from (PartPair(title, None, text) for title, text in new[new_start:new_end])
