"""Statistics are read once while nobody writes, and are never stale."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from optimizations.stats import statistics
from promptadmin.db.sessions import read_session
from tests.projects.making import make_run

pytestmark = pytest.mark.django_db(transaction=True)


def test_numbers_are_remembered_until_a_run_is_written_or_leaves_its_period() -> None:
    """A second look reads no run again; a new run, an old one's end and the clock are all noticed."""
    now = dt.datetime(2026, 5, 20, 12, tzinfo=dt.UTC)
    make_run(status="completed", created_at=now - dt.timedelta(days=6), overall_score=0.5)

    def looked(**period: Any) -> tuple[Any, int]:
        with CaptureQueriesContext(connection) as queries, read_session():
            answer = statistics(**period)
        return answer, sum("SUM(" in query["sql"] for query in queries)

    first, reads = looked(now=now)
    assert (first["trend_7d"]["count"], reads > 0) == (1, True)
    # PostgreSQL tells of writes to any database of the server, and other tests may be at some.
    assert (first, 0) in (looked(now=now + dt.timedelta(hours=1)) for _ in range(100))
    later, _ = looked(now=now + dt.timedelta(days=2))
    assert later["trend_7d"]["count"] == 0
    make_run(status="completed", created_at=now, overall_score=0.9)
    changed, reads = looked(now=now)
    assert (changed["trend_7d"]["count"], changed["average_overall_score"], reads > 0) == (2, 0.7, True)
    period, _ = looked(now=now, since=now - dt.timedelta(days=7))
    assert period["total_optimizations"] == 2
    period, _ = looked(now=now, since=now - dt.timedelta(days=5))
    assert period["total_optimizations"] == 1
