"""Asking the index. What it answers is held against the rows themselves, and rows that it doesn't know are read.

Without an index, or with one that doesn't tell the truth, all rows are read: slower, and as right.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db.lookups import fold
from promptadmin.db.sqlite.connections import is_file
from promptadmin.search import index_file, tracking
from promptadmin.search.index_file import PART_LENGTH, Place, Reader, facet_word
from promptadmin.search.scripts import is_all_letters
from promptadmin.search.tables import SearchedTable
from promptadmin.search.words import Term, asked_words, words

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")

#: A text that more rows may have is common: the newest of them are soon found without the index.
FEW = 5_000
#: Rows that the index doesn't know; where there are more, it isn't built yet.
MOST_UNKNOWN = 5_000
MOST_PARTS = 16


@contextlib.contextmanager
def known_index(connection: BaseDatabaseWrapper, table: SearchedTable) -> Iterator[tuple[Reader, Place] | None]:
    """The index of a table and how far it is proven; None where there is none that tells the truth."""
    if not is_file(connection) or connection.connection is None:
        yield None
        return
    raw: sqlite3.Connection = connection.connection
    with index_file.reading(connection.settings_dict["NAME"], table) as reader:
        place = reader.place() if reader else None
        state = tracking.read_state(raw, table) if place else None
        if reader is None or place is None or state is None:
            yield None
            return
        witnesses = asked(reader.witnesses)
        mark = None if witnesses is None else tracking.proven(raw, table, state, place, witnesses)
        yield None if mark is None else (reader, place._replace(mark=mark))


def asked(question: Callable[[], Answer]) -> Answer | None:
    """What the index answers; None where it is damaged."""
    try:
        return question()
    except sqlite3.OperationalError:  # a deadline
        raise
    except sqlite3.DatabaseError as error:
        logger.warning("The search index is damaged (%s): rows are read instead.", error)
        return None


def parts_query(needle: str) -> str | None:
    """What asks the index for a folded part of a text; None where it can't help."""
    if len(needle) < PART_LENGTH or "\0" in needle:
        return None
    with contextlib.suppress(UnicodeEncodeError):
        needle.encode()
        parts = dict.fromkeys(needle[start : start + PART_LENGTH] for start in range(len(needle) - PART_LENGTH + 1))
        spread = list(parts)[:: max(1, len(parts) // MOST_PARTS)]
        return " AND ".join(_quoted(part) for part in spread)
    return None


def words_query(terms: Sequence[Term], facets: Mapping[str, str]) -> str:
    """What asks the index for rows that may answer a query: words that follow each other are only asked to be there."""
    asked = [_quoted(word) + (" *" if is_prefix else "") for word, is_prefix in asked_words(terms)]
    return " AND ".join([*asked, *(_quoted(facet_word(name, value)) for name, value in facets.items())])


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


@dataclass(frozen=True, slots=True)
class Candidates:
    """The rows that may contain a part, if they are few; otherwise `rows` is None."""

    rows: list[int] | None


class _Parts(NamedTuple):
    """An open index, the rows that have all parts of a text there, and the rows that it doesn't know."""

    reader: Reader
    rows: list[int]
    unknown: set[int]


@contextlib.contextmanager
def _with_parts(
    connection: BaseDatabaseWrapper, table: SearchedTable, needle: str, limit: int = -1
) -> Iterator[_Parts | None]:
    """What the index knows of a folded text; None where only reading all rows tells."""
    match, kind = parts_query(needle), "parts"
    if match is None and is_all_letters(needle):  # shorter than what the trigram index finds
        match, kind = words_query([Term(tuple(needle))], {}), "words"
    if match is None:
        yield None
        return
    with known_index(connection, table) as known:
        if known is None:
            yield None
            return
        reader, place = known
        unknown = _few_unknown(connection, table, place)
        rows = None if unknown is None else asked(lambda: reader.newest_rows(kind, match, limit))
        yield None if unknown is None or rows is None else _Parts(reader, rows, unknown)


def rows_that_may_contain(connection: BaseDatabaseWrapper, table: SearchedTable, text: str) -> Candidates | None:
    """Every row that may contain a text is among these; None where only reading all rows tells."""
    with _with_parts(connection, table, fold(text), FEW + 1) as found:
        if found is None:
            return None
        return Candidates(None if len(found.rows) > FEW else sorted({*found.rows, *found.unknown}))


def _few_unknown(connection: BaseDatabaseWrapper, table: SearchedTable, place: Place) -> set[int] | None:
    new = tracking.rows_after(connection.connection, table, place.mark, MOST_UNKNOWN + 1)
    rows = {*new, *tracking.changed_rows(connection.connection, table, place.applied, MOST_UNKNOWN + 1)}
    return rows if len(rows) <= MOST_UNKNOWN else None


def rows_to_count(
    connection: BaseDatabaseWrapper, table: SearchedTable, text: str, facets: Mapping[str, str] | None
) -> tuple[int, list[int]] | None:
    """How many rows contain a text for certain, and which others may; None where only reading all rows tells.

    A row with a word that begins with the text contains it, if that is one word. `facets` are all that the rows must
    have beside; None for more than the index knows of: then every row only may.
    """
    needle = fold(text)
    with _with_parts(connection, table, needle) as found:
        if found is None:
            return None
        candidates, unknown = set(found.rows), found.unknown
        certain: set[int] = set()
        if facets is not None and words(needle) == [needle]:
            query = words_query([Term((needle,), is_prefix=True)], facets)
            certain = set(asked(lambda: found.reader.rows_with_words(query)) or ())
        elif facets is not None and not facets and len(needle) == PART_LENGTH:
            certain = candidates
    certain -= unknown
    return len(certain), sorted((candidates | unknown) - certain)
