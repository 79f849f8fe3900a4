"""Search on PostgreSQL: its own indexes, which are right by themselves. Upkeep makes them, keeping no writer waiting.

Words are cut out of the folded texts before PostgreSQL sees them: it would take an address, or a word with a dash, for
one word. Parts of texts are found through trigrams where the extension pg_trgm is there or may be made.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL

from promptadmin.db.derived_tables import PREFIX
from promptadmin.db.lookups import MEANS_ASCII, fold, json_pattern
from promptadmin.plugins.steps import JobResult
from promptadmin.search.scripts import LETTERS
from promptadmin.search.tables import SearchedTable
from promptadmin.search.words import Term, asked_words

logger = logging.getLogger(__name__)

#: A text of more different words than fit into a megabyte has no index entry, and its row couldn't be stored.
LONGEST = 200_000
ROWS_A_FETCH = 200
#: What stood in the place of the index of escapes, by another condition.
FORMER = PREFIX + "search_{}_escapes"
#: The comment on an index: one with another comment is of another expression, and is made anew.
FORMAT = "folds to NFC; letters of scripts without blanks are words"
IS_READY = f"i.indisvalid AND OBJ_DESCRIPTION(i.indexrelid, 'pg_class') = '{FORMAT}'"
#: A text that more rows may have is common: the newest of them are soon found on the way along an index.
FEW = 1_000
#: So many rows with words are sorted sooner than the newest of them are found on the way along an index.
MANY_TO_SORT = 20_000


def folded_document(table: SearchedTable) -> str:
    """All texts of a row, folded, in SQL; the same text as the index's, or PostgreSQL won't use it."""
    return _folded(_document(table))


def _document(table: SearchedTable) -> str:
    texts = " || E'\\n' || ".join(f"COALESCE({table.name}.{column}, '')" for column in table.text_columns)
    return f"({texts})"


def _folded(text: str) -> str:
    return f"""NORMALIZE(UPPER(LOWER(NORMALIZE({text}) COLLATE "und-x-icu")))"""


def _part(text: str) -> str:
    """A pattern of LIKE for whatever contains a text."""
    return "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


def words_vector(table: SearchedTable) -> str:
    """The words of a row, in SQL."""
    folded, plain = f"LEFT({folded_document(table)}, {LONGEST})", _document(table)
    words = f"REGEXP_REPLACE({folded}, '[^[:alnum:]]+', ' ', 'g')"
    # A text with letters of scripts without blanks: each of them is a word.
    mixed = (
        f"REGEXP_REPLACE(REGEXP_REPLACE({folded}, '[^[:alnum:]{LETTERS}]+', ' ', 'g'), '([{LETTERS}])', ' \\1 ', 'g')"
    )
    blanked = f"CASE WHEN OCTET_LENGTH({plain}) = LENGTH({plain}) THEN {words} ELSE {mixed} END"
    return f"TO_TSVECTOR('simple', {blanked})"


def has_escapes(table: SearchedTable) -> str:
    """Whether JSON in a row may mean other texts than are stored, in SQL that takes parameters.

    By LIKE, of which PostgreSQL knows how many rows pass; of a comparison with STRPOS it believes that a third do.
    """
    return " OR ".join(f"{table.name}.{column} LIKE E'%%\\\\\\\\%%'" for column in table.json_texts)


def with_words(values: QuerySet[Any, Any], table: SearchedTable, terms: Sequence[Term], newest: str) -> Iterator[Any]:
    """Rows that may answer a query, with their values, newest first."""
    pairs = asked_words(terms)
    asked = " && ".join(f"TO_TSQUERY('simple', %s || '{':*' if is_prefix else ''}')" for _, is_prefix in pairs)
    by_words, words = f"{words_vector(table)} @@ ({asked})", [word for word, _ in pairs]
    keys, parameters = _keys_with_words(table, by_words, words)
    with connections[values.db].cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM ({keys} LIMIT %s) AS found", [*parameters, MANY_TO_SORT])
        [(found,)] = cursor.fetchall()
    if found < MANY_TO_SORT:
        condition = f"{table.name}.{table.key} = ANY (ARRAY({keys}))"
    else:  # the newest are soon found on the way through all rows
        condition = f"({by_words} OR {has_escapes(table)})" if table.json_texts else by_words
        parameters = words
    matches = RawSQL(condition, parameters, output_field=BooleanField())  # noqa: S611  # of columns' names
    yield from values.filter(matches).order_by(f"-{newest}", f"-{table.key}").iterator(chunk_size=ROWS_A_FETCH)


def _keys_with_words(table: SearchedTable, by_words: str, words: list[str]) -> tuple[str, list[str]]:
    """What finds the keys of all rows that may have words, in SQL: those that the index has, and those in escapes."""
    select = f"SELECT {table.key} FROM {table.name} WHERE"
    if not table.json_texts:
        return f"{select} {by_words}", words
    by_escapes, parameters = f"({has_escapes(table)})", list[str]()
    if all(word.isascii() for word in words):
        # Unless an escape means a letter of ASCII, a word stands there as it is, but maybe right after an escape.
        columns, parts = [f"{table.name}.{column}" for column in table.json_texts], [_part(word) for word in words]
        meant = [f"{column} ~ %s" for column in columns]
        meant += [f"{_folded(column)} LIKE %s" for column in columns for _ in parts]
        by_escapes += f" AND ({' OR '.join(meant)})"
        parameters = [MEANS_ASCII] * len(columns) + parts * len(columns)
    return f"{select} {by_words} UNION ALL {select} {by_escapes}", [*words, *parameters]


def may_contain(table: SearchedTable, text: str) -> RawSQL:
    """A condition that every row with this text passes, which the index of trigrams answers before any row is read.

    An array, because PostgreSQL would take a list of keys in a subquery for a reason to read the whole table.
    """
    keys, parameters = _keys(table, text)
    return RawSQL(f"{table.name}.{table.key} = ANY (ARRAY({keys}))", parameters, output_field=BooleanField())  # noqa: S611  # of columns' names


def few_that_may_contain(connection: BaseDatabaseWrapper, table: SearchedTable, text: str) -> list[str] | None:
    """The keys of all rows that may have this text; None where they are more than FEW."""
    keys, parameters = _keys(table, text)
    with connection.cursor() as cursor:
        cursor.execute(f"{keys} LIMIT %s", [*parameters, FEW + 1])
        found = [key for (key,) in cursor.fetchall()]
    return found if len(found) <= FEW else None


def _keys(table: SearchedTable, text: str) -> tuple[str, list[str]]:
    """What finds the keys of rows that may have a text, in SQL, some twice: by the trigrams, and in JSON's escapes."""
    select = f"SELECT {table.key} FROM {table.name} WHERE"
    found = [f"{select} {folded_document(table)} LIKE %s"]
    parameters = [_part(fold(text))]
    if table.json_texts:
        patterns = [MEANS_ASCII, json_pattern(text)] if text.isascii() else [json_pattern(text)]
        matches = (" AND ".join([f"{table.name}.{column} ~ %s"] * len(patterns)) for column in table.json_texts)
        found.append(f"{select} ({has_escapes(table)}) AND ({' OR '.join(matches)})")
        parameters += patterns * len(table.json_texts)
    return " UNION ALL ".join(found), parameters


