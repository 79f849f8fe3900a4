"""GET /api/history: sorting, numbered pages and pages by cursor."""

from __future__ import annotations

import base64
import datetime as dt
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from optimizations.lists.paging import SORTS
from optimizations.models import Optimization
from tests.projects.making import make_run, store

# A reading request inside a test's own transaction would leave that transaction read-only on PostgreSQL.
pytestmark = pytest.mark.django_db(transaction=True)

START = dt.datetime(2026, 3, 20, tzinfo=dt.UTC)
SQLITE = connection.vendor == "sqlite"


@pytest.fixture
def api(settings: Settings) -> Client:
    settings.API_AUTH_TOKEN = "secret"
    return Client(headers={"Authorization": "Bearer secret"})


@pytest.fixture
def runs() -> list[Optimization]:
    """Twelve runs, with three values and NULL in each column, in no order."""
    made = []
    for number in range(12):
        place = (number * 5) % 4
        made.append(
            make_run(
                id=f"{(number * 7) % 12:02}",
                created_at=START + dt.timedelta(days=place),
                overall_score=(None, 0.1, 0.25, 1.0)[place],
                task_type=(None, "B", "a", "é")[place],
                complexity=(None, "complex", "moderate", "simple")[place],
                duration_ms=(None, 5, 10, 200)[place],
                title=(None, "", "10", "9")[place],
                project=(None, " p", "P", "p")[place],
                status=("cancelled", "completed", "error", "pending")[place],
            )
        )
    return made


