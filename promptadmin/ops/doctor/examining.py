"""Making the checks, one after the other, without changing anything."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from promptadmin.db.postgresql.replicas import primary_only
from promptadmin.db.sessions import read_session
from promptadmin.db.sqlite.connections import is_file
from promptadmin.db.sqlite.file_header import read_header
from promptadmin.db.sqlite.file_identity import check_before_opening
from promptadmin.ops.doctor.limits import SECONDS, UnfinishedError
from promptadmin.ops.doctor.registry import Check, Examination, Finding, Needs, Severity, all_checks
from promptadmin.ops.startup.sequence import pending_migrations

WAL_BYTES = b"\x02\x02"  # bytes 18 and 19 of a file in WAL mode (SQLite's file format, section 1.3)


@dataclass(frozen=True)
class Result:
    """What one check found, and the seconds that it took."""

    check: Check
    findings: list[Finding]
    seconds: float

    @property
    def severity(self) -> Severity:
        """The worst finding's."""
        return max(finding.severity for finding in self.findings)


def examine(
    connection: BaseDatabaseWrapper,
    *,
    full: bool = False,
    only: Collection[str] = (),
    on_result: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """Make every check that is for this engine, in order; with `only`, those of them that have these ids."""
    examination = Examination(connection, timezone.now(), full)
    results: list[Result] = []
    with primary_only(), undisturbed(connection):
        there, why_not = _what_is_there(connection)
        for check in all_checks():
            if connection.vendor not in check.engines or (only and check.id not in only):
                continue
            began = time.monotonic()
            findings = [Finding(Severity.SKIPPED, why_not)] if check.needs > there else _findings(check, examination)
            results.append(Result(check, findings, time.monotonic() - began))
            on_result(results[-1])
    return results


def _findings(check: Check, examination: Examination) -> list[Finding]:
    connection = examination.connection
    found: list[Finding] = []
    try:
        with read_session(connection.alias) if check.needs else contextlib.nullcontext():
            for finding in check.function(examination):
                found.append(finding)  # what was found before an error stays
    except UnfinishedError:
        message = f"not finished after {SECONDS:.0f} s" + ("" if found else ", and nothing was found until then")
        found.append(Finding(Severity.NOTE, message, "Run `manage.py doctor --full`, which takes the time it needs."))
    except Exception as error:  # a check that fails is a finding, and the others go on
        rest = "the rest" if found else "this"
        message = f"{rest} couldn't be checked: {' '.join(str(error).split()) or type(error).__name__}"
        found.append(Finding(Severity.ERROR, message))
    return found


def _what_is_there(connection: BaseDatabaseWrapper) -> tuple[Needs, str]:
    """How far checks can go, and why not further."""
    problem = problem_of_opening(connection)
    if problem:
        return Needs.NOTHING, "the database can't be opened, see D001"
    try:
        with read_session(connection.alias):
            if pending_migrations(connection):
                return Needs.DATABASE, "migrations are pending, see D201"
    except DatabaseError as error:
        return Needs.DATABASE, f"the migrations can't be read: {error}"
    return Needs.TABLES, ""


def problem_of_opening(connection: BaseDatabaseWrapper) -> str:
    """Why the database can't be opened without changing it; empty if it can."""
    try:
        if is_file(connection):
            check_before_opening(str(_path(connection)))
            header = read_header(_path(connection), 20)
            if not header.startswith(b"SQLite format 3\x00"):
                return "it is not a SQLite database, or empty"
            if header[18:20] != WAL_BYTES:
                return "it is not in WAL mode, so promptadmin has never opened it here"
        connection.ensure_connection()
        with read_session(connection.alias), connection.cursor() as cursor:
            cursor.execute("SELECT 1" if connection.vendor != "sqlite" else "SELECT COUNT(*) FROM sqlite_master")
    except (OSError, DatabaseError, ImproperlyConfigured) as error:
        return " ".join(str(error).split())
    return ""


@contextlib.contextmanager
def undisturbed(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Leave SQLite's log as it is: the last connection to close would move it into the file.

    A read-only connection can't do that, so one stays open until Django's is closed.
    """
    log = _path(connection).with_name(_path(connection).name + "-wal") if is_file(connection) else None
    if log is None or not log.exists() or not log.stat().st_size or not _path(connection).exists():
        yield
        return
    guard = sqlite3.connect(f"{_path(connection).as_uri()}?mode=ro", uri=True, timeout=5)
    with contextlib.closing(guard):
        with contextlib.suppress(sqlite3.DatabaseError):
            guard.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        was_open = connection.connection is not None
        try:
            yield
        finally:
            if not was_open:
                connection.close()


def _path(connection: BaseDatabaseWrapper) -> Path:
    return Path(str(connection.settings_dict["NAME"])).absolute()
