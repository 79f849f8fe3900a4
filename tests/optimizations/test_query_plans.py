"""No read of the contract scans a big table, and no list of runs sorts one, whatever its order."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from optimizations.lists import paging
from optimizations.lists.paging import INDEXED_SORTS, SORTS, TooManyToSort
from optimizations.models import Optimization
from optimizations.repository import OptimizationRepository, RunFilters
from optimizations.repository.bulk_get_or_create import BulkGetOrCreate
from optimizations.startup import normalize_strategies
from optimizations.stats import statistics
from optimizations.stats.rollups import building
from optimizations.stats.rollups import table as rollup_table
from optimizations.stats.rollups.reading import find_cover
from projects.records import ProjectInfo
from projects.repository import ProjectRepository
from promptadmin.db.sessions import read_session
from promptadmin.plugins.steps import StepContext
from promptadmin.search import candidate_filter, postgresql
from tests.conftest import OpenFile
from tests.optimizations.searched_files import add_run, index_everything
from tests.optimizations.stats_rows import NOW, store
from tests.optimizations.stats_rows import make_run as make_stored
from tests.projects.making import make_project, make_prompt, make_run
from tests.support.query_plans import BIG, postgresql_scans, reads_everything, sqlite_plans, sqlite_work

pytestmark = pytest.mark.django_db
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL's plans have their own test")
on_postgresql = pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite's plans have their own tests")
FILTERS = (
    RunFilters(),
    RunFilters(project="p"),
    RunFilters(project_id="x"),
    RunFilters(task_type="t"),
    RunFilters(status="completed"),
    RunFilters(include_archived=False),
)


@on_sqlite
@pytest.mark.parametrize("sort", INDEXED_SORTS)
def test_a_page_in_any_indexed_order_is_read_from_an_index(sort: str) -> None:
    """By number and by cursor, in both directions, with each filter; without one, nothing is sorted either."""
    for number in range(5):
        make_run(status="completed", project="p", task_type="t", title=f"title {number}")
    runs = OptimizationRepository()
    for filters in FILTERS:
        for order in ("asc", "desc"):
            steps = sqlite_plans(lambda: runs.list_runs(filters=filters, sort=sort, order=order, limit=2))  # noqa: B023
            steps += sqlite_plans(lambda: runs.list_runs_after("", filters=filters, sort=sort, order=order))  # noqa: B023
            assert not [step for step in steps if reads_everything(step)]
            if filters == RunFilters():
                assert not [step for step in steps if "TEMP B-TREE" in step]


@on_sqlite
def test_reading_one_thing_reads_no_whole_table() -> None:
    """A project, a prompt, its versions and runs, one run, and the lists of projects."""
    project = make_project()
    prompt = make_prompt(project=project)
    run = make_run(prompt=prompt, project=project.name, status="completed")
    projects, runs = ProjectRepository(), OptimizationRepository()
    deeds: dict[str, Callable[[], Any]] = {
        "projects": lambda: projects.list_projects(status="active", sort="name"),
        "project": lambda: projects.get_project(project_id=prompt.project_id),
        "prompt": lambda: projects.get_prompt(prompt_id=prompt.id),
        "versions": lambda: projects.list_versions(prompt_id=prompt.id),
        "runs of a prompt": lambda: projects.list_runs(prompt_id=prompt.id),
        "run": lambda: runs.get_run(run.id),
    }
    for name, deed in deeds.items():
        steps = sqlite_plans(deed)
        assert steps, name
        assert not [step for step in steps if reads_everything(step)], name


@on_sqlite
def test_the_prompts_of_many_texts_are_found_by_their_index_in_a_file_that_was_analyzed() -> None:
    """Once SQLite knew how many prompts there are, it read all of them for each 500 texts of an import."""
    project = make_project()
    texts = [f"text {number}" for number in range(300)]
    for text in texts:
        make_prompt(project=project, content=text)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    linking = BulkGetOrCreate("default")
    wanted = {ProjectInfo(project.id, project.status): texts[:250]}
    steps = sqlite_plans(lambda: linking.ensure_prompts(wanted))
    assert [step for step in steps if "ix_prompts_text" in step]
    assert not [step for step in steps if reads_everything(step)]


@on_sqlite
def test_the_test_sees_a_missing_index() -> None:
    """The order by title has none: it is a scan and a sort."""
    make_run(title="title")
    steps = sqlite_plans(lambda: OptimizationRepository().list_runs_after("", sort="title"))
    assert [step for step in steps if reads_everything(step)]


@pytest.mark.parametrize("sort", sorted({*SORTS} - {*INDEXED_SORTS}))
def test_an_order_without_an_index_is_for_few_runs(sort: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By number and by cursor; a filter that leaves few runs makes it possible."""
    monkeypatch.setattr(paging, "SORTED_ROWS", 3)
    for number in range(4):
        make_run(task_type="t" if number else "u")
    runs = OptimizationRepository()
    for read in (runs.list_runs, partial(runs.list_runs_after, "")):
        with read_session():
            with pytest.raises(TooManyToSort, match=rf"sort={sort} is for lists of at most 3 runs, and this one has 4"):
                read(sort=sort)
            assert len(read(sort=sort, filters=RunFilters(task_type="t")).items) == 3


