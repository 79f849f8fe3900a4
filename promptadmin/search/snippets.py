"""Snippets: the part of a text that answers a query best, with the words found marked."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import accumulate

from promptadmin.db.lookups import fold
from promptadmin.search.words import Span, Term

#: A letter with the marks, or a syllable of Hangul with the parts, that NFC may bring together.
_MARKS = "".join(chr(code) for code in range(0x300, 0x3100) if unicodedata.category(chr(code))[0] == "M")
CLUSTER = re.compile(rf".[{_MARKS}\u1160-\u11ff]*", re.DOTALL)
LENGTH = 240
BEFORE = 60  # how much is shown before the first word found
ELLIPSIS = "…"


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


def found_spans(terms: Sequence[Term], text: str) -> list[Span]:
    """Where a text has any of the terms, without overlaps."""
    folded = fold(text)
    spans = sorted(span for term in terms for span in term.spans(folded))
    if len(folded) != len(text) or not unicodedata.is_normalized("NFC", text):
        spans = _unfolded(spans, text)
    merged: list[Span] = []
    for span in spans:
        if merged and span.start < merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(span.end, merged[-1].end))
        else:
            merged.append(span)
    return merged


def _unfolded(spans: Sequence[Span], text: str) -> list[Span]:
    """The spans of the text itself: some characters, such as ß, fold to more than one, some with marks to fewer."""
    clusters = [match.span() for match in CLUSTER.finditer(text)]
    ends = list(accumulate(len(fold(text[start:end])) for start, end in clusters))
    last = len(clusters) - 1
    unfolded = []
    for span in spans:
        first = min(bisect_left(ends, span.start + 1), last)
        unfolded.append(Span(clusters[first][0], clusters[max(first, min(bisect_left(ends, span.end), last))][1]))
    return unfolded


def snippet(terms: Sequence[Term], texts: Sequence[str]) -> Snippet:
    """The part with the most of what is asked for, of the first text that has the most; the beginning if none has."""
    found = [(text, found_spans(terms, text)) for text in texts]
    text, spans = max(found, key=lambda pair: _covered(pair[1], _best(pair[1])), default=("", []))
    if not spans:
        text = next(filter(None, texts), "")
    first = _best(spans)
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


def _best(spans: Sequence[Span]) -> int:
    """The number of the span after which most of the others follow within the length of a snippet."""
    return max(range(len(spans)), key=lambda first: _covered(spans, first), default=0)


def _covered(spans: Sequence[Span], first: int) -> int:
    if not spans:
        return 0
    reach = spans[first].start + LENGTH - BEFORE
    return bisect_left(spans, Span(reach, 0)) - first
