"""What the database itself knows of the index: how far each table is indexed, and what changed in the rows up to there.

Rows are indexed in the order of their numbers, up to the mark. Rows beyond are new: whoever searches reads them, and
adding one costs no more than before. Triggers, in plain SQL, note each change of a row up to the mark, by any program.
What rows an index says nothing about is thus known at each moment.

VACUUM, or a file made anew from a dump, may number rows anew, from 1 on and in their order; nothing else tells of it
for certain. So the index remembers the keys of some rows, its witnesses: all have the numbers they had, or it isn't
asked. The last witness proves the rows up to it, and the rows beyond are read. Nothing proves rows with numbers below
1: a table that has such rows isn't indexed. Another program may rebuild a table without our triggers: the schema's
version is another one then. A database that was restored is known by its token, a random text that the index's last
change has left in both.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db.derived_tables import PREFIX
from promptadmin.search.index_file import FIRST_LATER, Place
from promptadmin.search.tables import SearchedTable

STATE = f"{PREFIX}search_state"
CHANGES = f"{PREFIX}search_changes"
MAKE_TABLES = (
    f"CREATE TABLE IF NOT EXISTS {STATE} (name TEXT PRIMARY KEY, mark INTEGER NOT NULL, token TEXT NOT NULL, "
    "previous TEXT NOT NULL, last_row INTEGER NOT NULL, last_key, schema_version INTEGER NOT NULL)",
    # AUTOINCREMENT: no number comes twice, or a new change might pass for one that the index knows.
    f"CREATE TABLE IF NOT EXISTS {CHANGES} (number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, "
    "row INTEGER NOT NULL)",
)


LAST_ROW = 2**63 - 1
#: Witnesses stand at these parts of the numbers up to the mark, and at its end closer and closer.
WITNESSED_PARTS = 16

Witnesses = Sequence[tuple[int, object]]


class State(NamedTuple):
    """What the database knows of a table's index."""

    mark: int
    token: str
    previous: str
    schema_version: int
    schema_version_now: int
    first_row: int | None


def triggers(table: SearchedTable) -> dict[str, str]:
    """The table's triggers: name → the statement that makes it.

    REPLACE deletes rows without their triggers: the ones before an insert or an update see what it will delete.
    """
    name, prefix = table.name, f"{PREFIX}search_{table.name}"
    mark = f"(SELECT mark FROM {STATE} WHERE name = '{name}')"
    note = f"INSERT INTO {CHANGES} (name, row)"
    changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in table.columns)
    numbers = "rowid, _rowid_, oid"
    statements = {
        "added": f"AFTER INSERT ON {name} WHEN NEW.rowid <= {mark} BEGIN {note} VALUES ('{name}', NEW.rowid); END",
        "replaced": f"BEFORE INSERT ON {name} WHEN EXISTS (SELECT 1 FROM {name} WHERE {table.key} = NEW.{table.key}) "
        f"BEGIN {note} SELECT '{name}', rowid FROM {name} WHERE {table.key} = NEW.{table.key} AND rowid <= {mark}; END",
        "changed": f"AFTER UPDATE OF {', '.join(table.columns)} ON {name} WHEN OLD.rowid <= {mark} AND ({changed}) "
        f"BEGIN {note} VALUES ('{name}', OLD.rowid); END",
        "renamed": f"BEFORE UPDATE OF {table.key}, {numbers} ON {name} "
        f"BEGIN {note} SELECT '{name}', rowid FROM {name} "
        f"WHERE ({table.key} = NEW.{table.key} OR rowid IN (OLD.rowid, NEW.rowid)) AND rowid <= {mark}; "
        f"{note} SELECT '{name}', NEW.rowid WHERE NEW.rowid <= {mark}; END",
        "deleted": f"AFTER DELETE ON {name} WHEN OLD.rowid <= {mark} BEGIN {note} VALUES ('{name}', OLD.rowid); END",
    }
    return {f"{prefix}_{what}": f"CREATE TRIGGER {prefix}_{what} {text}" for what, text in statements.items()}


def read_state(raw: sqlite3.Connection, table: SearchedTable) -> State | None:
    """What the database knows; None where the table was never indexed."""
    try:
        row = raw.execute(
            "SELECT s.mark, s.token, s.previous, s.schema_version, v.schema_version, "
            f"(SELECT MIN(rowid) FROM {table.name}) FROM {STATE} s JOIN pragma_schema_version v WHERE s.name = ?",
            [table.name],
        ).fetchone()
    except sqlite3.OperationalError:  # no such table
        return None
    return State(*row) if row else None


def proven(
    raw: sqlite3.Connection, table: SearchedTable, state: State, place: Place, witnesses: Witnesses
) -> int | None:
    """The row up to which an index tells the truth of the rows that haven't changed since; None where it doesn't."""
    if place.token not in (state.token, state.previous) or place.mark > state.mark:
        return None
    if (state.first_row is not None and state.first_row < 1) or _had_first_row_below_1(raw, table, place):
        return None
    if state.schema_version != state.schema_version_now and not _has_triggers(raw, table):
        return None
    last, others = 0, []
    for row, key in witnesses:
        found = raw.execute(f"SELECT CAST({table.key} AS BLOB) FROM {table.name} WHERE rowid = ?", [row]).fetchone()
        if found is not None and found[0] == key:
            last = max(last, row)
        else:
            others.append(row)
    return last if _are_noted(raw, table, others, place) else None


