"""Answers that hold while nobody writes: they are given again, and never once they are wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from projects.models import Project
from promptadmin.db.cache import cached_until_write
from promptadmin.db.sessions import read_session, write_session
from tests.conftest import OpenFile
from tests.projects.making import make_project

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def count() -> Callable[[], tuple[int, bool]]:
    """How many projects there are, and whether somebody had to count."""

    def counted() -> tuple[int, bool]:
        calls = []

        def compute() -> int:
            calls.append(1)
            return Project.objects.count()

        with read_session() as reading:
            number = cached_until_write(reading, "projects", compute)
        return number, bool(calls)

    return counted


def test_what_was_computed_is_given_again_until_a_commit(count: Callable[[], tuple[int, bool]]) -> None:
    """On PostgreSQL, a commit to any database of the server counts, and other tests may be at some: hence the tries."""
    before, _ = count()
    assert (before, False) in (count() for _ in range(100))
    make_project()
    assert count() == (before + 1, True)
    assert (before + 1, False) in (count() for _ in range(100))


def test_nothing_is_remembered_of_a_transaction_that_is_rolled_back(count: Callable[[], tuple[int, bool]]) -> None:
    """What a write session sees of its own changes must not be told to others, or after it."""
    before, _ = count()

    @write_session()
    def fail() -> None:
        make_project()
        assert count() == (before + 1, True)
        assert count() == (before + 1, True)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert count()[0] == before


def test_one_moment_has_one_answer(count: Callable[[], tuple[int, bool]]) -> None:
    with read_session() as reading:
        first = cached_until_write(reading, "other", Project.objects.count)
        assert cached_until_write(reading, "other", lambda: -1) == first


@pytest.mark.skipif(connection.vendor != "sqlite", reason="this is about SQLite's own counters")
def test_what_another_connection_commits_is_seen(count: Callable[[], tuple[int, bool]], open_file: OpenFile) -> None:
    """Another process is another connection: SQLite counts its commits for us."""
    before, _ = count()
    with open_file(Path(str(connection.settings_dict["NAME"]))) as other:
        Project.objects.using(other.alias).create(name="from elsewhere")
    assert count() == (before + 1, True)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="this is about SQLite's own counters")
def test_connections_do_not_forget_for_each_other(count: Callable[[], tuple[int, bool]], open_file: OpenFile) -> None:
    """Two threads of a server have two connections, and each goes on remembering while the other asks the same."""
    first, _ = count()
    raw = connection.connection
    with open_file(Path(str(connection.settings_dict["NAME"]))) as other:
        other.ensure_connection()
        connection.connection = other.connection
        try:
            assert count() == (first, True)
            assert count() == (first, False)
        finally:
            connection.connection = raw
    assert count() == (first, False)
