"""Two texts beside each other, line by line, with the words marked that differ."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import NamedTuple

from projects.texts.matching import Matcher, equal_pairs

#: Unchanged lines shown around a change.
CONTEXT = 3
#: Lines longer than this, in characters, are marked as a whole: comparing their words takes too long.
LONGEST_COMPARED = 4000
#: A pair of lines with more pairs of equal words is matched at words that it has once. So many such pairs are looked at
#: in all lines: of those beyond, whole lines are marked.
MOST_PAIRS_A_LINE, MOST_PAIRS = 40_000, 400_000
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")


class Piece(NamedTuple):
    """A part of a line, and whether it differs from the other side."""

    text: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Side:
    """A line of one text; its number counts from 1."""

    number: int
    pieces: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the old text beside its counterpart in the new one; None where there is none.

    A row without sides stands for `skipped` unchanged lines.
    """

    old: Side | None = None
    new: Side | None = None
    changed: bool = False
    skipped: int = 0


def compare_lines(old: str, new: str) -> Iterator[Row]:
    """The rows of a comparison; only a line feed ends a line. Nothing where the texts are equal."""
    old_lines, new_lines = old.split("\n"), new.split("\n")
    matcher, words = Matcher(old_lines, new_lines), _Words()
    shown = 0
    for group in matcher.get_grouped_opcodes(CONTEXT):
        if group[0][1] > shown:
            yield Row(skipped=group[0][1] - shown)
        for tag, old_start, old_end, new_start, new_end in group:
            shown = old_end
            if tag == "equal":
                yield from _equal_rows(old_lines[old_start:old_end], old_start, new_start)
            else:
                yield from _changed_rows(
                    old_lines[old_start:old_end], new_lines[new_start:new_end], old_start, new_start, words
                )
    if 0 < shown < len(old_lines):
        yield Row(skipped=len(old_lines) - shown)


def _equal_rows(lines: Sequence[str], old_start: int, new_start: int) -> Iterator[Row]:
    for offset, line in enumerate(lines, start=1):
        pieces = [Piece(line, False)]
        yield Row(Side(old_start + offset, pieces), Side(new_start + offset, pieces))


def _changed_rows(
    old: Sequence[str], new: Sequence[str], old_start: int, new_start: int, words: _Words
) -> Iterator[Row]:
    for offset, (before, after) in enumerate(zip_longest(old, new), start=1):
        left, right = words.pieces(before, after)
        yield Row(
            old=None if before is None else Side(old_start + offset, left),
            new=None if after is None else Side(new_start + offset, right),
            changed=True,
        )


class _Words:
    """Marks the words that differ in pairs of lines, until it has compared so many."""

    def __init__(self) -> None:
        self.pairs_left = MOST_PAIRS

    def pieces(self, before: str | None, after: str | None) -> tuple[list[Piece], list[Piece]]:
        """The parts of two lines that took each other's place."""
        whole = [Piece(before or "", True)], [Piece(after or "", True)]
        if before is None or after is None or max(len(before), len(after)) > LONGEST_COMPARED:
            return whole
        old_words, new_words = _WORDS.findall(before), _WORDS.findall(after)
        pairs = equal_pairs(old_words, new_words)
        self.pairs_left -= min(pairs, MOST_PAIRS_A_LINE)
        if self.pairs_left < 0:
            return whole
        if pairs > MOST_PAIRS_A_LINE:
            matcher: difflib.SequenceMatcher[str] = Matcher(old_words, new_words, most_pairs=MOST_PAIRS_A_LINE)
        else:
            matcher = difflib.SequenceMatcher(None, old_words, new_words, autojunk=False)
        left: list[Piece] = []
        right: list[Piece] = []
        for tag, old_start, old_end, new_start, new_end in matcher.get_opcodes():
            if old_end > old_start:
                left.append(Piece("".join(old_words[old_start:old_end]), tag != "equal"))
            if new_end > new_start:
                right.append(Piece("".join(new_words[new_start:new_end]), tag != "equal"))
        return left, right
