"""Statistics read from stored summaries are those of the rows, whoever wrote what in between.

PROMPTADMIN_STATISTICS_EXAMPLES sets how many files are written to at random; `make fuzz` takes 500.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple
from typing import Any

import pytest
from django.db import connection
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from optimizations.migrations._summaries import drop_summaries
from optimizations.stats import StatsQuery, query, statistics
from optimizations.stats.rollups import building, table
from optimizations.stats.rollups.reading import find_cover
from promptadmin.db.sessions import read_session
from tests.optimizations.stats_rows import COLUMNS, LONG_AGO, NOW, make_run, store
from tests.support.rounds import STATISTICS_EXAMPLES

pytestmark = [
    pytest.mark.skipif(connection.vendor != "sqlite", reason="other engines read the rows"),
]
DAY = dt.timedelta(days=1)

_names = itertools.count(1)
numbers = st.integers(0, 40)
values: dict[str, st.SearchStrategy[Any]] = {
    "created_at": st.integers(0, 40).map(lambda days: NOW - days * DAY) | st.sampled_from(["never", "2026-03-20T01"]),
    "status": st.sampled_from(["completed"] * 4 + ["error", "running"]),
    "project": st.sampled_from(["p", "p", "q", None, "", b"p"]),
    "strategy": st.sampled_from([None, "risen", "few-shot", "few-shot-scaffolding", b"risen"]),
    "task_type": st.sampled_from([None, "coding", "writing"]),
    "model_used": st.sampled_from([None, "a", "b", b"a", 7]),
    "complexity": st.sampled_from([None, "simple", "complex"]),
    "overall_score": st.integers(0, 1000).map(lambda score: score / 1000) | st.sampled_from([None, "n/a", 1e300]),
    "is_improvement": st.sampled_from([None, True, False, "?"]),
    "duration_ms": st.integers(0, 50),
    "secondary_frameworks": st.sampled_from([None, "[]", '["risen", "few-shot"]', "no list"]),
    "tags": st.sampled_from([None, "[]", '["a"]', '["b", "a", "c", "d", "e"]', '["a"', b"[]"]),
}
rows = st.fixed_dictionaries(values).map(lambda row: make_run(**row))
changes = st.sampled_from(sorted(values)).flatmap(lambda column: st.tuples(st.just(column), values[column]))
deeds = st.one_of(
    st.tuples(st.just("insert"), rows),
    st.tuples(st.just("insert"), rows),
    st.tuples(st.just("insert at"), numbers, rows),
    st.tuples(st.just("replace"), numbers, rows),
    st.tuples(st.just("replace at"), numbers, rows),
    st.tuples(st.just("ignore"), numbers, rows),
    st.tuples(st.just("update"), numbers, changes),
    st.tuples(st.just("rename"), numbers, numbers),
    st.tuples(st.just("renumber"), numbers, numbers),
    st.tuples(st.just("delete"), numbers),
    st.tuples(st.just("delete some"), numbers, numbers),
    st.tuples(st.just("delete the last")),
    st.tuples(st.just("delete a project"), values["project"]),
    st.tuples(st.just("fold")),
    st.tuples(st.just("fold")),
    st.tuples(st.just("fold all")),
)


@contextmanager
def small_ranges() -> Iterator[None]:
    """Ranges of four rows, so that a few dozen runs have many summaries."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "BITS", 2)
        patch.setattr(building, "NEWEST", 4)
        patch.setattr(building, "RUNS_OF_A_PART", 2)
        patch.setattr(building, "SUMMARIES_A_PIECE", 3)
        table.drop(connection)
        table.create(connection)
        yield
    table.drop(connection)
    table.create(connection)


def fold_all() -> None:
    while building.build_rollups("default").left:
        pass


