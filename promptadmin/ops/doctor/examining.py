"""Running the checks, one after the other, without changing anything."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from inspect import cleandoc
from typing import Any

from django.core import checks
from django.core.checks.registry import registry
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db.deadlines import deadline
from promptadmin.db.infrastructure_errors import TOO_LONG, fault_of
from promptadmin.db.postgresql.replicas import primary_only
from promptadmin.db.sessions import read_session
from promptadmin.db.sqlite.connections import file_of, is_file, log_of
from promptadmin.db.sqlite.file_header import read_header
from promptadmin.db.sqlite.file_identity import check_before_opening
from promptadmin.ops.startup.sequence import pending_migrations
from promptadmin.plugins.declarations import enabled_plugins
from promptadmin.plugins.isolation import isolate_plugin_errors

TAG = "doctor"
#: How long a check may take, unless the doctor is asked for everything.
SECONDS = 5.0
#: A level between Django's, for a check that couldn't be made.
SKIPPED = checks.DEBUG + 5
SEVERITIES = {
    checks.DEBUG: "ok",
    SKIPPED: "skipped",
    checks.INFO: "note",
    checks.WARNING: "warning",
    checks.ERROR: "error",
    checks.CRITICAL: "error",
}
FIRST_LINE = re.compile(r"(?P<id>[\w.]*\d): (?P<title>.+?)\.?")
WAL_BYTES = b"\x02\x02"  # bytes 18 and 19 of a file in WAL mode (SQLite's file format, section 1.3)


@dataclass(frozen=True)
class Check:
    """A registered check, and what its docstring says: "ID: title." and, below it, what `--explain` tells."""

    function: Any
    id: str
    title: str
    explanation: str


@dataclass(frozen=True)
class Result:
    """What one check found."""

    check: Check
    messages: list[checks.CheckMessage]

    @property
    def severity(self) -> str:
        """The worst message's."""
        return SEVERITIES[max(message.level for message in self.messages)]

    @property
    def shown(self) -> list[checks.CheckMessage]:
        """All messages, but beside what is wrong not those that say what is fine."""
        return [message for message in self.messages if message.level > checks.DEBUG] or self.messages


def doctor_checks() -> list[Check]:
    """The platform's checks and those of every enabled plugin: the platform's first, by id."""
    import_module("promptadmin.ops.doctor.checks")
    for plugin in enabled_plugins():
        module = f"{plugin.name}.doctor"
        with isolate_plugin_errors(plugin.label, f"its module {module}"):  # which D302 tells
            if find_spec(module) is not None:
                import_module(module)
    tagged = (check for check in registry.get_checks(include_deployment_checks=True) if TAG in check.tags)
    return sorted(map(_described, tagged), key=lambda check: (not check.id.startswith("D"), check.id))


def _described(function: Any) -> Check:
    first, _, rest = cleandoc(function.__doc__ or "").partition("\n")
    found = FIRST_LINE.fullmatch(first)
    if found:
        return Check(function, found["id"], found["title"], rest.strip())
    return Check(function, function.__name__, first.rstrip(".") or function.__name__, rest.strip())


def examine(
    connection: BaseDatabaseWrapper,
    *,
    full: bool = False,
    only: Collection[str] = (),
    on_result: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """Run every check, in order; with `only`, those of them that have these ids. Checks without a message are left out.

    A check that is tagged with Django's `database` runs in a read session, and only if the database can be opened.
    """
    results: list[Result] = []
    with primary_only(), undisturbed(connection):
        unusable = problem_of_opening(connection)
        for check in doctor_checks():
            if only and check.id not in only:
                continue
            if unusable and checks.Tags.database in check.function.tags:
                messages = [_skipped(check, "the database can't be opened, see D001")]
            else:
                messages = _messages(check, connection, full=full)
            if messages:
                results.append(Result(check, messages))
                on_result(results[-1])
    return results


def _messages(check: Check, connection: BaseDatabaseWrapper, *, full: bool) -> list[checks.CheckMessage]:
    messages: list[checks.CheckMessage] = []
    in_database = checks.Tags.database in check.function.tags
    session = read_session(connection.alias) if in_database else contextlib.nullcontext()
    try:
        with deadline(0 if full else SECONDS), session:
            for message in check.function(app_configs=None, databases=[connection.alias], full=full):
                messages.append(message)  # what was found before an error stays
    except Exception as error:  # a check that fails is a finding, and the others go on
        messages.append(_failure(check, connection, error))
    return messages


def _failure(check: Check, connection: BaseDatabaseWrapper, error: Exception) -> checks.CheckMessage:
    if isinstance(error, TimeoutError) or fault_of(error) is TOO_LONG:
        hint = "Run `promptadmin doctor --full`, which takes the time it needs."
        return checks.Info(f"not finished after {SECONDS:.0f} s", hint=hint, id=check.id)
    if isinstance(error, DatabaseError) and _has_pending_migrations(connection):
        return _skipped(check, "migrations are pending, see D201")
    return checks.Error(f"this couldn't be checked: {_in_one_line(error) or type(error).__name__}", id=check.id)


def _skipped(check: Check, why: str) -> checks.CheckMessage:
    return checks.CheckMessage(SKIPPED, why, id=check.id)


def _has_pending_migrations(connection: BaseDatabaseWrapper) -> bool:
    try:
        with read_session(connection.alias):
            return bool(pending_migrations(connection))
    except DatabaseError:
        return True


def problem_of_opening(connection: BaseDatabaseWrapper) -> str:
    """Why the database can't be opened without changing it; empty if it can."""
    try:
        if is_file(connection):
            check_before_opening(str(file_of(connection)))
            header = read_header(file_of(connection), 20)
            if not header.startswith(b"SQLite format 3\x00"):
                return "it is not a SQLite database, or empty"
            if header[18:20] != WAL_BYTES:
                return "it is not in WAL mode, so promptadmin has never opened it here"
        with read_session(connection.alias), connection.cursor() as cursor:
            connection.introspection.table_names(cursor)  # SQLite opens a file's pages with the first read
    except (OSError, DatabaseError, ImproperlyConfigured) as error:
        return _in_one_line(error)
    return ""


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())


@contextlib.contextmanager
def undisturbed(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Leave SQLite's log as it is: the last connection to close would move it into the file.

    A read-only connection can't do that, so one stays open until Django's is closed.
    """
    file = file_of(connection).absolute()
    if not is_file(connection) or not file.exists() or not log_of(file).exists() or not log_of(file).stat().st_size:
        yield
        return
    guard = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=5)
    with contextlib.closing(guard):
        with contextlib.suppress(sqlite3.DatabaseError):
            guard.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        was_open = connection.connection is not None
        try:
            yield
        finally:
            if not was_open:
                connection.close()