def has_trigrams(connection: BaseDatabaseWrapper, table: SearchedTable) -> bool:
    """Whether the index of trigrams is there."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {IS_READY} FROM pg_index i WHERE i.indexrelid = to_regclass(%s)", [_names(table)[1]])
        return bool(cursor.fetchone() == (True,))


def progress(connection: BaseDatabaseWrapper, table: SearchedTable) -> tuple[int, int]:
    """How many of how many rows are indexed: all or none, as many as PostgreSQL believes there are."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT GREATEST(c.reltuples, 0)::bigint, COALESCE((SELECT {IS_READY} FROM pg_index i "
            "WHERE i.indexrelid = to_regclass(%s)), FALSE) FROM pg_class c WHERE c.oid = to_regclass(%s)",
            [_names(table)[0], table.name],
        )
        rows, is_indexed = cursor.fetchone()
    return (rows if is_indexed else 0), rows


def index_piece(using: str, table: SearchedTable) -> JobResult:
    """Make the indexes that aren't there, one a piece."""
    connection = connections[using]
    wanted = _missing(connection, table)
    if not wanted:
        return JobResult(0, 0)
    name, statement = wanted[0]
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")  # one that was interrupted is there, but invalid
        cursor.execute(statement, [])
        cursor.execute(f"COMMENT ON INDEX {name} IS '{FORMAT}'")
        cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {FORMER.format(table.name)}")
    return JobResult(1, len(wanted) - 1)


def _names(table: SearchedTable) -> tuple[str, str, str]:
    return tuple(f"{PREFIX}search_{table.name}_{what}" for what in ("words", "parts", "escaped"))  # type: ignore[return-value]  # three


def _missing(connection: BaseDatabaseWrapper, table: SearchedTable) -> list[tuple[str, str]]:
    words, parts, escaped = _names(table)
    make = "CREATE INDEX CONCURRENTLY"
    indexes = {words: f"{make} {words} ON {table.name} USING gin (({words_vector(table)}))"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
        if cursor.fetchone() or _may_make_trigrams(connection):
            indexes[parts] = f"{make} {parts} ON {table.name} USING gin (({folded_document(table)}) gin_trgm_ops)"
            if table.json_texts:
                indexes[escaped] = f"{make} {escaped} ON {table.name} ({table.key}) WHERE {has_escapes(table)}"
        cursor.execute(
            "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
            f"WHERE {IS_READY} AND c.relname = ANY (%s)",
            [list(indexes)],
        )
        valid = {name for (name,) in cursor.fetchall()}
    return [(name, statement) for name, statement in indexes.items() if name not in valid]


def _may_make_trigrams(connection: BaseDatabaseWrapper) -> bool:
    with contextlib.suppress(DatabaseError), connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        return True
    return False
