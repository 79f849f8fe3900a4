"""The numbers of a list of projects are counted once while nobody writes, and are never stale."""

from __future__ import annotations

import pytest
from django.db import connection

from projects.repository import ProjectRepository
from promptadmin.db.sessions import read_session
from tests.projects.making import make_project, make_prompt
from tests.support.sent_sql import sent_sql

pytestmark = pytest.mark.django_db(transaction=True)


def test_numbers_are_counted_again_only_after_a_write() -> None:
    """A new prompt and a new project are noticed at once; another search has a number of its own."""
    first = make_project(name="first")
    make_prompt(first)

    def looked(search: str = "") -> tuple[int, list[int], int]:
        with read_session(), sent_sql(connection) as statements:
            page = ProjectRepository().list_projects(search=search, sort="name", order="asc")
        counts = sum("COUNT(" in statement for statement in statements)
        return page.total, [project.prompt_count for project in page.items], counts

    assert looked() == (1, [1], 2)
    # PostgreSQL tells of writes to any database of the server, and other tests may be at some.
    assert (1, [1], 0) in (looked() for _ in range(100))
    make_prompt(first)
    assert looked() == (1, [2], 2)
    make_project(name="second")
    assert looked() == (2, [2, 0], 2)
    assert looked("sec") == (1, [0], 2)
