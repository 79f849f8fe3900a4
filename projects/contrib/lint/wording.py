"""What is left over, missing, too much or there twice."""

from __future__ import annotations

import re
from collections.abc import Iterator

from projects.prompt_checks import CheckedPrompt, Finding, Severity
from projects.texts.keys import fold_blanks

#: Marks of something that somebody meant to fill in. `{name}` is none: programs fill those when they use the prompt.
_ASKS = r"(?:insert|your|add|enter|fill in|put|placeholder|name of|describe)\b"
PLACEHOLDERS = re.compile(
    rf"\b(?:TODO|FIXME|TBD|TBA|XXX)\b|\[(?i:{_ASKS})[^\]\n]{{0,80}}\]|<(?i:{_ASKS})[^>\n]{{0,80}}>"
    r"|\{\{?\s*\}?\}|_{4,}|(?i:\blorem ipsum\b)"
)
#: A word about the form of an answer.
FORMAT = re.compile(
    r"\b(?:json|xml|html|yaml|csv|sql|markdown|tables?|lists?|bullets?|bullet points?|numbered|columns?|headings?"
    r"|format(?:ted)?|schema|template|paragraphs?|sentences?|words?|characters?|lines?|one-line|code block|diff|steps?"
    r"|(?:answer|reply|respond|return|output|print)(?: only)? (?:with|in|as|the|a|an|only|exactly)|only answer)\b",
    re.IGNORECASE,
)
#: In characters, about 1,500 tokens of English.
LONG_TEXT = 6_000
#: So many characters tell most texts apart.
BEGINNING = 40


def find_unfilled_placeholders(prompt: CheckedPrompt) -> Iterator[Finding]:
    """TODO, [insert name], empty braces and the like: a model takes them for part of the task."""
    for match in PLACEHOLDERS.finditer(prompt.text):
        message = f"'{match.group()}' looks like something left to fill in: fill it in, or take it out."
        yield Finding(Severity.WARNING, message, *match.span())


def find_missing_output_format(prompt: CheckedPrompt) -> Iterator[Finding]:
    """No word about the form of the answer: each run may come in another one."""
    if prompt.text.strip() and not FORMAT.search(prompt.text):
        yield Finding(
            Severity.NOTE,
            "Nothing says what form the answer should have: name one, such as JSON, a list, or three sentences.",
        )


def find_very_long_text(prompt: CheckedPrompt) -> Iterator[Finding]:
    """A text so long that models lose sight of parts of it, and that costs its length with each run."""
    length = len(prompt.text) + len(prompt.rest)
    if length > LONG_TEXT:
        yield Finding(
            Severity.NOTE,
            f"The text has {length:,} characters, more than {LONG_TEXT:,}: shorten it, or split the task.",
            LONG_TEXT,
            length,
        )


def find_duplicates(prompt: CheckedPrompt) -> Iterator[Finding]:
    """Another prompt of the project with the same text but for blanks and capitals: they will drift apart."""
    folded = fold_blanks(prompt.text + prompt.rest).casefold()
    beginning = folded[:BEGINNING]
    twins = [
        key
        for key, text in prompt.others
        # Most differ soon: the folded beginning of a text needs no more than its words.
        if " ".join(text.split(None, BEGINNING)[:BEGINNING]).casefold()[:BEGINNING] == beginning
        and fold_blanks(text).casefold() == folded
    ]
    if twins:
        more = f" and {len(twins) - 1} more" if len(twins) > 1 else ""
        yield Finding(
            Severity.WARNING,
            f"The project has the same text as prompt {twins[0]}{more}: delete one, or tell them apart.",
        )
