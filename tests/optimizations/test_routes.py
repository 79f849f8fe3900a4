"""Every way to a page of runs answers the same runs in the same order."""

from __future__ import annotations

import itertools
import random
import re
from functools import partial

import pytest
from django.db import connection

from optimizations.lists import plans, queries
from optimizations.lists.paging import RunOrder
from optimizations.repository import OptimizationRepository, RunFilters
from projects.models import Project, Prompt
from promptadmin.db.sessions import read_session
from tests.projects.making import make_project, make_prompt, make_run
from tests.support.query_plans import sqlite_plans

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL chooses the way itself"),
]


def make_runs() -> Project:
    """Runs with many equal keys and many without one, some of an archived project; the project of a third of them."""
    chance = random.Random(5)
    project, archived = make_project(name="p"), make_project(name="archived", status="archived")
    prompts: list[Prompt | None] = [make_prompt(project=project), make_prompt(project=archived), None, None]
    for _ in range(90):
        make_run(
            prompt=chance.choice(prompts),
            project=chance.choice(["p", "q", "archived", None]),
            status=chance.choice(["completed", "completed", "error"]),
            task_type=chance.choice(["t", "u", None]),
            complexity=chance.choice(["simple", "complex", None]),
            overall_score=chance.choice([0.25, 0.5, 0.75, None]),
            duration_ms=chance.choice([1, 2, None]),
            title=chance.choice(["a", "b", None]),
        )
    return project


