"""How many runs of each task type and status there are: stored beside each summary, for the totals of lists.

So a total is the sum of a few small numbers, and of the rows that are in no summary. Where runs have too many different
values nothing is stored, and the rows are counted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from optimizations.lists.filters import RunFilters
from optimizations.stats.rollups.reading import Cover, Rows, find_cover, has_rollups
from optimizations.stats.rollups.table import RUNS, TABLE
from promptadmin.db.chunks import in_chunks
from promptadmin.db.raw import fetch_all

Name = str | None
Kinds = Counter[tuple[Name, Name]]  # by task type and status

#: Filters whose runs are told by what is stored.
COLUMNS = ("project", "task_type", "status")
#: So many rows are read one by one; for more of them an index of the whole table is quicker.
MOST_READ = 16_384
#: Different values, from which on nothing is stored.
MOST_KINDS = 2_000
#: What a text that is no UTF-8 reads as: of such a name nothing is known.
REPLACEMENT = "\ufffd"
_dumps = json.JSONEncoder(separators=(",", ":")).encode


def read_kinds(connection: BaseDatabaseWrapper, cover: Cover, project: str) -> Kinds | None:
    """How many runs a cover is of, of all projects ('') or of one; None where that isn't known."""
    found: Kinds = Counter()
    for (stored,) in _stored(connection, cover):
        if stored is None:
            return None
        for task_type, status, runs in json.loads(stored):
            found[task_type, status] += runs
    of_one = "AND project = %s" if project else ""
    sql = f"SELECT task_type, status, COUNT(*) FROM {RUNS} WHERE rowid BETWEEN %s AND %s {of_one} GROUP BY 1, 2"
    for bounds in cover.rows:
        with connection.cursor() as cursor:
            cursor.execute(sql, [*bounds, project] if project else bounds)
            for task_type, status, runs in cursor.fetchall():
                found[_name(task_type), _name(status)] += runs
    return found


def packed(kinds: Kinds | None) -> str | None:
    """The numbers as a text for the table."""
    if kinds is None or len(kinds) > MOST_KINDS:
        return None
    return _dumps([(task_type, status, runs) for (task_type, status), runs in kinds.items()])


def count_stored(connection: BaseDatabaseWrapper, filters: RunFilters) -> int | None:
    """How many of all runs pass; None where the rows have to be counted.

    Those of stored summaries are added up, and rows in none are looked at, so it is the number of this moment.
    """
    if not is_told(filters, COLUMNS) or not has_rollups(connection) or not in_transaction(connection):
        return None  # several statements tell of one moment only in a transaction
    cover = find_cover(connection, filters.project)
    total = 0
    for (stored,) in _stored(connection, cover):
        if stored is None:
            return None
        total += sum_of(json.loads(stored), filters)
    rows = _count_rows(connection, filters, cover) if cover.stored else None
    return None if rows is None else total + rows


def in_transaction(connection: BaseDatabaseWrapper) -> bool:
    """Whether all that is read comes from one moment; SQLite only."""
    return bool(connection.connection.in_transaction)


def is_told(filters: RunFilters, columns: Collection[str]) -> bool:
    """Whether nothing is asked for but names in these columns, of which something may be known."""
    given = filters.given()
    return given.keys() <= set(columns) and not any(REPLACEMENT in value for value in given.values())


def _count_rows(connection: BaseDatabaseWrapper, filters: RunFilters, cover: Cover) -> int | None:
    """How many rows pass that no summary of a cover has; None where counting all rows is quicker."""
    exact = {name: getattr(filters, name) for name in COLUMNS}
    exact = {name: value for name, value in exact.items() if value}
    ranges = _within(connection, cover.rows)
    if not exact and sum(last - first + 1 for first, last in ranges) > MOST_READ:
        return None
    # Of a project's runs of a kind none are looked for among all of that kind.
    plain = {"status"} if len(exact) == len(COLUMNS) else set()
    conditions = ["rowid BETWEEN %s AND %s", *(f"{'+' * (name in plain)}{name} = %s" for name in exact)]
    sql = f"SELECT COUNT(*) FROM {RUNS} WHERE {' AND '.join(conditions)}"
    found = [fetch_all(connection, sql, [*bounds, *exact.values()]) for bounds in ranges]
    return sum(int(runs) for [(runs,)] in found)


def _within(connection: BaseDatabaseWrapper, ranges: Iterable[Rows]) -> list[Rows]:
    """Those of the ranges that may have rows, without the numbers before the first row and after the last one."""
    sql = f"SELECT (SELECT MIN(rowid) FROM {RUNS}), (SELECT MAX(rowid) FROM {RUNS})"
    [(least, greatest)] = fetch_all(connection, sql, [])
    if least is None:
        return []
    cut = [(max(first, least), min(last, greatest)) for first, last in ranges]
    return [(first, last) for first, last in cut if first <= last]


def _stored(connection: BaseDatabaseWrapper, cover: Cover) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for stored in in_chunks(cover.stored, 100):
        keys = [each.key for each in stored]
        marks = ", ".join(["%s"] * len(keys))
        found += fetch_all(connection, f"SELECT kinds FROM {TABLE} WHERE id IN ({marks})", keys)
    return found


def sum_of(rows: Iterable[tuple[Name, Name, int]], filters: RunFilters) -> int:
    """How many runs pass, of what is stored: task type, status, and how many there are."""
    task_type, status = filters.task_type or None, filters.status or None
    return sum(runs for task, state, runs in rows if task_type in (None, task) and status in (None, state))


def _name(value: object) -> Name:
    """A text, which a filter may mean; of what else a SQLite file may hold, none does."""
    return value if isinstance(value, str) else None
