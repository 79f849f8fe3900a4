"""Length limits that no answer can keep."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from projects.prompt_checks import CheckedPrompt, Finding, Severity

_WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
NUMBERS = {word: number for number, word in enumerate(_WORDS, 1)}
_NUMBER = r"(\d[\d,]{0,8}|" + "|".join(NUMBERS) + ")"
_UNIT = r"[ -](?:\w+ )?(word|sentence|paragraph|character|line|bullet|item|token|page)s?\b"
_UPPER = (
    r"(?:at most|no more than|not more than|up to|(?:a )?maximum of|max\.?|fewer than|less than|under|below|within)"
)
_LOWER = r"(?:at least|no fewer than|no less than|not less than|(?:a )?minimum of|min\.?|more than|over)"
#: Form of a limit → whether its numbers are the least, the most, or both. The first that fits a place has it.
FORMS = (
    (re.compile(rf"\bbetween {_NUMBER} and {_NUMBER}{_UNIT}", re.IGNORECASE), "range"),
    (re.compile(rf"\b{_UPPER} {_NUMBER}{_UNIT}", re.IGNORECASE), "upper"),
    (re.compile(rf"\b{_LOWER} {_NUMBER}{_UNIT}", re.IGNORECASE), "lower"),
    (re.compile(rf"\b(?:exactly|precisely|in) {_NUMBER}{_UNIT}", re.IGNORECASE), "exact"),
)
#: As many limits of each form are looked at: each is compared with all others.
MOST = 100
_EACH = re.compile(r"\b(?:each|every|per)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Limit:
    """What a text says about a length, and where."""

    words: str
    start: int
    end: int
    least: int | None
    most: int | None


def find_contradictory_lengths(prompt: CheckedPrompt) -> Iterator[Finding]:
    """Two limits of one unit that exclude each other; not those of parts, as in "each title at most five words"."""
    limits: defaultdict[str, list[Limit]] = defaultdict(list)
    for unit, limit in sorted(_limits(prompt.text), key=lambda found: found[1].start):
        for earlier in limits[unit]:
            if _excludes(earlier, limit) or _excludes(limit, earlier):
                message = (
                    f"'{limit.words}' contradicts '{earlier.words}': no answer can keep both. Keep one, or say what "
                    "each is about."
                )
                yield Finding(Severity.WARNING, message, limit.start, limit.end)
                break
        limits[unit].append(limit)


def _excludes(one: Limit, other: Limit) -> bool:
    return one.least is not None and other.most is not None and one.least > other.most


def _limits(text: str) -> Iterator[tuple[str, Limit]]:
    taken: list[tuple[int, int]] = []
    for form, kind in FORMS:
        for match in islice(form.finditer(text), MOST):
            start, end = match.span()
            if any(start < other_end and other_start < end for other_start, other_end in taken):
                continue
            taken.append((start, end))
            sentence = text[max(text.rfind(mark, 0, start) for mark in ".!?\n") + 1 : start]
            if _EACH.search(sentence):
                continue
            *numbers, unit = match.groups()
            values = [_number(number) for number in numbers]
            least = None if kind == "upper" else min(values)
            most = None if kind == "lower" else max(values)
            yield unit.lower(), Limit(match.group(), start, end, least, most)


def _number(text: str) -> int:
    return NUMBERS.get(text.lower()) or int(text.replace(",", ""))
