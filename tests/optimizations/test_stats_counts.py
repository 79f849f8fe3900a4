"""Totals of lists told by what is stored beside summaries are those of the rows, whoever wrote what in between."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from hypothesis import event, given, settings
from hypothesis import strategies as st

from optimizations.lists.counting import count_runs
from optimizations.models import Optimization
from optimizations.repository import OptimizationRepository, RunFilters
from optimizations.stats.rollups import building, counts, table
from optimizations.stats.rollups.counts import count_stored
from tests.optimizations import test_stats_rollups as rollups
from tests.optimizations.stats_rows import make_run, store
from tests.optimizations.test_stats_rollups import fold_all, small_ranges, write
from tests.support.query_plans import sqlite_work
from tests.support.rounds import STATISTICS_EXAMPLES

pytestmark = [
    pytest.mark.skipif(connection.vendor != "sqlite", reason="other engines count the rows"),
]
STAMP = "2026-01-01 00:00:00"
KINDS: tuple[dict[str, Any], ...] = (
    {},
    {"status": "completed"},
    {"task_type": "coding"},
    {"task_type": "coding", "status": "completed"},
)
OWNERS: tuple[dict[str, Any], ...] = ({}, {"project": "p"}, {"project": "q"})
FILTERS = [RunFilters(**owner, **kind) for owner in OWNERS for kind in KINDS]


def wrong() -> list[tuple[RunFilters, int, int]]:
    """Filters whose total isn't the number of the rows."""
    runs = OptimizationRepository().runs
    totals = [(filters, count_runs(filters, runs), filters.count(runs)) for filters in FILTERS]
    return [found for found in totals if found[1] != found[2]]


def told() -> int:
    """How many of the filters need no count of all rows."""
    return sum(count_stored(connection, filters) is not None for filters in FILTERS)


@pytest.mark.django_db
@settings(max_examples=STATISTICS_EXAMPLES)
@given(rows=st.lists(rollups.rows, min_size=12, max_size=40), done=st.lists(rollups.deeds, max_size=8))
def test_totals_are_those_of_the_rows_whatever_is_written(rows: list[dict[str, Any]], done: list[Any]) -> None:
    """After each write, of any kind that SQLite knows, between any two pieces of the upkeep."""
    with small_ranges():
        store(rows)
        fold_all()
        event(f"told: {told() > 0}")
        for deed in done:
            rollups.do(deed)
            assert not wrong(), deed
        fold_all()
        assert not wrong()


@pytest.mark.django_db
def test_totals_need_no_more_than_summaries_and_the_newest_rows() -> None:
    """However many rows there are: four times as many take SQLite hardly more steps."""
    with small_ranges(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "LEVELS", (7, 9, 11, 13, 15, 17))
        patch.setattr(building, "NEWEST", 128)
        table.create(connection)
        work = []
        for runs in (1023, 4095):
            store([make_run(project="p", task_type="coding", overall_score=0.5)] * runs)
            fold_all()
            assert told() == len(FILTERS) - len(KINDS)  # a project without runs has no summaries
            assert not wrong()
            work.append([sqlite_work(lambda: count_runs(filters, Optimization.objects.all())) for filters in FILTERS])  # noqa: B023
        grown = [found for found in zip(FILTERS, *work, strict=True) if found[2] > 2 * max(found[1], 5)]
        assert not grown


@pytest.mark.django_db
def test_too_many_different_values_are_counted_in_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of them nothing is stored, in no summary that has theirs."""
    monkeypatch.setattr(counts, "MOST_KINDS", 3)
    with small_ranges():
        store([make_run(project="p", task_type=f"type {number}") for number in range(60)])
        fold_all()
        assert count_stored(connection, RunFilters(task_type="type 3")) is None
        assert not wrong()


@pytest.mark.django_db
@pytest.mark.parametrize("number", [2**63 - 1, 2**62, 2**59 + 1, -(2**63), -(2**60)])
def test_rows_of_any_number_count(number: int) -> None:
    """Places of the greatest can't be reckoned by SQLite: these rows are in no summary."""
    with small_ranges():
        store([make_run(project="p", task_type="coding", overall_score=0.5)] * 30)
        rollups.do(("replace at", number, make_run(project="p", overall_score=0.5)))
        rollups.do(("insert", make_run(project="p", overall_score=0.5)))
        fold_all()
        assert not wrong()
        assert rollups.answers() == rollups.recomputed()
        write("UPDATE optimizations SET overall_score = 0.75 WHERE rowid = %s", number)
        write("UPDATE optimizations SET status = 'error' WHERE rowid = %s", number)
        assert not wrong()
        assert rollups.answers() == rollups.recomputed()
        write("DELETE FROM optimizations WHERE rowid = %s", number)
        fold_all()
        assert not wrong()
        assert rollups.answers() == rollups.recomputed()


@pytest.mark.django_db
def test_a_name_that_is_no_utf8_is_counted_in_the_rows() -> None:
    """Such texts all read alike."""
    with small_ranges():
        store([make_run(project="p")] * 30)
        fold_all()
        for number, text in ((1, "61ff"), (2, "61fe")):
            write(f"UPDATE optimizations SET task_type = CAST(x'{text}' AS TEXT) WHERE rowid = {number}")
        fold_all()
        runs = OptimizationRepository().runs
        assert count_runs(RunFilters(task_type="a\ufffd"), runs) == RunFilters(task_type="a\ufffd").count(runs) == 0


@pytest.mark.django_db
def test_outside_a_transaction_the_rows_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several statements would each tell of another moment."""
    with small_ranges():
        store([make_run(project="p")] * 30)
        fold_all()
        assert told()
        monkeypatch.setattr(counts, "in_transaction", lambda connection: False)
        assert not told()
        assert not wrong()


@pytest.mark.django_db
def test_the_migration_makes_summaries_without_counts_anew() -> None:
    """Those of the release before, under the same triggers."""
    with small_ranges():
        store([make_run(project="p")] * 30)
        fold_all()
        before = rollups.stored_summaries()
        write(f"ALTER TABLE {table.TABLE} DROP COLUMN kinds")
        assert not told()
        assert rollups.answers() == rollups.recomputed()
        import_module("optimizations.migrations.0028_counts_of_summaries").forwards(None, rollups.Editor)
        assert rollups.stored_summaries() == 0
        fold_all()
        assert rollups.stored_summaries() == before
        assert told()
        assert not wrong()
