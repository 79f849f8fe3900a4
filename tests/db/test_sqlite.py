"""SQLite's connections: PRAGMAs, the checks that read them back, and what a failure leaves."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core import checks
from django.db import DatabaseError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db.sqlite import connections as sqlite
from promptadmin.db.sqlite import pragmas, system_checks
from promptadmin.db.sqlite.known_bugs import bugs_of
from promptadmin.ops.doctor.examining import examine
from tests.conftest import OpenDatabase, OpenFile
from tests.support.django_databases import ALIAS, postgresql_config
from tests.support.file_contents import is_locked
from tests.support.services import needs_postgresql, postgresql_url

EXPECTED = {
    "foreign_keys": 1,
    "journal_mode": "wal",
    "synchronous": 1,
    "cache_size": -65536,
    "mmap_size": 268435456,
    "temp_store": 2,
    "busy_timeout": 5000,
}
OTHER = {
    "foreign_keys": "OFF",
    "journal_mode": "DELETE",
    "synchronous": "FULL",
    "cache_size": -2000,
    "mmap_size": 0,
    "temp_store": "FILE",
    "busy_timeout": 0,
}


def pragma(connection: BaseDatabaseWrapper, name: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {name}")
        return cursor.fetchone()[0]


def ids(messages: list[checks.CheckMessage]) -> list[str | None]:
    return [message.id for message in messages]


def test_pragmas_of_a_real_file(open_file: OpenFile, tmp_path: Path) -> None:
    """Every connection, the first and a later one, answers the values of the design."""
    for _ in range(2):
        with open_file(tmp_path / "x.db") as connection:
            assert {name: pragma(connection, name) for name in EXPECTED} == EXPECTED


def test_pragmas_of_the_default_database(db: None) -> None:
    """The database that the other tests use is no special case."""
    if connection.vendor == "sqlite":
        assert {name: pragma(connection, name) for name in EXPECTED} == EXPECTED


def test_write_transactions_begin_immediate(open_file: OpenFile, tmp_path: Path) -> None:
    """A transaction has the write lock before its first statement."""
    path = tmp_path / "x.db"
    with open_file(path):
        with transaction.atomic(using=ALIAS):
            assert is_locked(path)
        assert not is_locked(path)


@pytest.mark.parametrize("name", EXPECTED)
def test_e001_when_a_pragma_differs(open_file: OpenFile, tmp_path: Path, name: str) -> None:
    """promptadmin.E001 names the PRAGMA; nothing is reported before."""
    with open_file(tmp_path / "x.db") as connection:
        assert system_checks.check_pragmas(databases=[ALIAS]) == []
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA {name}={OTHER[name]}").fetchall()
        [error] = system_checks.check_pragmas(databases=[ALIAS])
    assert error.id == "promptadmin.E001"
    assert f"PRAGMA {name} " in error.msg
    assert error.hint


def test_checks_are_registered_for_databases(open_file: OpenFile, tmp_path: Path) -> None:
    """`manage.py check --database` runs both; without a database they do nothing."""
    with open_file(tmp_path / "x.db") as connection:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout=1").fetchall()
        found = ids(checks.run_checks(tags=[checks.Tags.database], databases=[ALIAS]))
    assert "promptadmin.E001" in found
    assert ("promptadmin.W001" in found) == bool(bugs_of(sqlite3.sqlite_version_info))
    assert system_checks.check_pragmas(databases=None) == []
    assert system_checks.check_version(databases=None) == []


WAL, SAVEPOINT, BLOOM = "WAL-reset bug", "savepoint bug", "Bloom filter bugs"


@pytest.mark.parametrize(
    ("version", "bugs"),
    [
        ((3, 6, 23), []),
        ((3, 7, 0), [WAL]),
        ((3, 34, 1), [WAL]),
        ((3, 35, 0), [WAL, SAVEPOINT]),
        ((3, 37, 1), [WAL, SAVEPOINT]),
        ((3, 37, 2), [WAL]),
        ((3, 38, 0), [WAL, BLOOM]),
        ((3, 38, 3), [WAL, BLOOM]),
        ((3, 38, 4), [WAL]),
        ((3, 40, 1), [WAL]),
        ((3, 44, 5), [WAL]),
        ((3, 44, 6), []),
        ((3, 45, 0), [WAL]),
        ((3, 50, 6), [WAL]),
        ((3, 50, 7), []),
        ((3, 51, 2), [WAL]),
        ((3, 51, 3), []),
        ((3, 52, 0), []),
        ((4, 0, 0), []),
    ],
)
def test_w001_and_d102_by_version(
    open_file: OpenFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: tuple[int, int, int], bugs: list[str]
) -> None:
    """The start's check and the doctor's name each bug that a release has, and where one reads of it."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    assert [bug.name for bug in bugs_of(version)] == bugs
    with open_file(tmp_path / "x.db") as connection:
        warnings = system_checks.check_version(databases=[ALIAS])
        [result] = examine(connection, only=["D102"])
    assert ids(warnings) == ["promptadmin.W001"] * len(bugs)
    assert result.severity == ("warning" if bugs else "ok")
    for bug, warning, finding in zip(bugs, warnings, result.messages, strict=False):
        assert bug in warning.msg
        assert bug in finding.msg
        assert "https://sqlite.org/" in str(warning.hint)
        assert "https://sqlite.org/" in str(finding.hint)


