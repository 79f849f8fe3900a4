"""The move itself: copy what is missing, compare everything, and only then say that it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.conf.counted import counted
from promptadmin.db.process_locks import startup_lock
from promptadmin.db.sqlite.connections import file_of, is_file, quote
from promptadmin.ops.postgresql_move import source as sources
from promptadmin.ops.postgresql_move import target as targets
from promptadmin.ops.postgresql_move.errors import MoveError
from promptadmin.ops.postgresql_move.source import ForeignColumn, Source
from promptadmin.ops.postgresql_move.target import Target
from promptadmin.ops.postgresql_move.values import Column, Digest, NoValueError, Original, original
from promptadmin.ops.progress import bar
from promptadmin.ops.startup.adoption import is_adopted

ROWS_A_BATCH = 5000

Say = Callable[[str], None]


@dataclass(frozen=True)
class MovedTable:
    """A table as both databases have it: its rows, their digest, and the values kept beside its columns."""

    name: str
    rows: int
    digest: str
    kept: int


@dataclass(frozen=True)
class Moved:
    """What was moved, and the triggers and views that stayed behind."""

    tables: list[MovedTable]
    left_behind: list[str]


@dataclass(frozen=True)
class Plan:
    """How one table is moved: its columns in PostgreSQL, how each is read from the file, and which one is the key."""

    table: str
    columns: list[Column]
    expressions: list[str]
    key: int | None


def move(connection: BaseDatabaseWrapper, url: str, *, say: Say, rows_a_batch: int = ROWS_A_BATCH) -> Moved:
    """Copy everything from a SQLite file to the PostgreSQL database that `url` names, and compare the two.

    A move that was interrupted goes on after the last batch that was committed. Raises MoveError; the source is
    never changed.
    """
    if rows_a_batch < 1:
        raise MoveError("A batch must have at least one row.")
    if not is_file(connection):
        raise MoveError("Only a SQLite file can be moved: DATABASE_URL names another database.")
    path = file_of(connection)
    if not is_adopted(connection):
        raise MoveError(f"{path} isn't up to date: run `promptadmin startup` first.")
    connection.close()
    try:
        with (
            targets.opened(url) as target,
            startup_lock(connection, say),
            startup_lock(target.connection, say),
            sources.opened(path) as source,
        ):
            return _move(source, target, say, rows_a_batch)
    except DatabaseError as error:
        raise MoveError(f"PostgreSQL refused: {' '.join(str(error).split())}") from error


def _move(source: Source, target: Target, say: Say, rows_a_batch: int) -> Moved:
    target.prepare(str(source.path))
    plans = _plans(source, target)
    for plan in plans:
        _copy(plan, source, target, rows_a_batch)
    say("Everything is copied. Comparing both databases, row by row.")
    tables = [_compare(plan, source, target) for plan in plans]
    there = target.names()
    target.finish()
    return Moved(tables, [f"{kind} {name}" for kind, name in source.declared() if name not in there])


def _plans(source: Source, target: Target) -> list[Plan]:
    """Every table of the file, in an order that foreign keys allow; what only the file knows is made in PostgreSQL."""
    known = {
        model._meta.db_table: {field.column for field in model._meta.local_concrete_fields}
        for model in apps.get_models(include_auto_created=True)
    }
    names = source.tables()
    there = target.tables()
    foreign = {
        table: [
            source.foreign_column(table, name) for name in source.columns(table) if name not in known.get(table, ())
        ]
        for table in names
    }
    for table in sorted(set(names) - set(there)):
        target.add_table(table, [(column.name, column.kind) for column in foreign[table]])
    return [_plan(source, target, table, foreign[table]) for table in target.tables() if table in names]


def _plan(source: Source, target: Target, table: str, foreign: list[ForeignColumn]) -> Plan:
    there = {column.name for column in target.columns(table)}
    for column in foreign:
        if column.name not in there:
            target.add_column(table, column.name, column.kind)
    columns = {column.name: column for column in target.columns(table)}
    expressions = {column.name: column.expression for column in foreign}
    names = source.columns(table)
    key = target.key(table)
    return Plan(
        table,
        [columns[name] for name in names],
        [expressions.get(name, quote(name)) for name in names],
        names.index(key) if key else None,
    )


def _converted(plan: Plan, values: tuple[Any, ...]) -> tuple[list[Any], list[tuple[str, str, Original]]]:
    """A row as PostgreSQL holds it, and the values that it can't hold, by key and column."""
    row: list[Any] = []
    kept: list[tuple[int, Any]] = []
    for place, (column, value) in enumerate(zip(plan.columns, values, strict=True)):
        try:
            row.append(column.convert(value))
        except NoValueError:
            row.append(column.nearest(value))
            kept.append((place, value))
    if kept and plan.key is None:
        raise MoveError(
            f"The table {plan.table} has no key, and a value that {plan.columns[kept[0][0]].name} can't hold."
        )
    return row, [(str(row[plan.key or 0]), plan.columns[place].name, original(value)) for place, value in kept]


def _copy(plan: Plan, source: Source, target: Target, rows_a_batch: int) -> None:
    position, copied, done = target.progress(plan.table)
    if done:
        return
    # A table without positions can't be gone on with: it is one batch.
    limit = rows_a_batch if source.has_positions(plan.table) else -1
    with bar(plan.table, total=source.count(plan.table), unit="row") as progress:
        progress.update(copied)
        while not done:
            batch: list[list[Any]] = []
            kept: list[tuple[str, str, Original]] = []
            for place, *values in source.rows(plan.table, plan.expressions, after=position, limit=limit):
                position = place
                row, unheld = _converted(plan, tuple(values))
                batch.append([column.parameter(value) for column, value in zip(plan.columns, row, strict=True)])
                kept += unheld
            done = len(batch) != limit
            copied += len(batch)
            target.add_rows(plan.table, plan.columns, batch, kept, (position, copied, done))
            progress.update(len(batch))


def _compare(plan: Plan, source: Source, target: Target) -> MovedTable:
    """Read both sides again from end to end. Raises MoveError where they differ."""
    ours, theirs = Digest(), Digest()
    with bar(f"compare {plan.table}", total=2 * source.count(plan.table), unit="row") as progress:
        for _, *values in source.rows(plan.table, plan.expressions):
            row, unheld = _converted(plan, tuple(values))
            ours.add(_with_originals(plan, row, {(key, name): value for key, name, value in unheld}))
            progress.update()
        kept = target.kept(plan.table)
        for found in target.rows(plan.table, plan.columns):
            row = [column.read(value) for column, value in zip(plan.columns, found, strict=True)]
            theirs.add(_with_originals(plan, row, kept))
            progress.update()
    if ours != theirs:
        raise MoveError(
            f"The table {plan.table} has {counted(ours.rows, 'row')} in the file and {theirs.rows} in PostgreSQL, or "
            "other values: did the file change since the move began? Empty the target database and move again."
        )
    return MovedTable(plan.table, ours.rows, str(ours), len(kept))


def _with_originals(plan: Plan, row: list[Any], kept: dict[tuple[str, str], Original]) -> list[Any]:
    """A row with the values that its columns don't hold."""
    if not kept or plan.key is None:
        return row
    key = str(row[plan.key])
    return [kept.get((key, column.name), value) for column, value in zip(plan.columns, row, strict=True)]
