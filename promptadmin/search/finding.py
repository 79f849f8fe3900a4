"""Asking the index. What it answers is held against the rows themselves, and rows that changed since are read.

Without an index of these rows, or with many changes since, all rows are read: slower, and as right.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db.sqlite.connections import is_file
from promptadmin.search import changes, index_file
from promptadmin.search.index_file import PART_LENGTH, Place, Query, Reader, facet_word
from promptadmin.search.scripts import is_all_letters
from promptadmin.search.tables import SearchedTable
from promptadmin.search.words import Term, asked_words

logger = logging.getLogger(__name__)

#: Where more changes aren't indexed yet, the index isn't asked.
MOST_CHANGES = 5_000
MOST_PARTS = 16


class Known(NamedTuple):
    """An open index, which is right about all rows but those with these keys."""

    reader: Reader
    changed: set[str]


@contextlib.contextmanager
def index_of_rows(connection: BaseDatabaseWrapper, table: SearchedTable) -> Iterator[tuple[Reader, Place] | None]:
    """The index of a SQLite table, if there is one that was made from its rows, and its place."""
    if not is_file(connection) or connection.connection is None:
        yield None
        return
    with index_file.reading(connection.settings_dict["NAME"], table) as index:
        place = index.place() if index else None
        is_right = place is not None and changes.is_kept(connection.connection, table, place.seen)
        yield (index, place) if index and place and is_right else None


@contextlib.contextmanager
def known_index(connection: BaseDatabaseWrapper, table: SearchedTable) -> Iterator[Known | None]:
    """The same, unless many changes aren't indexed yet. Of a damaged index, the block ends where it is asked."""
    try:
        with index_of_rows(connection, table) as found:
            known = None
            if found:
                index, place = found
                after = changes.keys_after(connection.connection, table, place.applied, MOST_CHANGES + 1)
                known = Known(index, {key for _, key in after}) if len(after) <= MOST_CHANGES else None
            yield known
    except sqlite3.OperationalError:  # a deadline
        raise
    except sqlite3.DatabaseError as error:
        logger.warning("The search index is damaged (%s): rows are read instead.", error)


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
