"""Write sessions commit or roll back; in read sessions the engine itself refuses writes."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from projects.models import Project
from promptadmin.db.deadlines import deadline
from promptadmin.db.infrastructure_errors import TOO_LONG, fault_of
from promptadmin.db.sessions import read_session, write_session
from tests.support.file_contents import is_locked

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE_SECONDS = 4  # on a busy machine; who waits for a lock waits for five, or for ever
HOLD_SQLITE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE projects SET description = 'not committed'")
print("held", flush=True)
sys.stdin.read()
connection.execute("ROLLBACK")
"""
HOLD_POSTGRESQL = """
import psycopg, sys
with psycopg.connect(sys.argv[1]) as connection:
    connection.execute("UPDATE projects SET description = 'not committed'")
    print("held", flush=True)
    sys.stdin.read()
    connection.rollback()
"""


def names() -> set[str]:
    return set(Project.objects.values_list("name", flat=True))


def connection_string() -> str:
    """What another program connects to the default test database with."""
    if connection.vendor == "sqlite":
        return str(connection.settings_dict["NAME"])
    parameters = {key: str(value) for key, value in connection.get_connection_params().items() if key in POSTGRESQL}
    return psycopg.conninfo.make_conninfo("", **parameters)


POSTGRESQL = ("host", "port", "user", "password", "dbname")


@contextlib.contextmanager
def writing_process() -> Iterator[None]:
    """Another process holds a write transaction on the table of projects during the block."""
    script = HOLD_SQLITE if connection.vendor == "sqlite" else HOLD_POSTGRESQL
    arguments = [sys.executable, "-c", script, connection_string()]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield
        process.communicate()


def run_elsewhere(sql: str) -> Any:
    """Run a statement through a connection that Django knows nothing of, and commit."""
    if connection.vendor == "sqlite":
        with contextlib.closing(sqlite3.connect(connection_string())) as other:
            rows = other.execute(sql).fetchall()
            other.commit()
            return rows
    with psycopg.connect(connection_string()) as other:
        cursor = other.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


def create_and_raise(error: type[BaseException]) -> None:
    Project.objects.create(name="lost")
    raise error


def test_write_session_commits() -> None:
    """Another connection sees the change when the block is over, and not before."""
    with write_session():
        Project.objects.create(name="kept")
        assert run_elsewhere("SELECT name FROM projects") == []
    assert run_elsewhere("SELECT name FROM projects") == [("kept",)]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_write_session_rolls_back(error: type[BaseException]) -> None:
    """On any exception, also those that aren't errors, nothing of the block stays."""
    with pytest.raises(error), write_session():
        create_and_raise(error)
    assert run_elsewhere("SELECT name FROM projects") == []


def test_write_sessions_nest() -> None:
    """What an inner session did is undone with it, the outer one goes on."""
    with write_session():
        Project.objects.create(name="outer")
        with pytest.raises(KeyError), write_session():
            create_and_raise(KeyError)
    assert names() == {"outer"}


def test_write_session_takes_the_lock_at_once() -> None:
    """On SQLite nobody else can begin to write between what it reads and what it writes."""
    if connection.vendor != "sqlite":
        pytest.skip("rows are locked one by one there")
    with read_session():
        assert not is_locked(connection_string())
    with write_session():
        assert is_locked(connection_string())
    assert not is_locked(connection_string())


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO projects (id, name, status, created_at, updated_at) "
        "VALUES ('x', 'x', 'active', '2025-01-01 00:00:00', '2025-01-01 00:00:00')",
        "UPDATE projects SET name = 'changed'",
        "DELETE FROM projects",
        "CREATE TABLE more (id TEXT)",
        "DROP TABLE projects",
    ],
)
def test_read_session_refuses_raw_writes(sql: str) -> None:
    """The engine says no to what Django doesn't look at; afterwards the connection writes again."""
    Project.objects.create(name="here")
    with pytest.raises(DatabaseError), read_session() as session, session.cursor() as cursor:
        cursor.execute(sql)
    assert names() == {"here"}
    Project.objects.create(name="later")
    assert names() == {"here", "later"}


def test_read_session_refuses_models() -> None:
    """Also by models, also within a transaction of its own."""
    with pytest.raises(DatabaseError), read_session():
        Project.objects.create(name="lost")
    with pytest.raises(DatabaseError), read_session(), transaction.atomic():
        Project.objects.create(name="lost")
    assert names() == set()
    with write_session():
        Project.objects.create(name="kept")
    assert names() == {"kept"}


def test_read_session_within_a_write_session() -> None:
    """It sees what the write session did, refuses writes, and leaves the write session writing."""
    with write_session():
        Project.objects.create(name="first")
        with read_session():
            assert names() == {"first"}
        Project.objects.create(name="second")
        with pytest.raises(DatabaseError), transaction.atomic(), read_session():
            Project.objects.create(name="lost")
        Project.objects.create(name="third")
    assert run_elsewhere("SELECT COUNT(*) FROM projects") == [(3,)]


def test_read_sessions_nest() -> None:
    """The end of the inner one doesn't let the outer one write."""
    with contextlib.ExitStack() as outer:
        outer.enter_context(read_session())
        with read_session():
            assert names() == set()
        outer.enter_context(pytest.raises(DatabaseError))
        Project.objects.create(name="lost")
    assert names() == set()


def test_read_session_waits_for_no_writer() -> None:
    """While another process holds a write transaction, it reads at once what was committed before."""
    Project.objects.create(name="here", description="committed")
    with writing_process():
        began = time.monotonic()
        with read_session():
            assert Project.objects.get().description == "committed"
        assert time.monotonic() - began < AT_ONCE_SECONDS


def test_no_writer_waits_for_a_read_session() -> None:
    """Another connection writes and commits while a read session is open."""
    Project.objects.create(name="here")
    with read_session():
        assert names() == {"here"}
        began = time.monotonic()
        run_elsewhere("UPDATE projects SET name = 'renamed'")
        assert time.monotonic() - began < AT_ONCE_SECONDS
    assert names() == {"renamed"}


def test_read_session_is_one_moment() -> None:
    """What others commit meanwhile is seen by the next session only."""
    Project.objects.create(name="here")
    with read_session():
        assert names() == {"here"}
        run_elsewhere("UPDATE projects SET name = 'renamed'")
        assert names() == {"here"}
        assert Project.objects.filter(name="renamed").count() == 0
    with read_session():
        assert names() == {"renamed"}


def test_read_session_after_an_error() -> None:
    """An exception in the block comes out as it is and leaves no transaction open."""
    with pytest.raises(ZeroDivisionError), read_session():
        len(names()) / 0
    assert not connection.in_atomic_block
    if connection.vendor == "sqlite":
        assert not connection.connection.in_transaction
    run_elsewhere("UPDATE projects SET name = 'free'")


def test_a_read_session_ends_a_statement_at_the_deadline() -> None:
    """On PostgreSQL the server cancels it; the connection reads on afterwards, without a bound."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite's connections look at the deadline themselves")
    began = time.monotonic()
    with pytest.raises(DatabaseError) as raised, deadline(0.2), read_session() as session, session.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(20)")
    assert time.monotonic() - began < 10
    assert fault_of(raised.value) == TOO_LONG
    with read_session() as session, session.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)