@pytest.mark.parametrize("way", ["first", "few", "along"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_every_way_leads_through_the_same_list(way: str, order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages by number and by cursor are those of the plain statement, by each filter and sort."""
    project = make_runs()
    by_filter = {
        "status": RunFilters(status="completed"),
        "project": RunFilters(project="p"),
        "project_id": RunFilters(project_id=project.id),
        "task and project": RunFilters(task_type="t", project_id=project.id, include_archived=False),
        "project and status": RunFilters(project="p", status="completed"),
        "project_id and status": RunFilters(project_id=project.id, status="completed"),
        "project_id and task": RunFilters(project_id=project.id, task_type="t"),
        "task and status": RunFilters(task_type="t", status="error"),
        "shown": RunFilters(include_archived=False),
    }
    runs = OptimizationRepository()
    for filters in by_filter.values():
        for sort in ("created_at", "overall_score", "task_type"):
            with monkeypatch.context() as patch:
                patch.setattr(queries, "needs_route", lambda *_: False)
                with read_session():
                    plain = runs.list_runs(filters=filters, sort=sort, order=order, limit=100)
            whole = [run["id"] for run in plain.items]
            assert whole
            assert len(whole) == plain.total
            with monkeypatch.context() as patch:
                patch.setattr(queries, "FEW", 0 if way == "along" else 1000)
                patch.setattr(queries, "LOOKED_THROUGH", (2, 4) if way == "first" else (1,))
                patch.setattr(queries, "NEAR", 0 if way == "along" else 1000)
                queries._routes.cache_clear()
                with read_session():
                    found = _paged(runs, filters, sort, order)
                    pages = [
                        runs.list_runs(filters=filters, sort=sort, order=order, limit=15, offset=offset)
                        for offset in range(0, len(whole), 15)
                    ]
            assert found == whole, (filters, sort)
            assert [run["id"] for page in pages for run in page.items] == whole, (filters, sort)
    queries._routes.cache_clear()


@pytest.mark.parametrize(
    ("filters", "sort", "index"),
    [
        (RunFilters(project="p", status="completed"), "created_at", "project_created_at (project=?)"),
        (RunFilters(task_type="t", status="completed"), "created_at", "task_type_created_at (task_type=?)"),
        (RunFilters(project_id="x", status="error"), "overall_score", "status_score (status=?)"),
    ],
)
def test_an_index_that_has_one_filter_and_the_order_is_looked_through(
    filters: RunFilters, sort: str, index: str
) -> None:
    """Not the order of all runs, in which one project's are rare."""
    repository = OptimizationRepository()

    def read() -> None:
        queries.fetch_keys(repository.using, filters, RunOrder.named(sort, "desc", repository.using), limit=20)

    steps = sqlite_plans(read)
    walked = [step for step in steps if re.match(r"(SEARCH|SCAN) (U0|optimizations) USING COVERING INDEX", step)]
    assert walked[0].endswith(f"ix_optimizations_{index}")
    assert not [step for step in steps if step.startswith("SCAN optimizations")]
    # What was found is sorted: an index in order would be walked past every other run.
    assert "USE TEMP B-TREE FOR ORDER BY" in steps


@pytest.mark.parametrize(
    "others", [{}, {"status": "error"}, {"task_type": "t"}, {"task_type": "t", "status": "error"}, {"project": "p"}]
)
def test_a_projects_runs_of_a_kind_are_found_by_its_prompts(others: dict[str, str]) -> None:
    """Not among all runs of the kind; and they are those that are of both."""
    project = make_runs()
    runs = OptimizationRepository().runs
    both = set(RunFilters(project_id=project.id).apply(runs)) & set(RunFilters(**others).apply(runs))  # type: ignore[arg-type]
    filters = RunFilters(project_id=project.id, **others)  # type: ignore[arg-type]
    assert set(filters.apply(runs)) == set(filters.apply(runs, near=True)) == both
    assert both
    steps = sqlite_plans(lambda: filters.apply(runs).count())
    walked = [step for step in steps if step.startswith(("SEARCH optimizations", "SCAN optimizations"))]
    assert len(walked) == 2  # those that are linked and those that aren't
    assert all(re.search(r"ix_optimizations_(prompt_id|unlinked)", step) for step in walked), walked


def test_what_runs_of_a_status_and_a_task_type_are_is_told_by_an_index() -> None:
    """Without reading runs that have one of both."""
    filters = RunFilters(status="completed", task_type="t")
    steps = sqlite_plans(lambda: filters.count(OptimizationRepository().runs))
    assert steps == [
        "SEARCH optimizations USING COVERING INDEX ix_optimizations_status_task_type (status=? AND task_type=?)"
    ]


def _paged(runs: OptimizationRepository, filters: RunFilters, sort: str, order: str) -> list[str]:
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = runs.list_runs_after(cursor, filters=filters, sort=sort, order=order, limit=15)
        found += [run["id"] for run in page.items]
        cursor = page.next_cursor
    return found


def test_a_projects_runs_are_counted_in_parts() -> None:
    """Linked and unlinked ones, as the runs themselves tell."""
    project = make_runs()
    runs = OptimizationRepository().runs
    of_project = [
        run
        for run in runs.select_related("prompt")
        if (run.prompt.project_id == project.id if run.prompt else run.project == "p")
    ]
    assert of_project
    for task_type, status, has_prompt in itertools.product((None, "t"), (None, "error"), (None, True, False)):
        filters = RunFilters(project_id=project.id, task_type=task_type, status=status, has_prompt=has_prompt)
        passing = {
            run.id
            for run in of_project
            if task_type in (None, run.task_type)
            and status in (None, run.status)
            and has_prompt in (None, run.prompt is not None)
        }
        assert filters.count(runs) == len(passing) > 0
        assert {run.id for run in filters.apply(runs)} == passing


def test_only_what_no_index_has_needs_a_route() -> None:
    """Lists that an index has filtered and in order are read from it."""
    by = partial(RunOrder.named, using="default")
    assert not plans.needs_route(RunFilters(), by("status", "asc"))
    assert not plans.needs_route(RunFilters(project="p"), by("title", "desc"))
    assert not plans.needs_route(RunFilters(status="completed"), by("created_at", "desc"))
    assert not plans.needs_route(RunFilters(project="p"), by("project", "desc"))
    assert plans.needs_route(RunFilters(project="p"), by("task_type", "desc"))
    assert plans.needs_route(RunFilters(project_id="x"), by("created_at", "desc"))
    assert not plans.needs_route(RunFilters(project="p", search="x"), by("task_type", "desc"))
