"""Pages far from the beginning are the same runs as SQLite itself lists there."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizations.repository import OptimizationRepository, RunFilters
from promptadmin.db.sessions import read_session
from tests.optimizations import test_stats_rollups as rollups
from tests.optimizations.stats_rows import store
from tests.support.rounds import STATISTICS_EXAMPLES

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="the oracle knows SQLite's order of equal times"),
]
FILTERS = [RunFilters(), RunFilters(status="completed"), RunFilters(task_type="coding"), RunFilters(project="p")]
PAGE = 3


def ids_of(filters: RunFilters, order: str) -> list[str]:
    """The id of each run of a list, in its order, as the engine itself tells them."""
    tie = "rowid" if connection.vendor == "sqlite" else "id"
    conditions = filters.given()
    where = " AND ".join([f"{name} = %s" for name in conditions] or ["1 = 1"])
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM optimizations WHERE {where} ORDER BY created_at {order}, {tie} {order}",
            list(conditions.values()),
        )
        return [run_id for (run_id,) in cursor.fetchall()]


@settings(max_examples=STATISTICS_EXAMPLES)
@given(rows=st.lists(rollups.rows, min_size=12, max_size=40))
def test_every_page_has_the_runs_of_its_place(rows: list[dict[str, Any]]) -> None:
    store(rows)
    for filters, order in itertools.product(FILTERS, ("asc", "desc")):
        expected = ids_of(filters, order)
        for offset in range(0, len(expected), PAGE):
            with read_session():
                page = OptimizationRepository().list_runs(filters=filters, order=order, limit=PAGE, offset=offset)
            assert [run["id"] for run in page.items] == expected[offset : offset + PAGE]
            assert page.total == len(expected)
