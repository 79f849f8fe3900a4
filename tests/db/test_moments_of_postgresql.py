"""Moments that PostgreSQL stores and Python has none for read as the nearest ones."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ("0044-03-15 12:00:00+00 BC", dt.datetime(1, 1, 2, tzinfo=dt.UTC)),
        ("-infinity", dt.datetime(1, 1, 2, tzinfo=dt.UTC)),
        ("0001-01-01 00:00:00+14", dt.datetime(1, 1, 2, tzinfo=dt.UTC)),
        ("10000-01-01 00:00:00+00", dt.datetime(9999, 12, 30, tzinfo=dt.UTC)),
        ("infinity", dt.datetime(9999, 12, 30, tzinfo=dt.UTC)),
        ("2026-03-20 09:30:00+02", dt.datetime(2026, 3, 20, 7, 30, tzinfo=dt.UTC)),
    ],
)
def test_any_moment_is_read(stored: str, read: dt.datetime) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite stores moments as texts")
    with connection.cursor() as cursor:
        cursor.execute("SELECT CAST(%s AS timestamptz)", [stored])
        assert cursor.fetchone() == (read,)
