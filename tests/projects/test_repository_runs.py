from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from optimizations.models import Optimization
from projects.models import Project
from projects.repository import ProjectRepository
from tests.projects.making import make_project, make_prompt, make_run, store

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
repository = ProjectRepository()


def runs_of(project: Project) -> dict[str, tuple[int, str | None]]:
    """Of each prompt, by text and position: the number of runs and the title of the newest completed one."""
    return {
        prompt.id: (prompt.run_count, prompt.latest_run.title if prompt.latest_run else None)
        for prompt in repository.get_project(project_id=project.id).prompts
    }


def test_runs_of_any_status_count_and_the_newest_completed_one_shows() -> None:
    project = make_project()
    prompt, other = make_prompt(project), make_prompt(project)
    make_run(prompt, title="old", created_at=NOON)
    make_run(prompt, title="new", created_at=NOON + dt.timedelta(hours=1))
    make_run(prompt, title="failed", created_at=NOON + dt.timedelta(hours=2), status="error")
    make_run(prompt, title="running", created_at=NOON + dt.timedelta(hours=3), status="running")
    make_run(other, status="pending")
    make_run(make_prompt(make_project()))
    assert runs_of(project) == {prompt.id: (4, "new"), other.id: (1, None)}


def test_of_two_at_the_same_moment_the_greater_id_is_newer() -> None:
    project = make_project()
    prompt = make_prompt(project)
    for key in ("b", "c", "a"):
        make_run(prompt, id=key, title=key, created_at=NOON)
    assert runs_of(project) == {prompt.id: (3, "c")}
    assert [run.id for run in repository.list_runs(prompt_id=prompt.id).items] == ["c", "b", "a"]


def test_an_unlinked_run_belongs_to_the_prompt_with_its_text_in_the_project_of_its_name() -> None:
    project = make_project(name="mine")
    prompt = make_prompt(project, "text")
    make_run(project="mine", raw_prompt="text", title="unlinked")
    make_run(project="Mine", raw_prompt="text")
    make_run(project="mine", raw_prompt="text ")
    make_run(project=None, raw_prompt="text")
    assert runs_of(project) == {prompt.id: (1, "unlinked")}
    assert [run.title for run in repository.list_runs(prompt_id=prompt.id).items] == ["unlinked"]


def test_an_unlinked_run_shows_only_where_no_linked_one_is_completed() -> None:
    project = make_project(name="mine")
    first, second = make_prompt(project, "a"), make_prompt(project, "b")
    make_run(first, title="linked", created_at=NOON)
    make_run(project="mine", raw_prompt="a", title="unlinked", created_at=NOON + dt.timedelta(1))
    make_run(second, title="failed", status="error")
    make_run(project="mine", raw_prompt="b", title="unlinked")
    assert runs_of(project) == {first.id: (2, "linked"), second.id: (2, "unlinked")}


def test_of_two_prompts_with_one_text_the_later_in_the_list_gets_its_unlinked_runs() -> None:
    project = make_project(name="mine")
    later = make_prompt(project, "text", order_index=5)
    earlier = make_prompt(project, "text", order_index=1)
    make_run(project="mine", raw_prompt="text", title="unlinked")
    assert runs_of(project) == {earlier.id: (0, None), later.id: (1, "unlinked")}
    one_by_one = {key: repository.get_prompt(prompt_id=key) for key in (earlier.id, later.id)}
    assert [one_by_one[key].run_count for key in (earlier.id, later.id)] == [0, 1]


def test_one_prompt_reads_as_in_its_project() -> None:
    project = make_project(name="mine")
    for text in ("a", "b", "b", "c"):
        prompt = make_prompt(project, text)
        make_run(prompt, title=f"linked {text}")
        make_run(project="mine", raw_prompt=text, status="error")
    for prompt_record in repository.get_project(project_id=project.id).prompts:
        assert repository.get_prompt(prompt_id=prompt_record.id, project_id=project.id) == prompt_record


def test_a_run_shows_its_fields_and_what_cant_be_read_is_unknown() -> None:
    project = make_project()
    prompt = make_prompt(project)
    fields: dict[str, Any] = {
        "title": "t",
        "task_type": "reasoning",
        "complexity": "simple",
        "framework_applied": "few-shot",
        "overall_score": 0.7179,
        "is_improvement": False,
        "version": "v2",
    }
    run = make_run(prompt, tags='["a", 1]', **fields)
    latest = repository.get_prompt(prompt_id=prompt.id).latest_run
    assert latest is not None
    assert {name: getattr(latest, name) for name in fields} == fields
    assert latest.tags == ["a", "1"]
    store("optimizations", "tags", run.id, "{broken")
    if connection.vendor == "sqlite":
        store("optimizations", "overall_score", run.id, "good")
        store("optimizations", "created_at", run.id, "once")
        (only,) = repository.list_runs(prompt_id=prompt.id).items
        assert (only.overall_score, only.created_at) == (None, None)
    latest = repository.get_prompt(prompt_id=prompt.id).latest_run
    assert latest is not None
    assert latest.tags == []


def test_pages_of_runs_dont_overlap() -> None:
    project = make_project(name="mine")
    prompt = make_prompt(project, "text")
    made = [make_run(prompt, created_at=NOON).id for _ in range(5)]
    made += [make_run(project="mine", raw_prompt="text", created_at=NOON).id for _ in range(2)]
    pages = [repository.list_runs(prompt_id=prompt.id, limit=3, offset=at) for at in (0, 3, 6, 9)]
    assert [run.id for page in pages for run in page.items] == sorted(made, reverse=True)
    assert {page.total for page in pages} == {7}


@pytest.mark.parametrize("linked", [True, False])
def test_a_project_with_250_prompts_takes_a_handful_of_queries(linked: bool) -> None:
    counts = []
    for size in (2, 250):
        project = make_project()
        prompts = [make_prompt(project) for _ in range(size)]
        Optimization.objects.bulk_create(
            Optimization(
                prompt_id=prompt.id if linked else None,
                project=project.name,
                raw_prompt=prompt.content,
                status=random.choice(["completed", "error"]),
            )
            for prompt in prompts
            for _ in range(3)
        )
        with CaptureQueriesContext(connection) as queries:
            detail = repository.get_project(project_id=project.id)
        assert [prompt.run_count for prompt in detail.prompts] == [3] * size
        counts.append(len(queries))
        if connection.vendor == "sqlite":
            for query in queries:
                with connection.cursor() as cursor:
                    cursor.execute("EXPLAIN QUERY PLAN " + query["sql"].replace("%", "%%"))
                    plan = [str(row[-1]) for row in cursor.fetchall()]
                tables = ("SCAN optimizations", "SCAN prompts", "SCAN projects", "SCAN U0")
                assert not [step for step in plan if step.startswith(tables)], plan
                # That index has the order, but walking it passes the runs of all other prompts.
                assert not [step for step in plan if "ix_optimizations_status_created_at" in step], plan
    assert counts[0] <= counts[1] <= 6
