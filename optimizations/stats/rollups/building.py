"""The upkeep job that makes and remakes stored summaries.

The database's write lock is held only to announce a summary and to store it: whatever touches its rows meanwhile takes
the announcement away, and then there is nothing to store it in. The newest rows are left alone, for they change most.
"""

from __future__ import annotations

import secrets
import time
from typing import Any, NamedTuple

from django.db import connections
from django.db.models import Q

from optimizations.models import Optimization
from optimizations.stats.rollups import table
from optimizations.stats.rollups.days import read_days
from optimizations.stats.rollups.summaries import Summary, read_summary, unpacked
from optimizations.stats.rollups.table import RUNS, TABLE, place, rows_of
from promptadmin.db.cache import cached_until_write
from promptadmin.db.features import has_row_numbers
from promptadmin.db.row_numbers import RowNumber
from promptadmin.db.sessions import read_session, write_session
from promptadmin.plugins.steps import JobResult

#: A project with fewer runs in a range has no summary of them: reading the runs takes no longer.
RUNS_OF_A_PART = 128
#: So many of the newest row numbers are in no summary.
NEWEST = 2048
SUMMARIES_A_PIECE = 64
SECONDS_A_PIECE = 0.25


class Task(NamedTuple):
    """A summary to be made."""

    project: str
    at: int


def build_rollups(using: str) -> JobResult:
    """Make some of the summaries that are missing; on SQLite only."""
    if not has_row_numbers(connections[using]):
        return JobResult(0, 0)
    with read_session(using) as connection:
        trusted = table.is_trustworthy(connection)
        tasks, left = (
            cached_until_write(connection, "missing summaries", lambda: _find_tasks(using)) if trusted else ([], 0)
        )
    if not trusted:
        with write_session(using):
            table.drop(connections[using])
            table.create(connections[using])
        return JobResult(0, 1)
    if not tasks:
        return JobResult(0, 0)
    announced = _announce(using, tasks)
    started = time.monotonic()
    made: list[list[Any]] = []
    for key, task in announced:
        with read_session(using):
            made.append([*_make(using, task), key])
        if time.monotonic() - started > SECONDS_A_PIECE:
            break
    done = _store(using, made)
    return JobResult(done, max(1, left - done))


def _find_tasks(using: str) -> tuple[list[Task], int]:
    """Summaries to be made next, and how many are missing in all."""
    with connections[using].cursor() as cursor:
        cursor.execute(f"SELECT place, project, parts FROM {TABLE} WHERE data IS NOT NULL")
        stored: list[tuple[int, str, int]] = cursor.fetchall()
        cursor.execute(f"SELECT (SELECT MIN(rowid) FROM {RUNS}), (SELECT MAX(rowid) FROM {RUNS})")
        row, greatest = cursor.fetchone()
    tasks = _find_parts(using, stored)
    places = {at for at, project, _ in stored if not project}
    while row is not None and rows_of(place(row))[1] <= greatest - NEWEST:
        if place(row) not in places:
            tasks.append(Task("", place(row)))
        row = _next_row(using, rows_of(place(row))[1])
    return tasks[:SUMMARIES_A_PIECE], len(tasks)


def _find_parts(using: str, stored: list[tuple[int, str, int]]) -> list[Task]:
    """The summaries of single projects that are missing beside those of all."""
    parts: dict[int, set[str]] = {}
    for at, project, _ in stored:
        parts.setdefault(at, set()).add(project)
    return [
        Task(project, at)
        for at, of, wanted in stored
        if not of and len(parts[at]) - 1 < wanted
        for project in _projects_worth_a_part(_read(using, at))
        if project not in parts[at]
    ]


def _next_row(using: str, row: int) -> int | None:
    with connections[using].cursor() as cursor:
        cursor.execute(f"SELECT MIN(rowid) FROM {RUNS} WHERE rowid > %s", [row])
        following: int | None = cursor.fetchone()[0]
        return following


def _projects_worth_a_part(summary: Summary) -> list[str]:
    return [project for project, runs in summary.projects.items() if runs >= RUNS_OF_A_PART]


def _read(using: str, at: int) -> Summary:
    """The stored summary of a place, of all projects."""
    with connections[using].cursor() as cursor:
        cursor.execute(f"SELECT data FROM {TABLE} WHERE project = '' AND place = %s AND data IS NOT NULL", [at])
        return unpacked(cursor.fetchone()[0])


def _announce(using: str, tasks: list[Task]) -> list[tuple[int, Task]]:
    announced = [(secrets.randbits(62), task) for task in tasks]
    with write_session(using) as connection, connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {TABLE} WHERE data IS NULL")  # of a process that was killed
        cursor.executemany(
            f"INSERT INTO {TABLE} (id, project, place) VALUES (%s, %s, %s)", [(key, *task) for key, task in announced]
        )
    return announced


def _make(using: str, task: Task) -> list[Any]:
    """The values of the columns that _store writes."""
    rows = rows_of(task.at)
    runs = Optimization._base_manager.using(using).alias(row=RowNumber("id")).filter(Q(row__range=rows))
    if task.project:
        runs = runs.filter(project=task.project)
    summary = read_summary(runs, with_projects=not task.project)
    with connections[using].cursor() as cursor:
        cursor.execute(
            f"SELECT MIN(created_at), MAX(created_at), MAX(rowid) FROM {RUNS} "
            "WHERE rowid BETWEEN %s AND %s AND %s IN ('', project)",
            [*rows, task.project],
        )
        *times, last_row = cursor.fetchone()
        cursor.execute(f"SELECT rowid, id FROM {RUNS} WHERE rowid = %s", [last_row])
        edge = cursor.fetchone() or (None, None)
    parts = len(_projects_worth_a_part(summary))
    return [parts, *times, *edge, *summary.completed().numbers(), summary.packed(), read_days(runs).packed()]


def _store(using: str, made: list[list[Any]]) -> int:
    """Store the summaries whose announcement still stands. Answers how many."""
    done = 0
    with write_session(using) as connection, connection.cursor() as cursor:
        for values in made:
            cursor.execute(
                f"UPDATE {TABLE} SET parts = %s, first_at = %s, last_at = %s, last_row = %s, last_id = %s, "
                "completed = %s, scored = %s, score = %s, data = %s, days = %s WHERE id = %s",
                values,
            )
            done += cursor.rowcount
        cursor.execute(f"DELETE FROM {TABLE} WHERE data IS NULL")
    return done
