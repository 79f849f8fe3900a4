"""A text of which many runs have all parts, in other places, is found in those that have it whole; SQLite only.

The search index knows where no part of a text stands, so it takes such a text for a common one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper

from optimizations.lists import counting, queries, windows
from optimizations.repository import OptimizationRepository, RunFilters
from promptadmin.db.sessions import read_session
from promptadmin.search import candidate_filter
from tests.conftest import OpenFile
from tests.optimizations.searched_files import add_run, containing, index_everything, plainly_containing, write

RUNS, FOUND = 60, (3, 11, 12, 13, 14, 40)
START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


@pytest.fixture
def path(tmp_path: Path, new_file: bytes) -> Path:
    """A new database with sixty runs, an hour apart, all of which have COM, OMM, MMO, MON and ONS."""
    file = tmp_path / "searched.db"
    file.write_bytes(new_file)
    for number in range(RUNS):
        add_run(
            file,
            f"{number:02}",
            "Commons" if number in FOUND else "a common onset",
            created_at=f"{START + dt.timedelta(hours=number):%Y-%m-%d %H:%M:%S.%f}",
            status="error" if number % 2 else "completed",
            overall_score=None if number % 3 == 0 else number % 7 / 7,
            complexity="simple" if number % 5 else None,
        )
    return file


@pytest.fixture
def database(path: Path, open_file: OpenFile, monkeypatch: pytest.MonkeyPatch) -> Iterator[BaseDatabaseWrapper]:
    """The same, open and indexed; more than three runs are many, and few are looked at for each that is wanted."""
    monkeypatch.setattr(candidate_filter, "FEW", 3)
    monkeypatch.setattr(queries, "READ_FOR_ONE", 2)
    with open_file(path) as connection:
        index_everything(connection.alias)
        yield connection


@pytest.mark.parametrize("few", [0, 2, 2_000])
def test_exactly_those_are_found_that_have_it(
    database: BaseDatabaseWrapper, path: Path, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """With other filters too, after changes that the index doesn't know, and whether few or many have it."""
    monkeypatch.setattr(counting, "FEW", few)
    for _ in range(2):
        for text in ("commons", "OMMONS", "mmo", "common onset", "a common onset common"):
            for filters in ({}, {"status": "error"}):
                assert containing(database.alias, text, **filters) == plainly_containing(path, text, **filters)
            assert containing(database.alias, text, include_archived=False) == plainly_containing(path, text)
        write(path, "UPDATE optimizations SET raw_prompt = 'the commons' WHERE id = '07'")
        write(path, "UPDATE optimizations SET raw_prompt = 'a common onset' WHERE id = '11'")
        write(path, "DELETE FROM optimizations WHERE id = '13'")


@pytest.mark.parametrize("sort", ["created_at", "overall_score", "status", "complexity"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_by_number_and_by_cursor_are_those_of_the_whole_list(
    database: BaseDatabaseWrapper, sort: str, order: str
) -> None:
    """In any order, also one that no index has."""
    runs = OptimizationRepository(database.alias)
    for text in ("commons", "common onset"):
        filters = RunFilters(search=text)
        with read_session(database.alias):
            everything = [item["id"] for item in runs.list_runs(sort=sort, order=order, limit=RUNS).items]
            expected = [key for key in everything if (int(key) in FOUND) == (text == "commons")]
            by_number = [
                item["id"]
                for offset in range(0, RUNS, 2)
                for item in runs.list_runs(filters=filters, sort=sort, order=order, limit=2, offset=offset).items
            ]
            by_cursor: list[str] = []
            cursor: str | None = ""
            while cursor is not None:
                page = runs.list_runs_after(cursor, filters=filters, sort=sort, order=order, limit=2)
                by_cursor += [item["id"] for item in page.items]
                cursor = page.next_cursor
        assert by_number == expected
        assert by_cursor == expected


def test_the_list_for_people_looks_no_further_than_its_window(
    database: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Following its link, somebody finds all of them; so they do by looking everywhere."""
    monkeypatch.setattr(windows, "WINDOW", 10)
    runs, filters = OptimizationRepository(database.alias), RunFilters(search="commons")
    expected = [f"{number:02}" for number in reversed(FOUND)]
    with read_session(database.alias):
        first = runs.browse_runs(filters=filters, limit=10)
        assert (first.items, first.searched_to) == ([], START + dt.timedelta(hours=50))
        seen, until = [], first.searched_to
        while until is not None:
            page = runs.browse_runs(filters=RunFilters(search="commons", until=until), limit=10)
            seen += [item["id"] for item in page.items]
            until = page.searched_to
        assert seen == expected
        everywhere = runs.browse_runs(filters=filters, limit=10, everywhere=True)
        assert ([item["id"] for item in everywhere.items], everywhere.searched_to) == (expected, None)
        common = runs.browse_runs(filters=RunFilters(search="common"), limit=5)
        assert ([item["id"] for item in common.items]) == ["59", "58", "57", "56", "55"]
