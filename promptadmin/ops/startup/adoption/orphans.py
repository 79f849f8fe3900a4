"""Links to rows that don't exist: found before any migration, reported, and on request set to NULL."""

from __future__ import annotations

import datetime as dt
import json
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from promptadmin.conf.counted import counted
from promptadmin.db.fields import Link
from promptadmin.db.sqlite.connections import quote
from promptadmin.ops.startup.adoption.shape import adopted_models, table_names

SHOWN = 20


@dataclass(frozen=True)
class Orphan:
    """A link to a missing row: the table, the row's key, the column and its value."""

    table: str
    id: Any
    column: str
    value: Any
    nullable: bool
    rowid: int | None


def find_orphans(raw: sqlite3.Connection) -> list[Orphan]:
    """Every orphaned link: those of the foreign keys that the file declares, and of ours that it doesn't."""
    orphans: dict[tuple[str, int | None, str], Orphan] = {}
    for table, rowid, _, key in raw.execute("PRAGMA foreign_key_check").fetchall():
        for number, _, _, column, *_ in raw.execute(f"PRAGMA foreign_key_list({quote(table)})").fetchall():
            if number == key:
                orphans[table, rowid, column] = _orphan(raw, table, column, rowid)
    for table, column, target, target_column in _undeclared_links(raw):
        rows = raw.execute(
            f"SELECT rowid FROM {quote(table)} AS t WHERE {quote(column)} IS NOT NULL AND NOT EXISTS "
            f"(SELECT 1 FROM {quote(target)} AS o WHERE o.{quote(target_column)} = t.{quote(column)})"
        ).fetchall()
        for (rowid,) in rows:
            orphans[table, rowid, column] = _orphan(raw, table, column, rowid)
    return list(orphans.values())


def refusal(path: Path, orphans: list[Orphan]) -> str:
    """What to tell an operator whose file has orphans that are not to be, or can't be, repaired."""
    lines = [f"{path} has {counted(len(orphans), 'link')} to rows that don't exist:"]
    lines += [f"  {o.table} {o.id}: {o.column} = {o.value!r}" for o in orphans[:SHOWN]]
    if len(orphans) > SHOWN:
        lines.append(f"  … and {len(orphans) - SHOWN} more")
    required = [o for o in orphans if not o.nullable]
    if required:
        names = ", ".join(sorted({f"{o.table}.{o.column}" for o in required}))
        lines.append(
            f"Of them, {len(required)} ({names}) can't be set to NULL: on a copy, delete these "
            "rows, or add the rows that they point to, with the sqlite3 shell."
        )
    else:
        lines.append(
            "Run `promptadmin startup --repair-orphans` to set them to NULL; a file beside the database keeps them."
        )
    return "\n".join(lines)


def repair(raw: sqlite3.Connection, path: Path, orphans: list[Orphan]) -> Path:
    """Set the links to NULL in one transaction, after the list of them is safe in a file beside the database."""
    stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
    target = path.with_name(f"{path.name}.repaired-orphans-{stamp}.jsonl")
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        for orphan in orphans:
            entry = asdict(orphan)
            del entry["nullable"]
            file.write(json.dumps(entry, default=repr) + "\n")
        file.flush()
        os.fsync(file.fileno())
    raw.execute("BEGIN IMMEDIATE")
    try:
        for orphan in orphans:
            raw.execute(
                f"UPDATE {quote(orphan.table)} SET {quote(orphan.column)} = NULL WHERE rowid = ?", [orphan.rowid]
            )
        raw.execute("COMMIT")
    except BaseException:
        raw.execute("ROLLBACK")
        target.unlink()
        raise
    return target


def _undeclared_links(raw: sqlite3.Connection) -> Iterator[tuple[str, str, str, str]]:
    """Our links, as (table, column, target table, target column), that the file has without a foreign key."""
    tables = set(table_names(raw))
    for model in adopted_models():
        table = model._meta.db_table
        if table not in tables:
            continue
        present = {row[1] for row in raw.execute(f"PRAGMA table_info({quote(table)})")}
        declared = {row[3] for row in raw.execute(f"PRAGMA foreign_key_list({quote(table)})")}
        for field in model._meta.local_fields:
            if isinstance(field, Link) and field.column in present - declared:
                target = field.related_model._meta
                if target.db_table in tables:
                    yield table, field.column, target.db_table, str(field.target_field.column)


def _orphan(raw: sqlite3.Connection, table: str, column: str, rowid: int | None) -> Orphan:
    info = raw.execute(f"PRAGMA table_info({quote(table)})").fetchall()
    key = next((name for _, name, _, _, _, is_key in info if is_key), "rowid")
    nullable = rowid is not None and not any(name == column and required for _, name, _, required, _, _ in info)
    row = (None, None)
    if rowid is not None:
        query = f"SELECT {quote(key)}, {quote(column)} FROM {quote(table)} WHERE rowid = ?"
        row = raw.execute(query, [rowid]).fetchone()
    return Orphan(table, row[0], column, row[1], nullable, rowid)
