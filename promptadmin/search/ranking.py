"""Ranked search: of the newest rows that have all words of a query, the best ones first."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain, islice, repeat
from operator import or_
from typing import Any, NamedTuple

from django.db import connections
from django.db.models import Q, QuerySet

from promptadmin.db.lookups import fold, texts_in_json
from promptadmin.db.row_numbers import RowNumber
from promptadmin.search import keys, postgresql
from promptadmin.search.candidate_filter import words_query
from promptadmin.search.index_file import LAST_DOCUMENT, Query, known_index
from promptadmin.search.tables import SearchedTable
from promptadmin.search.words import Field, Term, asked_words, score

#: How many of the rows that match are ranked: the newest. What is more than that, a narrower query finds.
MOST_RANKED = 200
#: Rows are read in groups that grow, for queries whose words many rows have, but not as they are asked for.
GROUPS = (MOST_RANKED + 1, 1_000, 5_000)


class Match(NamedTuple):
    """A row that has all words of a query: how well it answers it, its key, and its texts by column."""

    score: float
    key: str
    texts: dict[str, str]


class Matches(NamedTuple):
    """Matches, newest first, and whether these are all."""

    found: list[Match]
    is_all: bool


def newest_matches(
    rows: QuerySet[Any],
    table: SearchedTable,
    terms: Sequence[Term],
    *,
    weights: Mapping[str, float],
    facets: Mapping[str, str],
    newest: str = "created_at",
) -> Matches:
    """The newest MOST_RANKED of the rows that have all the terms.

    `rows` are those that pass all filters, of which `facets` are the ones that the index knows. `weights` says for each
    text column how much a word in it counts. `newest` is what PostgreSQL sorts by; SQLite goes by when a row was
    indexed: rows by their number at first, later ones when they were added or changed.
    """
    connection = connections[rows.db]
    if not terms:
        return Matches([], True)
    values = rows.order_by().values_list(table.key, *table.text_columns)
    if connection.vendor == "postgresql":
        candidates: Iterable[Any] = postgresql.with_words(values, table, terms, newest)
    else:
        candidates = _on_sqlite(values, table, terms, facets)
    found = list(islice(_answering(candidates, table, terms, weights), MOST_RANKED + 1))
    return Matches(found[:MOST_RANKED], len(found) <= MOST_RANKED)


def _answering(
    candidates: Iterable[Any], table: SearchedTable, terms: Sequence[Term], weights: Mapping[str, float]
) -> Iterator[Match]:
    seen = set()  # a row that changed may be found both as it is and as the index knows it
    for key, *values in candidates:
        if key in seen:
            continue
        seen.add(key)
        texts = {name: _meant(table, name, value) for name, value in zip(table.text_columns, values, strict=True)}
        fields = [Field(fold(text), weights.get(name, 1.0)) for name, text in texts.items() if text]
        points = score(terms, fields)
        if points is not None:
            yield Match(points, str(key), texts)


def _meant(table: SearchedTable, name: str, value: Any) -> str:
    """A stored text; of one that holds JSON, the texts in it."""
    if value is None:
        return ""
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    if name in table.json_texts:
        with suppress(ValueError, RecursionError):
            return " · ".join(texts_in_json(json.loads(text)))
    return text


def _on_sqlite(
    values: QuerySet[Any, Any], table: SearchedTable, terms: Sequence[Term], facets: Mapping[str, str]
) -> Iterator[Any]:
    """Rows that may answer, with their values: those that the index doesn't know, then the newest that it does."""
    parts = [
        functools.reduce(or_, (_contains(table, column, word) for column in table.text_columns))
        for word in dict.fromkeys(word for word, _ in asked_words(terms))
    ]
    # What has all words has all of them as parts.
    read = values.filter(*parts).order_by(RowNumber(table.key).desc())
    query, before = Query("words", words_query(terms, facets)), LAST_DOCUMENT
    with known_index(connections[values.db], table) as known:
        if known:
            if known.changed:
                yield from read.filter(keys.among(table, known.changed))
            for size in chain(GROUPS, repeat(GROUPS[-1])):
                found = known.reader.newest(query, size, before)
                rows = {row[0]: row for row in values.filter(keys.among(table, (key for _, key in found)))}
                yield from (rows[key] for _, key in found if key in rows)
                if len(found) < size:
                    return
                before = found[-1][0]
    yield from read.iterator(chunk_size=MOST_RANKED)


def _contains(table: SearchedTable, column: str, word: str) -> Q:
    return Q(**{f"{column}__folded_contains": word})