@on_sqlite
def test_strategies_are_renamed_by_indexes() -> None:
    """Each start looks for old names in both columns, and reads no run that has none."""
    sent: list[tuple[str, Any]] = []

    def keep(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        sent.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(keep):
        normalize_strategies(StepContext(connection))
    [(update, params)] = [(sql, params) for sql, params in sent if "UPDATE optimizations" in sql]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {update}", params)
        steps = [row[3] for row in cursor.fetchall()]
    for index in ("strategy_created_at", "framework_beside"):
        assert any(f"SEARCH optimizations USING INDEX ix_optimizations_{index}" in step for step in steps), steps
    assert not [step for step in steps if step.startswith("SCAN")]


STATISTICS: tuple[Callable[[], Any], ...] = (
    lambda: statistics(now=NOW),
    lambda: statistics("p", now=NOW),
    lambda: statistics(now=NOW, since=NOW - dt.timedelta(days=30)),
)


@on_sqlite
def test_statistics_read_summaries_and_ranges_of_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of everything, of a project and of a period; four times the runs take SQLite hardly more steps.

    Those of a period aren't counted: SQLite may look for the runs that no summary has in an index by time.
    """
    monkeypatch.setattr(rollup_table, "BITS", 7)
    monkeypatch.setattr(building, "NEWEST", 128)
    monkeypatch.setattr(building, "RUNS_OF_A_PART", 8)
    rollup_table.create(connection)
    work: list[list[int]] = []
    for runs in (1023, 4095):
        store([make_stored(project="p", overall_score=0.5)] * runs)
        while building.build_rollups("default").left:
            pass
        assert find_cover(connection, None).stored
        assert find_cover(connection, "p").stored
        work.append([sqlite_work(deed) for deed in STATISTICS[:2]])
    for deed in STATISTICS:
        steps = sqlite_plans(deed)
        assert steps
        assert not [step for step in steps if reads_everything(step)], steps
    assert all(more < 1.3 * less for less, more in zip(*work, strict=True)), work


@on_sqlite
def test_searches_read_what_the_index_names(
    tmp_path: Path, new_file: bytes, open_file: OpenFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ranked words and substrings; before the index is made they read every run."""
    monkeypatch.setattr(candidate_filter, "FEW", 0)
    path = tmp_path / "searched.db"
    path.write_bytes(new_file)
    for number in range(20):
        add_run(path, f"run {number}", f"text number{number}", title=f"title {number}")
    with open_file(path) as connection:
        runs = OptimizationRepository(connection.alias)
        found: list[Any] = []
        deeds: list[Callable[[], Any]] = [
            lambda: found.append(runs.search("number7", kinds=["run"])),
            lambda: found.append(runs.list_runs(filters=RunFilters(search="umber7"))),
        ]
        for indexed in (False, True):
            for deed in deeds:
                steps = sqlite_plans(deed, connection.alias)
                assert bool([step for step in steps if reads_everything(step)]) != indexed, steps
                assert found.pop().total == 1
            index_everything(connection.alias)
        monkeypatch.undo()  # the title is no common text
        steps = sqlite_plans(lambda: found.append(runs.is_duplicate(title="TITLE 7")), connection.alias)
        assert found == [True]
        assert not [step for step in steps if reads_everything(step)], steps


def fill(runs: int) -> None:
    """So many runs, a tenth as many prompts, ten projects, and what PostgreSQL has to know of them for its plans."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO projects (id, name, status, created_at, updated_at) "
            "SELECT n, n, 'active', now(), now() FROM generate_series(1, 10) n"
        )
        cursor.execute(
            "INSERT INTO prompts (id, content, version, project_id, order_index, created_at, updated_at) "
            "SELECT n, 'prompt ' || n, 1, 1 + n %% 10, n, now(), now() FROM generate_series(1, %s) n",
            [runs // 10],
        )
        cursor.execute(
            "INSERT INTO optimizations (id, raw_prompt, created_at, status, project, prompt_id, task_type, title) "
            "SELECT n, 'number' || n, now() - n * interval '1 minute', 'completed', n %% 10, 1 + n %% %s, 't', n "
            "FROM generate_series(1, %s) n",
            [runs // 10, runs],
        )
        for table in BIG:
            cursor.execute(f"ANALYZE {table}")


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_postgresql_has_an_index_for_every_read() -> None:
    """The pages in any order and with any filter, single things, searches by words and by parts of them."""
    fill(5000)
    projects, runs = ProjectRepository(), OptimizationRepository()
    index_everything("default")
    deeds: list[Callable[[], Any]] = [
        lambda: projects.list_projects(status="active", sort="name"),
        lambda: projects.get_project(project_id="1"),
        lambda: projects.get_prompt(prompt_id="1"),
        lambda: projects.list_versions(prompt_id="1"),
        lambda: projects.list_runs(prompt_id="1"),
        lambda: runs.get_run("1"),
        lambda: runs.search("number7", kinds=["run"]),
        lambda: runs.list_runs(filters=RunFilters(search="umber77")),
    ]
    for filters in FILTERS:
        for sort in INDEXED_SORTS:
            deeds.append(
                lambda filters=filters, sort=sort: runs.list_runs_after("", filters=filters, sort=sort, limit=20)  # type: ignore[misc]
            )
    for deed in deeds:
        assert postgresql_scans(deed) == []
    assert postgresql_scans(lambda: runs.list_runs_after("", sort="title"))  # which has none


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_postgresql_takes_the_trigrams_for_a_search_of_its_own_accord(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rare and an absent text, alone and with filters, and the number of runs with a common one, despite escapes."""
    fill(10_000)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE optimizations SET raw_prompt = REPEAT('words to read ', 20) || raw_prompt")
        cursor.execute("""UPDATE optimizations SET tags = '["caf\\u00e9"]' WHERE id LIKE '%7'""")
    index_everything("default")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE optimizations")
    runs = OptimizationRepository()
    totals: list[int | None] = []
    scans = functools.partial(postgresql_scans, big=["optimizations"], avoided=())
    for filters in (RunFilters(), RunFilters(project="7"), RunFilters(status="completed"), FILTERS[-1]):
        for text in ("NUMBER777", "absent"):
            wanted = replace(filters, search=text)
            assert scans(lambda: totals.append(runs.list_runs(filters=wanted).total)) == []  # noqa: B023
            assert scans(lambda: runs.list_runs_after("", filters=wanted)) == []  # noqa: B023
            assert scans(lambda: runs.browse_runs(filters=wanted)) == []  # noqa: B023
    assert totals == [11, 0, 2, 0, 11, 0, 11, 0]
    monkeypatch.setattr(postgresql, "FEW", 10)
    assert scans(lambda: totals.append(runs.list_runs(filters=RunFilters(search="er777")).total)) == []
    assert totals[-1] == 11


def test_the_document_says_what_each_index_of_runs_is_for() -> None:
    """A row for each, and none for another."""
    text = (Path(__file__).parents[2] / "docs" / "performance.md").read_text(encoding="utf-8")
    section = text.split("## Indexes of runs")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    names = [index.name.removeprefix("ix_optimizations_") for index in Optimization._meta.indexes]
    assert sorted(rows) == sorted(names)
