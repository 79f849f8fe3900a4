"""Words: what is one, what a query asks for, and how well texts answer it. All texts are folded before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from promptadmin.db.lookups import fold
from promptadmin.search.scripts import LETTER, LETTERS, has_letter

WORD = re.compile(r"[^\W_]+")
#: Where letters of scripts without blanks are: each of them is a word, and others end before it.
OTHER_LETTER, OTHER_BETWEEN = rf"(?![{LETTERS}])[^\W_]", rf"(?:(?![{LETTERS}])[\W_])"
MIXED_WORD = re.compile(rf"[{LETTERS}]|(?:{OTHER_LETTER})+")
BLANKED = bytes(code if chr(code).isalnum() and code < 128 else 32 for code in range(256))
BETWEEN_WORDS = r"[\W_]+"
NO_LETTER_BEFORE, NO_LETTER_AFTER = r"(?<![^\W_])", r"(?![^\W_])"
ASKED = re.compile(r'"([^"]*)(?:"|$)(\*?)|([^\s"]+)')
#: A query is cut after so many words: more narrow nothing down.
MOST_TERMS = 16
#: An index is asked for so many different words: the rows that have them are held against all.
MOST_ASKED = 32
# How soon more of the same counts less, and how much a long text counts less: BM25's k1 and b, and a usual length.
SATURATION, LENGTH_PENALTY, USUAL_LENGTH = 1.2, 0.75, 2000


def words(folded: str) -> list[str]:
    """The words of a folded text, in its order: runs of letters and digits, and single letters of some scripts."""
    if folded.isascii():  # as most are
        return folded.encode().translate(BLANKED).decode().split()
    return MIXED_WORD.findall(folded) if has_letter(folded) else WORD.findall(folded)


class Span(NamedTuple):
    """A part of a text, from one position to before another."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that a text must have: a word, the beginning of one, or words that follow each other."""

    words: tuple[str, ...]
    is_prefix: bool = False

    @property
    def pattern(self) -> re.Pattern[str]:
        """Finds the words in a folded text without letters of scripts without blanks."""
        end = "" if self.is_prefix else NO_LETTER_AFTER
        return re.compile(f"{NO_LETTER_BEFORE}{BETWEEN_WORDS.join(map(re.escape, self.words))}{end}")

    @property
    def mixed_pattern(self) -> re.Pattern[str]:
        """Finds the words in any folded text: a word of such letters may touch the one before and the one after."""
        single = [LETTER.match(word) is not None for word in self.words]
        parts = [re.escape(self.words[0])]
        for number, word in enumerate(self.words[1:], start=1):
            parts += [OTHER_BETWEEN, "*" if single[number - 1] or single[number] else "+", re.escape(word)]
        before = "" if single[0] else f"(?<!{OTHER_LETTER})"
        after = "" if single[-1] or self.is_prefix else f"(?!{OTHER_LETTER})"
        return re.compile(f"{before}{''.join(parts)}{after}")

    def spans(self, folded: str) -> Iterator[Span]:
        """Where a folded text has it."""
        if self.words[0] not in folded:
            return
        pattern = self.mixed_pattern if has_letter(folded) else self.pattern
        for match in pattern.finditer(folded):
            yield Span(*match.span())


def read_query(text: str) -> tuple[Term, ...]:
    """What a query asks for: words, "words in quotes" that follow each other, and beginnings of words, as in begin*.

    Words that no blank separates, as in well-known, follow each other too. Everything else means nothing. None at all
    where there is no word.
    """
    terms: dict[Term, None] = {}
    for quoted, star, plain in ASKED.findall(text):
        found = tuple(words(fold(quoted or plain)))
        if found:
            terms[Term(found, bool(star) or (bool(plain) and plain.endswith("*")))] = None
    return tuple(terms)[:MOST_TERMS]


def asked_words(terms: Sequence[Term]) -> list[tuple[str, bool]]:
    """The words that an index is asked for, each with whether it may be the beginning of one."""
    found = ((word, term.is_prefix and word == term.words[-1]) for term in terms for word in term.words)
    return list(dict.fromkeys(found))[:MOST_ASKED]


class Field(NamedTuple):
    """One text of a row, folded, and how much a word in it counts."""

    folded: str
    weight: float


def score(terms: Sequence[Term], fields: Sequence[Field]) -> float | None:
    """How well a row answers a query: more is better; None where it lacks a term.

    This is BM25 without the rarity of words, which would take a count of all rows that have them: each row has all.
    """
    length = sum(len(field.folded) for field in fields)
    damping = SATURATION * (1 - LENGTH_PENALTY + LENGTH_PENALTY * length / USUAL_LENGTH)
    total = 0.0
    for term in terms:
        counted = sum(field.weight * sum(1 for _ in term.spans(field.folded)) for field in fields)
        if not counted:
            return None
        total += counted * (SATURATION + 1) / (counted + damping)
    return total
