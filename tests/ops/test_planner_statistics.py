"""The statistics that upkeep keeps for SQLite's planner, and what they are good for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper

from optimizations.repository import OptimizationRepository, RunFilters
from promptadmin.ops.planner_statistics import refresh
from tests.conftest import OpenFile
from tests.support.query_plans import sqlite_plans


@pytest.fixture
def connection(new_file: bytes, open_file: OpenFile, tmp_path: Path) -> Iterator[BaseDatabaseWrapper]:
    path = tmp_path / "planned.db"
    path.write_bytes(new_file)
    with open_file(path) as connection:
        yield connection


def add_runs(connection: BaseDatabaseWrapper, first: int, last: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE n(n) AS (SELECT %s UNION ALL SELECT n + 1 FROM n WHERE n < %s) "
            "INSERT INTO optimizations (id, raw_prompt, created_at, status, task_type, project) "
            "SELECT n, 'text', '2026-01-01 00:00:00', 'completed', 't', 'p ' || n %% 30 FROM n",
            [first, last],
        )


def known(connection: BaseDatabaseWrapper) -> dict[str, int]:
    """How many rows the planner takes tables for."""
    with connection.cursor() as cursor:
        if "sqlite_stat1" not in connection.introspection.table_names(cursor):
            return {}
        cursor.execute("SELECT tbl, MAX(CAST(stat AS INTEGER)) FROM sqlite_stat1 GROUP BY tbl")
        return dict(cursor.fetchall())


def test_a_large_table_is_read_once_and_again_when_it_has_grown(connection: BaseDatabaseWrapper) -> None:
    """Never a small one; nor one that grew a little, or lost a few rows."""
    add_runs(connection, 1, 99)
    assert refresh(connection.alias, large=100) == (0, 0)
    assert known(connection) == {}
    add_runs(connection, 100, 100)
    assert refresh(connection.alias, large=100) == (1, 0)
    assert known(connection) == {"optimizations": 100}
    add_runs(connection, 101, 900)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM optimizations WHERE id = '5'")
    assert refresh(connection.alias, large=100) == (0, 0)
    add_runs(connection, 901, 1001)
    assert refresh(connection.alias, large=100) == (1, 0)
    assert known(connection) == {"optimizations": 1000}


def test_a_table_that_has_shrunk_is_read_again_once(connection: BaseDatabaseWrapper) -> None:
    """Its rows count, not their numbers."""
    add_runs(connection, 1, 2000)
    assert refresh(connection.alias, large=100).done
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM optimizations WHERE CAST(id AS INTEGER) < 1900")
    assert refresh(connection.alias, large=100) == (1, 0)
    assert known(connection) == {"optimizations": 101}
    assert refresh(connection.alias, large=100) == (0, 0)


def test_the_runs_of_a_prompt_or_a_project_are_found_by_it(connection: BaseDatabaseWrapper) -> None:
    """And not among all of the status and the task type; no value of a row is kept for the planner."""
    add_runs(connection, 1, 3000)
    assert refresh(connection.alias, large=100).done
    runs = OptimizationRepository(connection.alias).runs
    for narrow in (RunFilters(prompt_id="none"), RunFilters(project="p 1")):
        filters = replace(narrow, status="completed", task_type="t")
        for near in (False, True):
            steps = sqlite_plans(lambda: list(filters.apply(runs, near=near).values("id")), connection.alias)  # noqa: B023
            assert steps
            assert not [step for step in steps if "status_task_type" in step], steps
    with connection.cursor() as cursor:
        if "sqlite_stat4" in connection.introspection.table_names(cursor):
            cursor.execute("SELECT COUNT(*) FROM sqlite_stat4")
            assert cursor.fetchone() == (0,)
