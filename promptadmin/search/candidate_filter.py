"""Which rows a search needs to read: the index knows all that may have a text, and the rows themselves decide.

Without an index of these rows, or with many changes since, all rows are read: slower, and as right.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q

from promptadmin.db.lookups import fold
from promptadmin.search import keys, postgresql
from promptadmin.search.index_file import Query, facet_word, known_index
from promptadmin.search.scripts import is_all_letters
from promptadmin.search.tables import SearchedTable
from promptadmin.search.words import Term, asked_words, words

PART_LENGTH = 3  # what the trigram index finds has three characters or more
MOST_PARTS = 16
#: Where more rows may have a text, they aren't all read for a page: if they do, the newest of them are soon found.
FEW = 5_000


class Narrowed(NamedTuple):
    """A condition that every row with the text passes; an empty one where the index can't tell or they may be many.

    `may_be_common` says that more than FEW rows may have it. How many do, an index of trigrams doesn't know: they may
    stand anywhere in a row.
    """

    condition: Q
    may_be_common: bool = False


NOT_NARROWED = Narrowed(Q())


def narrow(connection: BaseDatabaseWrapper, table: SearchedTable, text: str | None) -> Narrowed:
    """What narrows a search of a table for a part of its texts; nothing where the index can't tell."""
    if not text:
        return NOT_NARROWED
    if connection.vendor == "postgresql":
        if not _has_trigrams(connection, table, text):
            return NOT_NARROWED
        found = postgresql.few_that_may_contain(connection, table, text)
        return NOT_NARROWED if found is None else Narrowed(Q(**{f"{table.key}__in": found}))
    query = text_query(fold(text))
    if query is not None:
        with known_index(connection, table) as known:
            if known:
                candidates = {key for _, key in known.reader.newest(query, FEW + 1)}
                if len(candidates) > FEW:
                    return Narrowed(Q(), may_be_common=True)
                return Narrowed(keys.among(table, candidates | known.changed))
    return NOT_NARROWED


def narrow_for_count(connection: BaseDatabaseWrapper, table: SearchedTable, text: str) -> Q:
    """A condition that every row with the text passes, however many: PostgreSQL then reads no others to count them."""
    helps = connection.vendor == "postgresql" and _has_trigrams(connection, table, text)
    return Q(postgresql.may_contain(table, text)) if helps else Q()


def _has_trigrams(connection: BaseDatabaseWrapper, table: SearchedTable, text: str) -> bool:
    return len(fold(text)) >= PART_LENGTH and postgresql.has_trigrams(connection, table)


class Counted(NamedTuple):
    """How many rows contain a text for certain, the keys of these if they are few, and the keys of those that may."""

    certain: int
    few_certain: list[str] | None
    uncertain: list[str]


def count_candidates(
    connection: BaseDatabaseWrapper, table: SearchedTable, text: str, facets: Mapping[str, str] | None, *, few: int
) -> Counted | None:
    """How many rows of a SQLite table contain a text; None where only reading all rows tells.

    A row with a word that begins with the text contains it, if that is one word. `facets` are all that the rows must
    have beside; None for more than the index knows of: then every row only may.
    """
    needle = fold(text)
    query = text_query(needle)
    if query is not None:
        with known_index(connection, table) as known:
            if known:
                candidates, certain = known.reader.all(query), set[int]()
                if facets is not None and words(needle) == [needle]:
                    certain = known.reader.all(Query("words", words_query([Term((needle,), is_prefix=True)], facets)))
                elif facets is not None and not facets and len(needle) == PART_LENGTH:
                    certain = candidates
                certain = certain - known.reader.of_keys(known.changed)
                few_certain = list(known.reader.keys(certain)) if len(certain) <= few else None
                uncertain = known.reader.keys(candidates - certain) | known.changed
                return Counted(len(certain), few_certain, sorted(uncertain))
    return None


def text_query(needle: str) -> Query | None:
    """What finds all documents with a folded text; None where the index can't help."""
    match = parts_query(needle)
    if match is not None:
        return Query("parts", match)
    # Shorter than what the trigram index finds.
    return Query("words", words_query([Term(tuple(needle))], {})) if is_all_letters(needle) else None


def parts_query(needle: str) -> str | None:
    """What finds a folded part of a text by its trigrams; None where it has none."""
    if len(needle) < PART_LENGTH or "\0" in needle:
        return None
    with contextlib.suppress(UnicodeEncodeError):
        needle.encode()
        parts = dict.fromkeys(needle[start : start + PART_LENGTH] for start in range(len(needle) - PART_LENGTH + 1))
        spread = list(parts)[:: max(1, len(parts) // MOST_PARTS)]
        return " AND ".join(_quoted(part) for part in spread)
    return None


def words_query(terms: Sequence[Term], facets: Mapping[str, str]) -> str:
    """What finds rows that may answer a query: words that follow each other are only asked to be there."""
    asked = [_quoted(word) + (" *" if is_prefix else "") for word, is_prefix in asked_words(terms)]
    return " AND ".join([*asked, *(_quoted(facet_word(name, value)) for name, value in facets.items())])


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