def history(api: Client, **query: Any) -> Any:
    answer = api.get(f"/api/history?{urlencode(query)}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def ids(page: Any) -> list[str]:
    return [item["id"] for item in page["items"]]


def by_cursor(api: Client, **query: Any) -> list[str]:
    """All pages, one after the other."""
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = history(api, cursor=cursor, **query)
        assert (page["total"], page["page"]) == (None, None)
        seen += ids(page)
        cursor = page["next_cursor"]
    return seen


def in_order(runs: list[Optimization], sort: str, order: str) -> list[str]:
    """The ids in the order that the contract says: NULL lowest, and among equal ones that of the rows or of the ids."""

    def place(entry: tuple[int, Optimization]) -> tuple[Any, ...]:
        number, run = entry
        value = getattr(run, sort)
        return value is not None, value if value is not None else 0, number if SQLITE else run.id

    return [run.id for _, run in sorted(enumerate(runs), key=place, reverse=order == "desc")]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", SORTS)
def test_every_sort_is_total_and_pages_never_overlap(
    api: Client, runs: list[Optimization], sort: str, order: str
) -> None:
    expected = in_order(runs, sort, order)
    assert ids(history(api, sort=sort, order=order)) == expected
    for per_page in (1, 5, 12):
        query = {"sort": sort, "order": order, "per_page": per_page}
        pages = [history(api, page=number, **query) for number in range(1, 12 // per_page + 2)]
        assert [run for page in pages for run in ids(page)] == expected
        assert all(page["total"] == 12 for page in pages)
        assert by_cursor(api, **query) == expected
        assert ids(history(api, search="text", **query)) == expected[:per_page]


def test_a_numbered_page_names_the_next_one_by_cursor_too(api: Client, runs: list[Optimization]) -> None:
    page = history(api, page=2, per_page=4, sort="title")
    rest = history(api, cursor=page["next_cursor"], per_page=4, sort="title")
    assert ids(rest) == ids(history(api, page=3, per_page=4, sort="title"))
    assert rest["next_cursor"] is None
    assert history(api, page=3, per_page=4, sort="title")["next_cursor"] is None
    assert history(api, page=1000, per_page=4)["items"] == []
    assert history(api, page=2_147_483_647, per_page=100)["total"] == 12
    assert history(api, page=1000, search="text")["total"] == 12


def test_sort_by_wins_and_an_unknown_sort_means_created_at(api: Client, runs: list[Optimization]) -> None:
    by_time = in_order(runs, "created_at", "desc")
    assert ids(history(api)) == ids(history(api, sort="nonsense")) == ids(history(api, sort="id; DROP")) == by_time
    assert ids(history(api, sort="title", sort_by="status")) == in_order(runs, "status", "desc")
    assert ids(history(api, sort="title", sort_by="")) == in_order(runs, "title", "desc")
    assert by_cursor(api, sort_by="status", per_page=5) == in_order(runs, "status", "desc")


def test_what_others_add_and_delete_meanwhile_moves_no_run(api: Client, runs: list[Optimization]) -> None:
    expected = in_order(runs, "created_at", "desc")
    first = history(api, cursor="", per_page=4)
    make_run(created_at=START + dt.timedelta(days=99))
    Optimization.objects.filter(id__in=[ids(first)[0], ids(first)[-1]]).delete()
    assert ids(history(api, cursor=first["next_cursor"], per_page=100)) == expected[4:]


@pytest.mark.skipif(not SQLITE, reason="another engine has no such command, or no numbers of rows")
def test_a_cursor_outlives_the_renumbering_of_rows(api: Client, runs: list[Optimization]) -> None:
    Optimization.objects.filter(id=runs[0].id).delete()
    first = history(api, cursor="", per_page=5, sort="status")
    rest = ids(history(api, page=2, per_page=5, sort="status")) + ids(history(api, page=3, per_page=5, sort="status"))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
    assert ids(history(api, cursor=first["next_cursor"], sort="status")) == rest


def test_a_page_by_cursor_counts_nothing(api: Client, runs: list[Optimization]) -> None:
    cursor = history(api, per_page=4)["next_cursor"]
    with CaptureQueriesContext(connection) as queries:
        history(api, cursor=cursor, per_page=4)
    assert not any("COUNT" in query["sql"] for query in queries)


def packed(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "é",
        "!!!!",
        "%00",
        packed(),
        packed("created_at"),
        packed("created_at", "desc", None, 1, "id"),
        packed("created_at", "desc", {"hex": "zz"}, 1, "id"),
        packed("created_at", "desc", {}, 1, "id"),
        packed("created_at", "desc", [1], 1, "id"),
        packed("created_at", "desc", "2026-01-01", [], "id"),
        packed("created_at", "desc", "2026-01-01", 10**30, "id"),
        packed("created_at", "desc", "2026-01-01", 1, 2),
        packed("created_at", "desc", "2026-01-01", 1, "a\0"),
        packed("created_at", "desc", "\ud800", 1, "id"),
        packed("created_at", "desc", 10**30, 1, "id"),
        packed("created_at", "asc", "2026-01-01", 1, "id"),
        packed("title", "desc", "2026-01-01", 1, "id"),
        base64.urlsafe_b64encode(b"[" * 100_000).decode(),
    ],
)
def test_a_broken_cursor_is_refused(api: Client, cursor: str) -> None:
    answer = api.get("/api/history", {"cursor": cursor})
    assert answer.status_code == 422, answer.content
    (error,) = answer.json()["detail"]
    assert (error["type"], error["loc"]) == ("value_error", ["query", "cursor"])


def test_a_cursor_goes_with_its_sort_and_order(api: Client, runs: list[Optimization]) -> None:
    cursor = history(api, per_page=4, sort="title", order="asc")["next_cursor"]
    answer = api.get("/api/history", {"cursor": cursor})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["msg"] == "This cursor goes with sort=title and order=asc: send both with it"


@pytest.mark.skipif(not SQLITE, reason="other engines' columns take no such value")
@pytest.mark.parametrize("sort", ["created_at", "overall_score", "duration_ms", "title"])
def test_wild_values_have_their_place_too(api: Client, sort: str) -> None:
    wild = [b"\x01", "9", "someday", 7, 9e999, -9e999, 2**62, "", "2026-03-20T09:30:00", "é", 0.1, b"", "someday", 7]
    for number, value in enumerate(wild):
        store("optimizations", sort, make_run(id=f"{number:02}").id, value)
    for order in ("asc", "desc"):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT id FROM optimizations ORDER BY {sort} {order}, rowid {order}")
            expected = [key for (key,) in cursor.fetchall()]
        query = {"sort": sort, "order": order}
        assert by_cursor(api, per_page=1, **query) == by_cursor(api, per_page=5, **query) == expected
        assert ids(history(api, **query)) == expected
