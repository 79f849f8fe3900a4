"""The table of stored summaries in a SQLite file, and the triggers that take away those that a write makes wrong.

A stored summary is of the runs in a range of row numbers: of all projects (`project` is empty), or of one. `place` is
what their numbers are without the last BITS bits. A missing summary costs time, never truth: its rows are read
instead. So a trigger needn't know what a write changed, only where, and whoever writes needn't know of the table.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

from optimizations.columns import ALL
from promptadmin.db.derived_tables import PREFIX

#: A range has 2 to the power of this numbers: 8,192. A million runs are in 123 ranges.
BITS = 13
TABLE = f"{PREFIX}statistics"
RUNS = "optimizations"
#: What summaries are made of. With other ones than before, the triggers are others too, and upkeep makes all summaries
#: anew.
COLUMNS = tuple(column.name for column in ALL if column.counted or column.summed)
# `data` is empty while a summary is being made; `last_row` is the number of its last run, `last_id` that run's id.
# Times and ids stand here as in their rows, so these columns have no type.
_CREATE_TABLE = f"""
    CREATE TABLE IF NOT EXISTS {TABLE} (
        id INTEGER PRIMARY KEY, project TEXT NOT NULL, place INTEGER NOT NULL, parts INTEGER NOT NULL DEFAULT 0,
        first_at, last_at, last_row INTEGER, last_id,
        completed INTEGER, scored INTEGER, score REAL, data BLOB, days BLOB
    )
"""
_CREATE_INDEXES = (
    f"CREATE INDEX IF NOT EXISTS {TABLE}_place ON {TABLE} (project, place)",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_last_row ON {TABLE} (last_row)",
)


def place(row: int) -> int:
    """The place of the summary that has a row."""
    return row >> BITS


def rows_of(at: int) -> tuple[int, int]:
    """The first and the last row number of a place."""
    first = at << BITS
    return first, first + (1 << BITS) - 1


def _forget(condition: str) -> str:
    return f"DELETE FROM {TABLE} WHERE {condition};"


def _triggers() -> dict[str, str]:
    """What each trigger does, by the end of its name."""
    old, new, other = (f"{row} >> {BITS}" for row in ("OLD.rowid", "NEW.rowid", "o.rowid"))
    changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in COLUMNS)
    forget_others = _forget(
        f"id IN (SELECT s.id FROM {RUNS} AS o CROSS JOIN {TABLE} AS s "
        f"WHERE (o.id = NEW.id OR o.rowid = NEW.rowid) AND s.project IN ('', o.project) AND s.place = {other})"
    )
    forget_old = _forget(f"project IN ('', OLD.project) AND place = {old}")
    forget_new = _forget(f"project IN ('', NEW.project) AND place = {new}")
    forget_both = _forget(f"project IN ('', OLD.project, NEW.project) AND place = {old}")
    return {
        "delete": f"AFTER DELETE ON {RUNS} BEGIN {forget_old}",
        "update": f"AFTER UPDATE ON {RUNS} WHEN {changed} BEGIN {forget_both}",
        # A new row comes after all others, unless somebody numbers rows himself, or the last ones were deleted. Then
        # its project may have summaries where those of all are gone: the rows that went may have been of others.
        "insert": f"AFTER INSERT ON {RUNS} WHEN {new} <= (SELECT MAX(place) FROM {TABLE} WHERE project = '') "
        f"OR {new} <= (SELECT MAX(place) FROM {TABLE} WHERE project = NEW.project) BEGIN {forget_new}",
        # REPLACE deletes the row in its way without a trigger.
        "replace": f"BEFORE INSERT ON {RUNS} WHEN EXISTS (SELECT 1 FROM {RUNS} AS o WHERE o.id = NEW.id) "
        f"OR EXISTS (SELECT 1 FROM {RUNS} AS o WHERE o.rowid = NEW.rowid) BEGIN {forget_others}",
        "rename": f"BEFORE UPDATE OF id ON {RUNS} WHEN OLD.id IS NOT NEW.id BEGIN {forget_others} {forget_old}",
        "renumber": f"BEFORE UPDATE ON {RUNS} WHEN OLD.rowid <> NEW.rowid BEGIN {_forget('1')}",
    }


def _statements() -> dict[str, str]:
    """What makes each trigger, by its name, as the file has it."""
    return {f"{TABLE}_{name}": f"CREATE TRIGGER {TABLE}_{name} {body} END" for name, body in _triggers().items()}


def create(connection: BaseDatabaseWrapper) -> None:
    """Make the table and the triggers, unless they are there; where a release before made them, make them anew."""
    if not _is_current(connection):
        drop(connection)
    with connection.cursor() as cursor:
        cursor.execute(_CREATE_TABLE)
        for statement in _CREATE_INDEXES:
            cursor.execute(statement)
        if not _is_current(connection):
            for statement in _statements().values():
                cursor.execute(statement)


def drop(connection: BaseDatabaseWrapper) -> None:
    """Remove them."""
    with connection.cursor() as cursor:
        for name in _statements():
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")


def _is_current(connection: BaseDatabaseWrapper) -> bool:
    """Whether the table and the triggers are there, and these do what they should."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, sql FROM sqlite_master "
            "WHERE type = 'trigger' AND tbl_name = %s AND name LIKE %s OR type = 'table' AND name = %s",
            [RUNS, f"{TABLE}%", TABLE],
        )
        found = dict(cursor.fetchall())
    return found.pop(TABLE, None) is not None and found == _statements()


def is_trustworthy(connection: BaseDatabaseWrapper) -> bool:
    """Whether the triggers are there, and rows have the numbers that they had when summaries were made.

    VACUUM, and a copy made of a dump, may number rows anew, but keep their order. So all rows up to one that has its
    number still have theirs.
    """
    if not _is_current(connection):
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT EXISTS (SELECT 1 FROM {RUNS} AS o WHERE o.rowid = s.last_row AND o.id = s.last_id) "
            f"FROM {TABLE} AS s WHERE s.last_row IS NOT NULL ORDER BY s.last_row DESC LIMIT 1"
        )
        found = cursor.fetchone()
    return found is None or bool(found[0])
