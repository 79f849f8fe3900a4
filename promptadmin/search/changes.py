"""What the database itself keeps for the index: for each searched table, a log of the keys of rows that changed.

Triggers, in plain SQL, write the key of each row that any program adds, changes, renames or deletes. So the index is
right about every row whose key isn't in an entry after the last one that it has applied. A new index finds all keys in
the log. A row is known by its key alone: VACUUM, a dump or another program may give it any rowid.

Each entry has a random token. An index remembers the newest entry that there was when it read the rows, and is asked
only of a database that has it: not of a backup from before that moment, nor of another file at the same path.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from promptadmin.db.derived_tables import PREFIX
from promptadmin.search.tables import SearchedTable

#: What earlier releases kept instead.
FORMER_TABLES = (f"{PREFIX}search_changes", f"{PREFIX}search_state")


class Entry(NamedTuple):
    """An entry of the log, without its key."""

    number: int
    token: int


def log_of(table: SearchedTable) -> str:
    """The name of a table's log."""
    return f"{PREFIX}search_{table.name}"


def _statements(table: SearchedTable) -> list[str]:
    """What makes the log and its triggers.

    REPLACE deletes rows without their triggers: one with the same key, which is logged anyway, or with the same rowid.
    """
    name, key, log = table.name, table.key, log_of(table)
    changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in (key, *table.columns))
    replaced = f"INSERT INTO {log} (key) SELECT {key} FROM {name} WHERE rowid = NEW.rowid"
    return [
        # AUTOINCREMENT: no number comes twice, however often the log is begun anew.
        f"CREATE TABLE {log} (number INTEGER PRIMARY KEY AUTOINCREMENT, key, token INTEGER DEFAULT (RANDOM()))",
        f"CREATE TRIGGER {log}_added AFTER INSERT ON {name} BEGIN INSERT INTO {log} (key) VALUES (NEW.{key}); END",
        f"CREATE TRIGGER {log}_changed AFTER UPDATE OF {key}, {', '.join(table.columns)} ON {name} WHEN {changed} "
        f"BEGIN INSERT INTO {log} (key) SELECT OLD.{key} UNION SELECT NEW.{key}; END",
        f"CREATE TRIGGER {log}_deleted AFTER DELETE ON {name} BEGIN INSERT INTO {log} (key) VALUES (OLD.{key}); END",
        f"CREATE TRIGGER {log}_replaced BEFORE INSERT ON {name} BEGIN {replaced}; END",
        f"CREATE TRIGGER {log}_renumbered BEFORE UPDATE OF rowid, _rowid_, oid ON {name} BEGIN {replaced}; END",
    ]


def begin(raw: sqlite3.Connection, table: SearchedTable) -> Entry:
    """Begin the log anew, within a write session: with an entry without a key, which is answered, and then all keys."""
    log = log_of(table)
    make_log, *make_triggers = _statements(table)
    raw.execute(make_log.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS", 1))
    made = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ? AND SUBSTR(name, 1, ?) = ?"
    for (name,) in raw.execute(made, [table.name, len(log) + 1, f"{log}_"]).fetchall():
        raw.execute(f"DROP TRIGGER {name}")
    for statement in make_triggers:
        raw.execute(statement)
    _drop_former(raw)
    raw.execute(f"DELETE FROM {log}")
    raw.execute(f"INSERT INTO {log} (key) VALUES (NULL)")
    first = newest(raw, table)
    # Sorted by +rowid, because it takes longer to read the table, whose rows are large, than the index of its keys.
    raw.execute(f"INSERT INTO {log} (key) SELECT {table.key} FROM {table.name} ORDER BY +rowid")
    return first


def _drop_former(raw: sqlite3.Connection) -> None:
    """Drop what earlier releases kept, once no table has a trigger left that writes to it."""
    used = "SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND INSTR(sql, ?)"
    if not raw.execute(used, [FORMER_TABLES[0]]).fetchone():
        for name in FORMER_TABLES:
            raw.execute(f"DROP TABLE IF EXISTS {name}")


def is_kept(raw: sqlite3.Connection, table: SearchedTable, entry: Entry) -> bool:
    """Whether the log has this entry and, as no program has taken its triggers away, all changes since."""
    statements = _statements(table)
    made = f"SELECT COUNT(*) FROM sqlite_master WHERE sql IN ({', '.join('?' * len(statements))})"
    if raw.execute(made, statements).fetchone()[0] < len(statements):
        return False
    found = f"SELECT 1 FROM {log_of(table)} WHERE number = ? AND token = ?"
    return raw.execute(found, entry).fetchone() is not None


def newest(raw: sqlite3.Connection, table: SearchedTable) -> Entry:
    """The newest entry."""
    return Entry(*raw.execute(f"SELECT number, token FROM {log_of(table)} ORDER BY number DESC LIMIT 1").fetchone())


def keys_after(raw: sqlite3.Connection, table: SearchedTable, number: int, limit: int) -> list[tuple[int, str]]:
    """(number, key) of up to `limit` entries after one, in their order.

    As texts: no row with another kind of key is found by it.
    """
    statement = f"SELECT number, CAST(key AS TEXT) FROM {log_of(table)} WHERE number > ? ORDER BY number LIMIT ?"
    return raw.execute(statement, [number, limit]).fetchall()


def forget(raw: sqlite3.Connection, table: SearchedTable, applied: int, kept: Entry) -> None:
    """Delete the entries up to one that are applied, but for the one that the index is known by."""
    raw.execute(f"DELETE FROM {log_of(table)} WHERE number <= ? AND number < ?", [applied, kept.number])
