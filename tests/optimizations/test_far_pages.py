"""Pages far from the beginning are the same runs, however few of those before them are counted off."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import pytest
from django.db import connection
from hypothesis import event, given, settings
from hypothesis import strategies as st

from optimizations.lists.paging import RunOrder
from optimizations.repository import OptimizationRepository, RunFilters
from optimizations.stats.rollups import building, far, table
from promptadmin.db.sessions import read_session
from tests.optimizations import test_stats_rollups as rollups
from tests.optimizations.stats_rows import NOW, make_run, store
from tests.optimizations.test_stats_rollups import EXAMPLES, fold_all, small_ranges
from tests.query_plans import sqlite_work

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="other engines count the rows off"),
]
FILTERS = [RunFilters(), RunFilters(status="completed"), RunFilters(task_type="coding"), RunFilters(project="p")]


@pytest.fixture(autouse=True)
def every_page_is_far(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a few dozen runs are enough."""
    monkeypatch.setattr(far, "NEAR", 1)


def rows_of(filters: RunFilters, turn: str) -> list[int]:
    """The row of each run of a list, in its order, as SQLite itself tells them."""
    conditions = filters.given()
    where = " AND ".join([f"{name} = %s" for name in conditions] or ["1"])
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT rowid FROM optimizations WHERE {where} ORDER BY +created_at {turn}, rowid {turn}",
            list(conditions.values()),
        )
        return [row for (row,) in cursor.fetchall()]


def check_all() -> int:
    """Compare the page at every place of every list. Answers how many runs needn't be counted off in all."""
    leapt = 0
    runs = OptimizationRepository()
    for filters, order in itertools.product(FILTERS, ("asc", "desc")):
        expected = rows_of(filters, order)
        by = RunOrder.named("created_at", order, "sqlite")
        for offset in range(0, len(expected), 3):
            found = runs._far_places(filters, by, offset, 3)
            assert [place.tie for place in found] == expected[offset : offset + 3]
            leapt += far.leap(connection, filters, by, offset)[1]
    return leapt


@settings(max_examples=EXAMPLES)
@given(rows=st.lists(rollups.rows, min_size=12, max_size=40), done=st.lists(rollups.deeds, max_size=6))
def test_far_pages_are_those_of_the_rows_whatever_is_written(rows: list[dict[str, Any]], done: list[Any]) -> None:
    """Times and numbers of rows at random, after any kind of write, between any two pieces of the upkeep."""
    with small_ranges():
        store(rows)
        fold_all()
        check_all()
        for deed in done:
            rollups.do(deed)
            check_all()
        fold_all()
        event(f"leapt: {check_all() > 0}")


@settings(max_examples=EXAMPLES)
@given(steps=st.lists(st.integers(-5, 20), min_size=20, max_size=60), chance=st.randoms(use_true_random=False))
def test_far_pages_of_times_that_mostly_grow(steps: list[int], chance: Any) -> None:
    """As recording and importing make them: late, early, and several at once."""
    minutes = itertools.accumulate(steps)
    kinds = [{"status": "completed"}, {"status": "error"}, {"task_type": "coding"}]
    with small_ranges():
        store(make_run(created_at=NOW + dt.timedelta(minutes=minute), **chance.choice(kinds)) for minute in minutes)
        fold_all()
        event(f"leapt: {check_all() > 0}")


@pytest.mark.parametrize("jitter", [0, 3])
def test_of_times_in_about_the_rows_order_only_a_few_runs_are_counted_off(
    jitter: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From either end, for the runs of a status and of a task type, and where runs are recorded at the same time."""
    with small_ranges():
        minutes = [number + jitter * (number % 2) for number in range(100)]
        store(make_run(created_at=NOW + dt.timedelta(minutes=minute), task_type="coding") for minute in minutes)
        fold_all()
        for filters, order in itertools.product(FILTERS[:3], ("asc", "desc")):
            by = RunOrder.named("created_at", order, "sqlite")
            for offset in range(12, 88):
                _, passed = far.leap(connection, filters, by, offset)
                newest = 8 if order == "desc" else 0  # which are in no summary
                assert offset - passed <= 4 + newest + 2 * jitter
        check_all()
        monkeypatch.setattr(far, "MOST_WALKED", 1)
        check_all()


def test_a_far_page_needs_hardly_more_of_many_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixteen times as many take SQLite hardly more steps, in the middle of the list."""
    monkeypatch.setattr(far, "NEAR", 300)
    with small_ranges():
        monkeypatch.setattr(table, "LEVELS", (7, 9, 11, 13, 15, 17))
        monkeypatch.setattr(building, "NEWEST", 128)
        table.create(connection)
        work = []
        for count in (1023, 16 * 1024 - 1):
            store(make_run(created_at=NOW + dt.timedelta(minutes=n)) for n in range(count))
            fold_all()
            by = RunOrder.named("created_at", "desc", "sqlite")
            work.append(sqlite_work(lambda: OptimizationRepository()._far_places(RunFilters(), by, count // 2, 20)))  # noqa: B023
        assert work[1] < 2 * work[0], work


@pytest.mark.django_db(transaction=True)
def test_what_a_page_found_out_serves_the_next_ones_until_somebody_writes() -> None:
    """In read sessions, in which answers are remembered while nobody writes."""
    runs = OptimizationRepository()
    with small_ranges():
        store(make_run(created_at=NOW + dt.timedelta(minutes=n)) for n in range(60))
        fold_all()
        for newest in (0, 100, 50):
            with read_session():
                listed = [run["id"] for n in range(60) for run in runs.list_runs(offset=n, limit=1).items]
                assert listed == [run["id"] for run in runs.list_runs(limit=60).items]
                assert len(set(listed)) == 60
            moment = (NOW + dt.timedelta(minutes=newest)).strftime("%Y-%m-%d %H:%M:%S")
            rollups.write("UPDATE optimizations SET created_at = %s WHERE rowid % 7 = %s", moment, newest % 7)
            if newest:
                fold_all()


@pytest.mark.parametrize("times", [["2026-01-01", 5, b"x", "never"], ["2026-01-01 00:00:00.5", 1e300]])
def test_times_that_are_no_texts_are_counted_off(times: list[Any]) -> None:
    """SQLite's order of them is its own."""
    with small_ranges():
        store(make_run(created_at=times[n % len(times)] if n > 60 else NOW) for n in range(90))
        fold_all()
        check_all()
        with read_session():
            assert far.leap(connection, RunFilters(), RunOrder.named("", "desc", "sqlite"), 80) == far.BEGINNING


def test_far_from_all_summaries_runs_are_counted_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where too many rows are in none, as after a large import, and where the rows' numbers are wide apart."""
    by = RunOrder.named("", "desc", "sqlite")
    with small_ranges():
        store(make_run(created_at=NOW + dt.timedelta(minutes=n)) for n in range(60))
        assert far.leap(connection, RunFilters(), by, 50)[1] == 0
        fold_all()
        assert far.leap(connection, RunFilters(), by, 50)[1] > 0
        rollups.do(("insert at", 2**40, make_run(created_at=NOW)))
        check_all()
        monkeypatch.setattr(far, "MOST_READ", 3)
        rollups.write("UPDATE optimizations SET status = 'error' WHERE rowid BETWEEN 20 AND 30")
        assert far.leap(connection, RunFilters(), by, 50) == far.BEGINNING