@pytest.mark.parametrize("name", ["foreign_keys", "journal_mode", "busy_timeout"])
def test_a_receiver_that_fails_leaves_no_open_connection(
    open_file: OpenFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Whichever PRAGMA fails: the error is raised, each time, and no connection is kept that lacks the others."""
    monkeypatch.setitem(pragmas.PRAGMAS, name, "(")
    with open_file(tmp_path / "x.db") as connection:
        for _ in range(2):
            with pytest.raises(DatabaseError):
                connection.ensure_connection()
            assert connection.connection is None
        monkeypatch.undo()
        connection.ensure_connection()
        assert pragma(connection, name) == EXPECTED[name]


def test_nothing_is_sent_to_other_engines() -> None:
    """The receiver doesn't touch a connection that isn't SQLite's."""
    sqlite.configure_connection(sender=None, connection=SimpleNamespace(vendor="mysql"))  # type: ignore[arg-type]


@needs_postgresql
def test_nothing_on_postgresql(open_database: OpenDatabase) -> None:
    """A real connection works, and no check speaks of SQLite."""
    with open_database(postgresql_config(postgresql_url())) as connection:
        connection.ensure_connection()
        assert system_checks.check_pragmas(databases=[ALIAS]) == []
        assert system_checks.check_version(databases=[ALIAS]) == []
        with pragmas.bounded_memory(connection), sqlite.constraints_checked_once(connection):
            assert not sqlite.is_file(connection)


def test_memory_is_bounded_for_a_block(open_file: OpenFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sorts spill to files; a part of a small file is mapped, nothing of a large one. Then it is as before."""
    with open_file(tmp_path / "x.db") as connection:
        with pragmas.bounded_memory(connection):
            assert (pragma(connection, "temp_store"), pragma(connection, "mmap_size")) == (1, pragmas.WORK_MMAP)
            assert pragma(connection, "cache_size") == pragmas.WORK_CACHE
        monkeypatch.setattr(pragmas, "SMALL_FILE", 0)
        with pragmas.bounded_memory(connection):
            assert (pragma(connection, "mmap_size"), pragma(connection, "cache_size")) == (0, pragmas.WORK_CACHE)
        with pytest.raises(DatabaseError), pragmas.bounded_memory(connection):
            pragma(connection, "(")
        assert {name: pragma(connection, name) for name in EXPECTED} == EXPECTED


def test_keys_are_made_by_one_name(open_file: OpenFile, tmp_path: Path) -> None:
    """`gen_random_uuid()`, PostgreSQL's own, makes a version 4 UUID on SQLite too, another for each row."""
    with open_file(tmp_path / "x.db") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT gen_random_uuid() UNION ALL SELECT gen_random_uuid()")
        first, second = (key for (key,) in cursor.fetchall())
    assert first != second
    assert len(first) == 36
    assert first[14] == "4"
