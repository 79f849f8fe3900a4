"""Rows as they are in a table, whatever its columns hold: taken out, kept as compressed JSON, and put back.

PostgreSQL itself writes a row as JSON and reads it back. SQLite may hold any kind of value in any column: numbers and
texts are JSON's own, a BLOB is `{"$blob": hex}`, a text that is no UTF-8 `{"$text": hex}`. Columns go by their names:
those of another program are kept too.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django.db import DataError, IntegrityError, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db.sqlite.connections import quote
from promptadmin.errors import Conflict

#: Rows of one `DeletedRows`, and of one statement.
ROWS_AT_ONCE = 300
BLOB, TEXT = "$blob", "$text"


class NotUtf8(bytes):
    """A text of SQLite that can't be decoded."""


class Found(NamedTuple):
    """A row by what deletes it (its number on SQLite, else its key), with its key and what is kept of it."""

    place: Any
    key: Any
    content: Any


def find_rows(
    connection: BaseDatabaseWrapper, model: type[models.Model], where: str, params: Sequence[Any], limit: int
) -> list[Found]:
    """Some rows of a model's table, as they are."""
    table, key = model._meta.db_table, str(model._meta.pk.column)
    if connection.vendor != "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT t.{key}, row_to_json(t)::text FROM {table} AS t WHERE {where} LIMIT {limit} FOR UPDATE", params
            )
            return [Found(found, found, text) for found, text in cursor.fetchall()]
    names = columns_of(connection, table)
    selected = ", ".join(map(_quoted, names))
    rows = _as_stored(connection, f"SELECT rowid, {selected} FROM {table} WHERE {where} LIMIT {limit}", params)
    at = names.index(key) + 1
    return [Found(row[0], row[at], dict(zip(names, row[1:], strict=True))) for row in rows]


def contents_of(
    connection: BaseDatabaseWrapper, table: str, names: Sequence[str], where: str, params: Sequence[Any]
) -> list[Any]:
    """What `pack` keeps of these columns of all rows of a table, of any application, with this condition."""
    statement = f"SELECT {', '.join(map(_quoted, names))} FROM {_quoted(table)} WHERE {where}"
    if connection.vendor == "sqlite":
        return [dict(zip(names, row, strict=True)) for row in _as_stored(connection, statement, params)]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT row_to_json(t)::text FROM ({statement} FOR UPDATE) AS t", params)
        return [text for (text,) in cursor.fetchall()]


def remove_rows(connection: BaseDatabaseWrapper, model: type[models.Model], rows: Sequence[Found]) -> None:
    """Delete rows that `find_rows` has found in this transaction."""
    place = "rowid" if connection.vendor == "sqlite" else model._meta.pk.column
    rows_in(connection, f"DELETE FROM {model._meta.db_table} WHERE {place} IN", [row.place for row in rows])


def pack(rows: Sequence[Any]) -> bytes:
    """The contents of rows that `find_rows` has found, for `put_back`."""
    texts = (row if isinstance(row, str) else json.dumps(row, default=_as_json) for row in rows)
    return zlib.compress(f"[{','.join(texts)}]".encode(), 1)


def unpack(data: bytes) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(zlib.decompress(data))
    return rows


def keys_of(rows: Sequence[Found]) -> list[Any]:
    """Their keys, but for those that no other row can name."""
    return [row.key for row in rows if row.key is not None and not isinstance(row.key, NotUtf8)]


def put_back(connection: BaseDatabaseWrapper, table: str, key: str | None, data: bytes) -> None:
    """Insert rows as they were. Raises Conflict where a key is taken, or the table doesn't take them any more."""
    rows = expect_room(connection, table, key, data)
    names = list(dict.fromkeys(name for row in rows for name in row))
    try:
        with transaction.atomic(using=connection.alias):
            _insert(connection, table, names, rows, data)
    except (IntegrityError, DataError) as error:
        raise Conflict(
            f"The database refuses rows of the table {table}: {' '.join(str(error).split())}. Where other rows have "
            "taken their place, delete or rename those first."
        ) from error


def expect_room(connection: BaseDatabaseWrapper, table: str, key: str | None, data: bytes) -> list[dict[str, Any]]:
    """The rows that would be inserted. Raises Conflict where a key, if it is known, is taken, or a column is gone."""
    rows = unpack(data)
    if gone := {name for row in rows for name in row} - set(columns_of(connection, table)):
        raise Conflict(f"The table {table} has no column {', '.join(sorted(gone))} any more: its rows can't come back.")
    if key:
        _expect_free(connection, table, key, [_stored(row.get(key)) for row in rows])
    return rows


