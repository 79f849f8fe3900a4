"""Which parts of two sequences are equal, as `difflib` says it, in a time that long texts don't stretch.

`difflib` takes a time that grows with the square of the length. Longer sequences are matched at their ends, then at
what stands in both exactly once, as in a "patience diff"; what is between is left to `difflib` where that is short.
"""

from __future__ import annotations

import difflib
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

#: So many pairs of items `difflib` may compare, in all gaps together.
MOST_PAIRS = 1_000_000


class Gap(NamedTuple):
    """What isn't matched yet: a range of each sequence."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int

    @property
    def pairs(self) -> int:
        """How many pairs of items it has."""
        return (self.old_end - self.old_start) * (self.new_end - self.new_start)


class Matcher(difflib.SequenceMatcher[str]):
    """A SequenceMatcher whose work is bounded."""

    def __init__(self, old: Sequence[str], new: Sequence[str], *, most_pairs: int = MOST_PAIRS) -> None:
        super().__init__(None, old, new)
        self._old, self._new, self._most_pairs = old, new, most_pairs
        self._blocks: list[difflib.Match] | None = None

    def get_matching_blocks(self) -> list[difflib.Match]:
        if self._blocks is None:
            whole = Gap(0, len(self._old), 0, len(self._new))
            if whole.pairs <= self._most_pairs:
                self._blocks = super().get_matching_blocks()
            else:
                end = difflib.Match(len(self._old), len(self._new), 0)
                self._blocks = [*_joined(sorted(self._found(whole))), end]
        return self._blocks

    def _found(self, whole: Gap) -> Iterator[difflib.Match]:
        left = self._most_pairs
        middle, ends = self._trimmed(whole)
        yield from ends
        anchors = _in_order(self._once_in_both(middle))
        yield from (difflib.Match(old, new, 1) for old, new in anchors)
        starts = [(middle.old_start, middle.new_start), *((old + 1, new + 1) for old, new in anchors)]
        stops = [*anchors, (middle.old_end, middle.new_end)]
        for (old_start, new_start), (old_end, new_end) in zip(starts, stops, strict=True):
            gap, ends = self._trimmed(Gap(old_start, old_end, new_start, new_end))
            yield from ends
            if 0 < gap.pairs <= left:
                left -= gap.pairs
                old, new = self._old[gap.old_start : gap.old_end], self._new[gap.new_start : gap.new_end]
                for block in difflib.SequenceMatcher(None, old, new).get_matching_blocks():
                    yield difflib.Match(gap.old_start + block.a, gap.new_start + block.b, block.size)

    def _trimmed(self, gap: Gap) -> tuple[Gap, list[difflib.Match]]:
        """A gap without what is equal at its ends, and that."""
        old, new, (old_start, old_end, new_start, new_end) = self._old, self._new, gap
        while old_start < old_end and new_start < new_end and old[old_start] == new[new_start]:
            old_start, new_start = old_start + 1, new_start + 1
        while old_start < old_end and new_start < new_end and old[old_end - 1] == new[new_end - 1]:
            old_end, new_end = old_end - 1, new_end - 1
        ends = [
            difflib.Match(gap.old_start, gap.new_start, old_start - gap.old_start),
            difflib.Match(old_end, new_end, gap.old_end - old_end),
        ]
        return Gap(old_start, old_end, new_start, new_end), ends

    def _once_in_both(self, gap: Gap) -> list[tuple[int, int]]:
        """Where items stand that are in both sequences exactly once."""
        old, new = self._old[gap.old_start : gap.old_end], self._new[gap.new_start : gap.new_end]
        old_counts, new_counts = Counter(old), Counter(new)
        places = {item: place for place, item in enumerate(new, gap.new_start) if new_counts[item] == 1}
        return [
            (place, places[item])
            for place, item in enumerate(old, gap.old_start)
            if old_counts[item] == 1 and item in places
        ]


def equal_pairs(old: Sequence[str], new: Sequence[str]) -> int:
    """How many pairs of equal items there are: `difflib` looks at each of them, many times."""
    counts = Counter(new)
    return sum(count * counts[item] for item, count in Counter(old).items())


def _in_order(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest part of the pairs, which rise by the first number, that rises by the second one too."""
    last_of: list[int] = []  # of each length, the least second number that ends such a part
    ends: list[int] = []
    before: list[int | None] = []
    for number, (_, new) in enumerate(pairs):
        length = bisect_left(last_of, new)
        before.append(ends[length - 1] if length else None)
        last_of[length : length + 1], ends[length : length + 1] = [new], [number]
    found: list[tuple[int, int]] = []
    at = ends[-1] if ends else None
    while at is not None:
        found.append(pairs[at])
        at = before[at]
    return found[::-1]


def _joined(blocks: Sequence[difflib.Match]) -> Iterator[difflib.Match]:
    """The blocks without empty ones, those that touch as one."""
    start: difflib.Match | None = None
    for block in blocks:
        if not block.size:
            continue
        if start is not None and (start.a + start.size, start.b + start.size) == (block.a, block.b):
            start = difflib.Match(start.a, start.b, start.size + block.size)
            continue
        if start is not None:
            yield start
        start = block
    if start is not None:
        yield start
