"""Snippets: the part of a text that answers a query best, with the words found marked."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import islice

from promptadmin.db.lookups import fold
from promptadmin.search.words import Span, Term

#: A letter with the marks, or a syllable of Hangul with the parts, that NFC may bring together.
_MARKS = "".join(chr(code) for code in range(0x300, 0x3100) if unicodedata.category(chr(code))[0] == "M")
CLUSTER = re.compile(rf".[{_MARKS}\u1160-\u11ff]*", re.DOTALL)
LENGTH = 240
BEFORE = 60  # how much is shown before the first word found
ELLIPSIS = "…"
#: Of a word that stands in a text more often, the first ones are looked at.
MOST_SPANS = 500
#: A character of a text has at most so many in its folded form.
MOST_FOLDED = 3
PIECE = 1000


@dataclass(frozen=True, slots=True)
class Snippet:
    """A part of a text, and where in it words were found."""

    text: str
    highlights: list[Span]

    @property
    def html(self) -> str:
        """As HTML: what was found is in <mark>, and everything else escaped."""
        parts, place = [], 0
        for start, end in self.highlights:
            parts += [escape(self.text[place:start]), "<mark>", escape(self.text[start:end]), "</mark>"]
            place = end
        return "".join((*parts, escape(self.text[place:])))


@dataclass(frozen=True, slots=True)
class Part(Term):
    """A part of a text, also in the middle of a word, as lists look for it; its one word is folded."""

    def spans(self, folded: str) -> Iterator[Span]:
        """Where a folded text has it."""
        return (Span(*match.span()) for match in re.finditer(re.escape(self.words[0]), folded))


def parts(*texts: str) -> list[Part]:
    """Parts to be found and marked; what has no character is none."""
    return [Part((folded,)) for text in texts if (folded := fold(text))]


def found_spans(terms: Sequence[Term], folded: str) -> list[Span]:
    """Where a folded text has any of the terms, without overlaps; of each term the first MOST_SPANS."""
    return _merged(sorted(span for term in terms for span in islice(term.spans(folded), MOST_SPANS)))


def _merged(spans: Sequence[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in spans:
        if merged and span.start < merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(span.end, merged[-1].end))
        else:
            merged.append(span)
    return merged


def _unfolded(spans: Sequence[Span], text: str, folded: str) -> list[Span]:
    """The spans of the text itself: some characters, such as ß, fold to more than one, some with marks to fewer."""
    if not spans or (len(folded) == len(text) and unicodedata.is_normalized("NFC", text)):
        return list(spans)
    # Up to the piece with the first span the text is folded piece by piece, from there on cluster by cluster.
    start = place = 0
    while (end := _piece_end(text, start)) < len(text):
        length = len(fold(text[start:end]))
        if place + length > spans[0].start:
            break
        start, place = end, place + length
    clusters: list[tuple[int, int]] = []
    ends: list[int] = []
    for match in CLUSTER.finditer(text, start):
        place += len(fold(match.group()))
        clusters.append(match.span())
        ends.append(place)
        if place >= spans[-1].end:
            break
    last = len(clusters) - 1
    unfolded = []
    for span in spans:
        first = min(bisect_left(ends, span.start + 1), last)
        unfolded.append(Span(clusters[first][0], clusters[max(first, min(bisect_left(ends, span.end), last))][1]))
    return _merged(unfolded)


def _piece_end(text: str, start: int) -> int:
    """About PIECE characters further, where a cluster begins."""
    following = CLUSTER.match(text, min(start + PIECE, len(text)) - 1)
    return following.end() if following else len(text)


def snippet(terms: Sequence[Term], texts: Sequence[str]) -> Snippet:
    """The part with the most of what is asked for, of the first text that has the most; the beginning if none has."""
    found = [(text, folded, found_spans(terms, folded)) for text in texts for folded in (fold(text),)]
    text, folded, spans = max(found, key=lambda each: _covered(each[2], _best(each[2])), default=("", "", []))
    if not spans:
        text = next(filter(None, texts), "")
    spans, first = _around(spans, _best(spans), text, folded)
    start = max(0, spans[first].start - BEFORE) if spans else 0
    start = min(start, max(0, len(text) - LENGTH))
    if start:  # begin with a whole word, if one begins soon
        blank = text.find(" ", start, start + BEFORE // 2)
        start = blank + 1 if blank != -1 and (not spans or blank < spans[first].start) else start
    end = min(len(text), start + LENGTH)
    if end < len(text):
        blank = text.rfind(" ", end - BEFORE // 2, end)
        end = blank if blank > (spans[first].end if spans else start) else end
    lead, tail = ELLIPSIS if start else "", ELLIPSIS if end < len(text) else ""
    moved = len(lead) - start
    shown = [Span(span.start + moved, min(span.end, end) + moved) for span in spans if start <= span.start < end]
    return Snippet(f"{lead}{text[start:end]}{tail}", shown)


def _around(spans: Sequence[Span], first: int, text: str, folded: str) -> tuple[list[Span], int]:
    """The spans of the text that a snippet may show, and the number among them of the one that it is made for."""
    if not spans:
        return [], 0
    reach = LENGTH * MOST_FOLDED
    start = bisect_left(spans, Span(spans[first].start - reach, 0))
    end = bisect_left(spans, Span(spans[first].start + reach, 0))
    [made_for] = _unfolded([spans[first]], text, folded)
    near = _unfolded(spans[start:end], text, folded)
    return near, max(0, bisect_right(near, Span(made_for.start, len(text))) - 1)


def _best(spans: Sequence[Span]) -> int:
    """The number of the span after which most of the others follow within the length of a snippet."""
    return max(range(len(spans)), key=lambda first: _covered(spans, first), default=0)


def _covered(spans: Sequence[Span], first: int) -> int:
    if not spans:
        return 0
    reach = spans[first].start + LENGTH - BEFORE
    return bisect_left(spans, Span(reach, 0)) - first