def do(deed: tuple[Any, ...]) -> None:
    name, *details = deed
    if name == "fold":
        building.build_rollups("default")
    elif name == "fold all":
        fold_all()
    elif name in ("insert", "insert at", "replace", "replace at", "ignore"):
        row = details[-1]
        verb = {"insert": "INSERT", "ignore": "INSERT OR IGNORE"}.get(name, "INSERT OR REPLACE")
        key = id_at(details[0]) if name in ("replace", "ignore") else f"new-{next(_names)}"
        number = details[0] if name.endswith(" at") else None
        columns = ("rowid", "id", "raw_prompt", *COLUMNS)
        created_at = row["created_at"]
        stored = created_at if isinstance(created_at, str) else created_at.strftime("%Y-%m-%d %H:%M:%S")
        marks = ", ".join(["%s"] * len(columns))
        write(
            f"{verb} INTO optimizations ({', '.join(columns)}) VALUES ({marks})",
            number,
            key,
            "text",
            *(stored if column == "created_at" else row[column] for column in COLUMNS),
        )
    elif name == "update":
        number, (column, value) = details
        value = value.strftime("%Y-%m-%d %H:%M:%S") if isinstance(value, dt.datetime) else value
        write(f"UPDATE optimizations SET {column} = %s WHERE rowid = %s", value, number)
    elif name == "rename":
        write("UPDATE OR REPLACE optimizations SET id = %s WHERE rowid = %s", id_at(details[0]), details[1])
    elif name == "renumber":
        write("UPDATE OR REPLACE optimizations SET rowid = %s WHERE rowid = %s", *details)
    elif name == "delete":
        write("DELETE FROM optimizations WHERE rowid = %s", *details)
    elif name == "delete some":
        write("DELETE FROM optimizations WHERE rowid BETWEEN %s AND %s", *sorted(details))
    elif name == "delete the last":
        write("DELETE FROM optimizations WHERE rowid = (SELECT MAX(rowid) FROM optimizations)")
    else:
        write("DELETE FROM optimizations WHERE project IS %s", *details)