def write_over(connection: BaseDatabaseWrapper, table: str, key: str, data: bytes) -> None:
    """Give the one row that is kept, and is there, all the values that it had. Raises Conflict."""
    [row] = unpack(data)
    names = [name for name in row if name != key and name in columns_of(connection, table)]
    quoted = [_quoted(name) for name in names]
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                marks = ", ".join(f"{name} = {_mark(row[plain])}" for name, plain in zip(quoted, names, strict=True))
                values = [_stored(row[name]) for name in (*names, key)]
                cursor.execute(f"UPDATE {table} SET {marks} WHERE {key} = {_mark(row[key])}", values)
            else:
                cursor.execute(
                    f"UPDATE {table} SET ({', '.join(quoted)}) = (SELECT {', '.join(quoted)} "
                    f"FROM json_populate_record(NULL::{table}, %s::json)) WHERE {key} = %s",
                    [zlib.decompress(data).decode()[1:-1], row[key]],
                )
    except (IntegrityError, DataError) as error:
        raise Conflict(f"The database refuses a row of the table {table}: {' '.join(str(error).split())}") from error


def columns_of(connection: BaseDatabaseWrapper, table: str) -> list[str]:
    """The columns that can be written: all but generated ones."""
    return columns_by_table(connection, [table])[table]


def columns_by_table(connection: BaseDatabaseWrapper, tables: Sequence[str]) -> dict[str, list[str]]:
    """The columns that can be written of each of these tables, read in one statement."""
    found: dict[str, list[str]] = {table: [] for table in tables}
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "SELECT t.value, c.name FROM json_each(%s) AS t JOIN pragma_table_xinfo(t.value) AS c "
                "WHERE c.hidden = 0 ORDER BY c.cid",
                [json.dumps(list(found))],
            )
        else:
            cursor.execute(
                "SELECT t.name, c.attname FROM unnest(%s::text[]) AS t(name) "
                "JOIN pg_attribute AS c ON c.attrelid = quote_ident(t.name)::regclass "
                "WHERE c.attnum > 0 AND NOT c.attisdropped AND c.attgenerated = '' ORDER BY c.attnum",
                [list(found)],
            )
        for table, column in cursor.fetchall():
            found[table].append(column)
    return found


def rows_in(connection: BaseDatabaseWrapper, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run a statement that ends in IN for these values, and answer its rows, if it has any."""
    if not values:
        return []
    with connection.cursor() as cursor:
        cursor.execute(f"{statement} ({', '.join(['%s'] * len(values))})", list(values))
        return cursor.fetchall() if cursor.description else []


def _insert(
    connection: BaseDatabaseWrapper, table: str, names: Sequence[str], rows: list[dict[str, Any]], data: bytes
) -> None:
    quoted, into = ", ".join(_quoted(name) for name in names), _quoted(table)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for row in rows:
                values = [row.get(name) for name in names]
                marks = ", ".join(map(_mark, values))
                cursor.execute(f"INSERT INTO {into} ({quoted}) VALUES ({marks})", [_stored(value) for value in values])
            return
        if any(isinstance(value, dict) and value.keys() & {BLOB, TEXT} for row in rows for value in row.values()):
            raise DataError("they come from SQLite and have values that PostgreSQL can't hold")
        text = zlib.decompress(data).decode()
        cursor.execute(
            f"INSERT INTO {into} ({quoted}) SELECT {quoted} FROM json_populate_recordset(NULL::{into}, %s::json)",
            [text],
        )


def _expect_free(connection: BaseDatabaseWrapper, table: str, key: str, keys: Sequence[Any]) -> None:
    asked = [value for value in keys if value is not None and not isinstance(value, NotUtf8)]
    column = _quoted(key)
    taken = rows_in(connection, f"SELECT {column} FROM {_quoted(table)} WHERE {column} IN", asked)
    if taken:
        names = ", ".join(str(value) for (value,) in taken[:3])
        raise Conflict(f"Meanwhile the table {table} has rows with the same id: {names}. Delete or rename them first.")


def _quoted(name: str) -> str:
    """A column in a statement with parameters."""
    return quote(name).replace("%", "%%")


def _as_stored(connection: BaseDatabaseWrapper, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    raw = connection.connection
    factory: Callable[[bytes], Any] = raw.text_factory
    raw.text_factory = _decoded
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows
    finally:
        raw.text_factory = factory


def _decoded(stored: bytes) -> str | NotUtf8:
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return NotUtf8(stored)


def _as_json(value: Any) -> dict[str, str]:
    return {TEXT if isinstance(value, NotUtf8) else BLOB: value.hex()}


def _stored(value: Any) -> Any:
    """A value of the kept JSON as a parameter of SQLite."""
    if not isinstance(value, dict):
        return value
    [(kind, text)] = value.items()
    return NotUtf8.fromhex(text) if kind == TEXT else bytes.fromhex(text)


def _mark(value: Any) -> str:
    """The place of a value in SQL: bytes that were a text become one again."""
    return "CAST(%s AS TEXT)" if isinstance(value, dict) and TEXT in value else "%s"