def _had_first_row_below_1(raw: sqlite3.Connection, table: SearchedTable, place: Place) -> bool:
    statement = f"SELECT EXISTS (SELECT 1 FROM {CHANGES} WHERE number > ? AND name = ? AND row < 1)"
    return bool(raw.execute(statement, [place.applied, table.name]).fetchone()[0])


def _are_noted(raw: sqlite3.Connection, table: SearchedTable, rows: Sequence[int], place: Place) -> bool:
    if not rows:
        return True
    marks = ", ".join("?" * len(rows))
    found = raw.execute(
        f"SELECT COUNT(DISTINCT row) FROM {CHANGES} WHERE number > ? AND name = ? AND row IN ({marks})",
        [place.applied, table.name, *rows],
    )
    return bool(found.fetchone()[0] == len(rows))


def choose_witnesses(raw: sqlite3.Connection, table: SearchedTable, mark: int) -> Witnesses:
    """Rows up to the mark, and their keys: the last one, and others that are there when that one has gone."""
    wanted = {mark * part // WITNESSED_PARTS for part in range(1, WITNESSED_PARTS + 1)}
    wanted |= {mark - 2**power for power in range(mark.bit_length())}
    statement = (
        f"SELECT rowid, CAST({table.key} AS BLOB) FROM {table.name} WHERE rowid BETWEEN 1 AND ? "
        "ORDER BY rowid DESC LIMIT 1"
    )
    found = (raw.execute(statement, [number]).fetchone() for number in wanted)
    return sorted({row[0]: row[1] for row in found if row is not None}.items())


def _has_triggers(raw: sqlite3.Connection, table: SearchedTable) -> bool:
    names = list(triggers(table))
    marks = ", ".join("?" * len(names))
    found = raw.execute(
        f"SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ? AND name IN ({marks})",
        [table.name, *names],
    )
    return dict(found.fetchall()) == triggers(table)


def changes_after(raw: sqlite3.Connection, table: SearchedTable, number: int, limit: int = -1) -> list[tuple[int, int]]:
    """(number, row) of the changes after one, in their order."""
    return raw.execute(
        f"SELECT number, row FROM {CHANGES} WHERE number > ? AND name = ? ORDER BY number LIMIT ?",
        [number, table.name, limit],
    ).fetchall()


def changed_rows(raw: sqlite3.Connection, table: SearchedTable, number: int, limit: int) -> list[int]:
    """Up to `limit` different rows with changes after one."""
    statement = f"SELECT DISTINCT row FROM {CHANGES} WHERE number > ? AND name = ? LIMIT ?"
    return [row for (row,) in raw.execute(statement, [number, table.name, limit])]


def begin_anew(connection: BaseDatabaseWrapper, table: SearchedTable, token: str) -> None:
    """Track the table from nothing on, within a write session: no row is indexed."""
    raw: sqlite3.Connection = connection.connection
    for statement in MAKE_TABLES:
        raw.execute(statement)
    if not _has_triggers(raw, table):
        for name, statement in triggers(table).items():
            raw.execute(f"DROP TRIGGER IF EXISTS {name}")
            raw.execute(statement)
    raw.execute(f"DELETE FROM {CHANGES} WHERE name = ?", [table.name])
    raw.execute(
        f"INSERT OR REPLACE INTO {STATE} (name, mark, token, previous, last_row, last_key, schema_version) "
        "SELECT ?, 0, ?, '', 0, NULL, schema_version FROM pragma_schema_version",
        [table.name, token],
    )


def announce(connection: BaseDatabaseWrapper, table: SearchedTable, *, mark: int, token: str, place: Place) -> None:
    """Within a write session: from now on, changes up to the mark are noted, and those applied are forgotten.

    The last row and its key are for earlier releases, which may be gone back to.
    """
    raw: sqlite3.Connection = connection.connection
    raw.execute(
        f"UPDATE {STATE} SET (mark, token, previous, last_row, last_key, schema_version) = "
        f"(SELECT ?, ?, ?, COALESCE(MAX(rowid), 0), (SELECT CAST({table.key} AS BLOB) FROM {table.name} "
        f"WHERE rowid = (SELECT MAX(rowid) FROM {table.name} WHERE rowid <= ?)), "
        f"(SELECT schema_version FROM pragma_schema_version) FROM {table.name} WHERE rowid <= ?) WHERE name = ?",
        [mark, token, place.token, mark, mark, table.name],
    )
    raw.execute(f"DELETE FROM {CHANGES} WHERE number <= ? AND name = ?", [place.applied, table.name])


def rows_after(
    raw: sqlite3.Connection, table: SearchedTable, after: int, limit: int = -1, *, up_to: int = LAST_ROW
) -> list[int]:
    """The numbers of up to `limit` rows after one."""
    found = raw.execute(
        f"SELECT rowid FROM {table.name} WHERE rowid > ? AND rowid <= ? ORDER BY rowid LIMIT ?", [after, up_to, limit]
    )
    return [row for (row,) in found]


def count_after(raw: sqlite3.Connection, table: SearchedTable, mark: int) -> int:
    """How many rows may be indexed after a mark, at the most: numbers that no row has are counted too."""
    highest = raw.execute(f"SELECT MAX(rowid) FROM {table.name} WHERE rowid < {FIRST_LATER}").fetchone()[0]
    return max(0, (highest or 0) - mark)


def first_row(raw: sqlite3.Connection, table: SearchedTable) -> int | None:
    """The lowest number of a row."""
    found: int | None = raw.execute(f"SELECT MIN(rowid) FROM {table.name}").fetchone()[0]
    return found