def id_at(number: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM optimizations WHERE rowid = %s", [number])
        found = cursor.fetchone()
    return found[0] if found else f"new-{next(_names)}"


def write(sql: str, *params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def answers() -> list[dict[str, Any]]:
    """The statistics of everything, of projects and of periods, and what runs add up to day by day."""
    since, until = NOW - 30 * DAY, NOW - 5 * DAY
    with read_session():
        return [
            statistics(now=NOW),
            statistics("p", now=NOW),
            statistics("q", now=NOW),
            statistics(now=NOW, since=since),
            statistics("p", now=NOW, since=since, until=until),
            *(
                days(StatsQuery(now=NOW, project=project, since=begin, until=end), by)
                for project, begin, end in (
                    (None, None, None),
                    ("p", None, None),
                    (None, since, until),
                    ("q", since, None),
                )
                for by in ("strategy", "model")
            ),
        ]


def days(asked: StatsQuery, by: Any) -> dict[str, Any]:
    """Each day's tallies, rounded: engines and orders differ in the last digits."""
    return {str(key): [round(number, 6) for number in astuple(tally)] for key, tally in asked.days(by).items()}


def recomputed() -> list[dict[str, Any]]:
    """The same, from the rows alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(query, "has_rollups", lambda connection: False)
        return answers()


def stored_summaries(project: str = "") -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM {table.TABLE} WHERE project = %s AND data IS NOT NULL", [project])
        count: int = cursor.fetchone()[0]
        return count


def of_projects(names: str) -> list[dict[str, Any]]:
    """A run of each of these projects, whose names are one letter, in this order."""
    return [make_run(project=name, overall_score=0.5) for name in names]


@pytest.mark.django_db
@settings(max_examples=STATISTICS_EXAMPLES)
@example(
    rows=of_projects("pppppp" + "q" * 14),
    done=[("delete a project", "q"), *[("insert", run) for run in of_projects("ppp")]],
)
@given(rows=st.lists(rows, min_size=12, max_size=40), done=st.lists(deeds, max_size=8))
def test_equals_a_recomputation_whatever_is_written(rows: list[dict[str, Any]], done: list[Any]) -> None:
    """After each write, of any kind that SQLite knows, between any two pieces of the upkeep."""
    with small_ranges():
        store(rows)
        fold_all()
        event(f"has parts: {stored_summaries('p') > 0}")
        for deed in done:
            do(deed)
            assert answers() == recomputed(), deed
        fold_all()
        assert answers() == recomputed()


@pytest.mark.django_db
def test_everything_but_the_newest_rows_is_stored_and_read_from_there() -> None:
    """Of 103 rows in ranges of four, a read takes the summaries and the newest rows."""
    with small_ranges():
        store([make_run(project="p", overall_score=0.5)] * 103)
        assert recomputed() == answers()
        fold_all()
        cover = find_cover(connection, None)
        assert (stored_summaries(), stored_summaries("p")) == (25, 25)
        assert len(cover.stored) == 25
        assert [rows for rows in cover.rows if rows[0] > 0] == [(100, 2**63 - 1)]
        assert building.build_rollups("default") == (0, 0)
        assert answers() == recomputed()


@pytest.mark.django_db
def test_a_write_takes_away_only_the_summaries_that_have_its_row() -> None:
    with small_ranges():
        store([make_run(project=name, overall_score=0.5) for name in "pppq" * 25])
        fold_all()
        before, of_others = stored_summaries(), stored_summaries("q")
        write("UPDATE optimizations SET title = 'x' WHERE rowid = 5")
        assert stored_summaries() == before
        write("UPDATE optimizations SET overall_score = 0.9 WHERE rowid = 5")
        assert stored_summaries() == before - 1
        assert stored_summaries("q") == of_others
        fold_all()
        assert stored_summaries() == before


@pytest.mark.django_db
def test_a_summary_whose_rows_change_while_it_is_made_is_not_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """The change takes the announcement away; the next piece makes the summary again."""
    with small_ranges():
        store([make_run(overall_score=0.5)] * 14)
        make = building._make

        def disturbed(using: str, task: Any) -> Any:
            made = make(using, task)
            connection.cursor().execute("PRAGMA query_only=OFF")
            write("UPDATE optimizations SET overall_score = 1 WHERE rowid = 2")
            return made

        monkeypatch.setattr(building, "_make", disturbed)
        assert building.build_rollups("default").done == 1  # not the one with row 2
        monkeypatch.undo()
        assert answers() == recomputed()


@pytest.mark.django_db
def test_rows_that_are_numbered_anew_are_noticed() -> None:
    """A file made of another one's dump has no gaps, but still the summaries: they are of other rows then."""
    with small_ranges():
        store([make_run(project="p", overall_score=n / 100, created_at=LONG_AGO + n * DAY) for n in range(80)])
        fold_all()
        write("DELETE FROM optimizations WHERE rowid BETWEEN 20 AND 29")
        assert table.is_trustworthy(connection)
        unseen("UPDATE optimizations SET rowid = rowid - 10 WHERE rowid > 29")
        assert not table.is_trustworthy(connection)
        assert answers() == recomputed()
        fold_all()
        assert table.is_trustworthy(connection)
        assert stored_summaries() > 0
        assert answers() == recomputed()


@pytest.mark.django_db
def test_rows_that_are_numbered_anew_are_noticed_where_only_projects_have_summaries() -> None:
    """What was deleted took the summaries of all projects along, and left those of one."""
    with small_ranges():
        store(of_projects("rrr" + "pppq" * 2 + "q" * 9))
        fold_all()
        write("DELETE FROM optimizations WHERE project = 'q'")
        write("DELETE FROM optimizations WHERE rowid = 1")
        write("UPDATE optimizations SET overall_score = 1 WHERE rowid = 10")
        assert (stored_summaries(), stored_summaries("p")) == (0, 1)
        assert answers() == recomputed()
        assert table.is_trustworthy(connection)
        unseen(
            "UPDATE optimizations SET rowid = (SELECT COUNT(*) FROM optimizations AS o "
            "WHERE o.rowid <= optimizations.rowid)"
        )
        assert answers() == recomputed()
        fold_all()
        assert answers() == recomputed()


@pytest.mark.django_db
def test_the_last_run_of_another_project_may_go() -> None:
    """The summaries that don't have it stay, and stay trusted."""
    with small_ranges():
        store(of_projects("pppppp" + "q" * 14))
        fold_all()
        before = stored_summaries("p")
        write("DELETE FROM optimizations WHERE project = 'q'")
        assert stored_summaries("p") == before
        assert table.is_trustworthy(connection)


@pytest.mark.django_db
def test_a_run_that_takes_the_place_of_a_deleted_projects_run_counts() -> None:
    """The rows that went had the highest numbers, which the next ones get again."""
    with small_ranges():
        store(of_projects("pppppp" + "q" * 14))
        fold_all()
        write("DELETE FROM optimizations WHERE project = 'q'")
        for added in range(1, 30):
            do(("insert", *of_projects("p")))
            with read_session():
                assert statistics("p", now=NOW)["total_optimizations"] == 6 + added


@pytest.mark.django_db
def test_triggers_of_an_earlier_release_are_replaced() -> None:
    """A migration takes them away, with all that was summarized under them; those of this release stay, with theirs."""
    with small_ranges():
        store(of_projects("p" * 20))
        fold_all()
        before = stored_summaries()
        table.create(connection)
        assert stored_summaries() == before > 0
        name = f"{table.TABLE}_insert"
        write(f"DROP TRIGGER {name}")
        write(f"CREATE TRIGGER {name} AFTER INSERT ON optimizations WHEN 0 BEGIN SELECT 1; END")
        assert not table.is_trustworthy(connection)
        drop_summaries(None, Editor)  # as migrations do
        assert not table.is_trustworthy(connection)
        write("UPDATE optimizations SET overall_score = 1")
        assert answers() == recomputed()
        fold_all()
        assert stored_summaries() == before
        assert answers() == recomputed()


class Editor:
    """What the migration asks of Django's."""

    connection = connection

    @staticmethod
    def execute(statement: str) -> None:
        write(statement)


@pytest.mark.django_db
def test_a_missing_trigger_is_noticed() -> None:
    """What is stored may be wrong then: statistics are read from the rows until the upkeep has made it anew."""
    with small_ranges():
        store([make_run(project="p", overall_score=0.1)] * 20)
        fold_all()
        drop_triggers("update")
        write("UPDATE optimizations SET overall_score = 1")
        assert answers() == recomputed()
        fold_all()
        assert table.is_trustworthy(connection)
        assert answers() == recomputed()


@pytest.mark.django_db
@pytest.mark.parametrize("number", [2**63 - 1, 2**62, 2**59 + 1, -(2**63), -(2**60)])
def test_rows_of_any_number_count(number: int) -> None:
    """Also the least and the greatest that SQLite has."""
    with small_ranges():
        store([make_run(project="p", task_type="coding", overall_score=0.5)] * 30)
        do(("replace at", number, make_run(project="p", overall_score=0.5)))
        do(("insert", make_run(project="p", overall_score=0.5)))
        fold_all()
        assert answers() == recomputed()
        write("UPDATE optimizations SET overall_score = 0.75 WHERE rowid = %s", number)
        write("UPDATE optimizations SET status = 'error' WHERE rowid = %s", number)
        assert answers() == recomputed()
        write("DELETE FROM optimizations WHERE rowid = %s", number)
        fold_all()
        assert answers() == recomputed()


def drop_triggers(*names: str) -> None:
    for name in names:
        write(f"DROP TRIGGER {table.TABLE}_{name}")


def unseen(sql: str) -> None:
    """Write without a trigger, as VACUUM does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%%statistics%%'")
        triggers = cursor.fetchall()
    for name, _ in triggers:
        write(f"DROP TRIGGER {name}")
    write(sql)
    for _, statement in triggers:
        write(statement)
