"""The second connection to a SQLite file, which only reads."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import OperationalError, connection, connections

from promptadmin.db.sessions import read_session, write_session
from promptadmin.db.sqlite.read_connections import Connection

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connections["default"].vendor != "sqlite", reason="about SQLite's connections"),
]


def value() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT n FROM numbers")
        return int(cursor.fetchone()[0])


def set_value(number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE numbers SET n = %s", [number])


@pytest.fixture(autouse=True)
def on_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The default connection leads to a file of this test, as in a server."""
    connection.close()
    place = tmp_path / "numbers.db"
    with sqlite3.connect(place) as raw:
        raw.execute("PRAGMA journal_mode=WAL")
        raw.execute("CREATE TABLE numbers (n INTEGER)")
        raw.execute("INSERT INTO numbers VALUES (1)")
    monkeypatch.setitem(connection.settings_dict, "NAME", place)
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"transaction_mode": "IMMEDIATE", "factory": Connection})
    yield
    connection.close()


def test_a_read_session_reads_on_its_own_connection_and_cannot_write() -> None:
    """Statements go to the reader, writes fail there, and afterwards the first connection is back and can write."""
    connection.ensure_connection()
    first = connection.connection
    with read_session():
        assert connection.connection is first.reader
        assert value() == 1
        with pytest.raises(OperationalError, match="readonly"):
            set_value(2)
        with read_session():
            assert value() == 1
    assert connection.connection is first
    with write_session():
        set_value(3)
        with read_session():
            assert connection.connection is first, "inside a transaction it has to see what that has written"
            assert value() == 3
    with read_session():
        assert value() == 3


def test_a_read_session_sees_one_moment() -> None:
    """What another program commits meanwhile is seen by the next session."""
    with read_session():
        assert value() == 1
        with sqlite3.connect(connection.settings_dict["NAME"]) as other:
            other.execute("UPDATE numbers SET n = 5")
        assert value() == 1
    with read_session():
        assert value() == 5


def test_both_are_closed_together() -> None:
    """Nothing keeps a file open that is about to be replaced, also where it is closed inside a session."""
    with read_session():
        pass
    first = connection.connection
    reader = first.reader
    connection.close()
    with read_session():
        inner = connection.connection
        connection.close()
    for raw in (first, reader, inner):
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            raw.execute("SELECT 1")
    assert connection.connection is None
    with read_session():
        assert value() == 1


def test_no_two_connections_have_the_same_number() -> None:
    """What is remembered of a connection's version is not taken for that of a later one at the same address."""
    numbers = set()
    for _ in range(20):
        with read_session():
            numbers.add(connection.connection.number)
        connection.close()
    assert len(numbers) == 20
