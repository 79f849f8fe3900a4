"""Statements that each request runs, past Django's cursors where nobody listens."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db.sqlite.connections import read_text


def fetch_all(connection: BaseDatabaseWrapper, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The rows of a statement, on any engine.

    On SQLite the driver itself decodes the texts, several times faster than `read_text`, which is asked only where one
    of them is no UTF-8. Unless somebody listens, it gets the statement without Django's cursors, which take as long as
    many a statement.
    """
    if connection.vendor != "sqlite":
        return _fetch_all(connection, sql, params)
    connection.ensure_connection()
    raw = connection.connection
    is_listened_to = bool(connection.execute_wrappers) or connection.queries_logged
    raw.text_factory = str
    try:
        if is_listened_to:
            return _fetch_all(connection, sql, params)
        connection.validate_no_broken_transaction()
        with connection.wrap_database_errors:
            rows: list[tuple[Any, ...]] = raw.execute(_with_question_marks(sql), params).fetchall()
            return rows
    except OperationalError as error:
        if "decode" not in str(error):
            raise
    finally:
        raw.text_factory = read_text
    return _fetch_all(connection, sql, params)


def execute(connection: BaseDatabaseWrapper, sql: str, params: Sequence[Any]) -> None:
    """Run a statement that answers nothing."""
    fetch_all(connection, sql, params)


@functools.lru_cache(maxsize=512)
def _with_question_marks(sql: str) -> str:
    return sql.replace("%%", "%") if "%s" not in sql else sql % (("?",) * sql.replace("%%", "").count("%s"))


def _fetch_all(connection: BaseDatabaseWrapper, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
        return rows
