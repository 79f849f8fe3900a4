"""Texts that differ only by their blanks are the same prompt: what of them is alike, in Python and in SQL."""

from __future__ import annotations

from typing import Any

from django.db import models

#: What SQL can do of `fold_blanks` on both engines: line feeds and tabs to blanks, then pairs of blanks to one, once.
FOLDED = "TRIM(REPLACE(REPLACE(REPLACE({}, '\n', ' '), '\t', ' '), '  ', ' '))"
KEY_LENGTH = 40
#: The beginning of that, by which an index finds a project's prompts. A statement must say it in the same words.
KEY = f"SUBSTR({FOLDED}, 1, {KEY_LENGTH})"


def key_of_content() -> models.Func:
    return key_of(models.F("content"))


def key_of(text: Any) -> models.Func:
    """The key of a column, or of another expression."""
    return models.Func(text, template=KEY.format("%(expressions)s"))


def fold_blanks(text: str) -> str:
    """The text with one blank for each run of blanks, and none around it."""
    return " ".join(text.split())


def half_folded(text: str) -> str:
    """What FOLDED makes of a text."""
    return _replaced(text).strip(" ")


def keys(text: str) -> list[str]:
    """The keys of all texts that SQL finds to be this one: as it is, or with its blanks folded.

    What the beginning of a text becomes depends on no more than twice as many characters, and as many words.
    """
    beginning = text.strip(" \n\t")[: 2 * KEY_LENGTH]
    words = text.split(None, KEY_LENGTH)[:KEY_LENGTH]
    return [_replaced(beginning)[:KEY_LENGTH], " ".join(words)[:KEY_LENGTH]]


def _replaced(text: str) -> str:
    return text.replace("\n", " ").replace("\t", " ").replace("  ", " ")
