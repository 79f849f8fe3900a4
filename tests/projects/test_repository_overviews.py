"""Numbers beside projects and prompts, and the history of a prompt."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection

from projects.models import Prompt
from projects.records import Contents, HistoryEntry
from projects.repository import ProjectRepository, project_state
from projects.texts.counts import TextCounts, count_text
from promptadmin.errors import Invalid, NotFound, PreconditionFailed
from tests.projects.making import make_project, make_prompt, make_run, make_version, store

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2030, 1, 1, 12, tzinfo=dt.UTC)
repository = ProjectRepository()


def test_an_overview_counts_what_is_a_projects_and_tells_of_its_newest_change() -> None:
    day = dt.timedelta(days=1)
    project = make_project(updated_at=NOON)
    prompt = make_prompt(project, updated_at=NOON)
    make_prompt(make_project(), updated_at=NOON + 9 * day)

    def overview() -> tuple[int, int, dt.datetime | None]:
        shown = repository.project_overviews([project.id])[project.id]
        return shown.prompts, shown.runs, shown.last_activity

    assert overview() == (1, 0, NOON)
    make_run(prompt, created_at=NOON - day, project=project.name)
    make_run(None, created_at=NOON + day, project=project.name)
    assert overview() == (1, 2, NOON + day)
    Prompt.objects.filter(id=prompt.id).update(updated_at=NOON + 2 * day)
    assert overview() == (1, 2, NOON + 2 * day)
    assert repository.project_overviews([]) == {}


def test_what_goes_is_counted_as_it_then_goes() -> None:
    project, other = make_project(name="mine"), make_project()
    prompt, twin = make_prompt(project, "text"), make_prompt(project)
    make_version(prompt, 1)
    make_version(make_prompt(other), 1)
    for run in ({"prompt": prompt}, {"prompt": twin}, {"project": "mine", "raw_prompt": "text"}, {"project": "yours"}):
        make_run(**run)
    assert repository.prompt_contents(prompt_id=prompt.id) == Contents(prompts=1, versions=1, runs=2)
    assert repository.project_contents([project.id]) == Contents(prompts=2, versions=1, runs=3)
    assert repository.project_contents([project.id, other.id]) == Contents(prompts=3, versions=2, runs=3)
    assert repository.delete_project(project_id=project.id) == 3
    with pytest.raises(NotFound):
        repository.prompt_contents(prompt_id=prompt.id)


def test_a_history_tells_when_and_how_each_text_came() -> None:
    prompt = make_prompt(make_project(), "third", version=3, created_at=NOON)
    run = make_run(prompt)
    hour = dt.timedelta(hours=1)
    first = make_version(prompt, 1, "first", created_at=NOON + hour, optimization_id=run.id)
    second = make_version(prompt, 2, "second", created_at=NOON + 2 * hour)
    whole = [
        HistoryEntry(None, 3, "third", 5, NOON + 2 * hour, None, current=True),
        HistoryEntry(second.id, 2, "second", 6, NOON + hour, run.id, current=False),
        HistoryEntry(first.id, 1, "first", 5, NOON, None, current=False),
    ]
    for limit in (1, 2, 3, 20):
        for offset in range(5):
            found = repository.list_history(prompt_id=prompt.id, limit=limit, offset=offset)
            assert (found.items, found.total) == (whole[offset : offset + limit], 3), (limit, offset)
    for entry in whole:
        assert repository.version_entry(prompt_id=prompt.id, version=entry.version) == entry


def test_some_prompts_change_places_among_themselves() -> None:
    project = make_project()
    ids = [make_prompt(project).id for _ in range(5)]

    def order() -> list[str]:
        return list(Prompt.objects.order_by("order_index").values_list("id", flat=True))

    repository.reorder_some(project_id=project.id, prompt_ids=[ids[3], ids[1]])
    assert order() == [ids[0], ids[3], ids[2], ids[1], ids[4]]
    with pytest.raises(Invalid, match="not found"):
        repository.reorder_some(project_id=project.id, prompt_ids=[make_prompt(make_project()).id])
    with pytest.raises(Invalid, match="Duplicate"):
        repository.reorder_some(project_id=project.id, prompt_ids=[ids[0], ids[0]])


def test_an_update_can_expect_a_state() -> None:
    project = make_project(description="old")
    state = project_state(project)
    make_prompt(project)
    repository.update_project(project_id=project.id, description="new", expected_state=state)
    with pytest.raises(PreconditionFailed):
        repository.update_project(project_id=project.id, description="newer", expected_state=state)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL keeps no text where a time belongs")
def test_an_unreadable_time_is_no_activity() -> None:
    project = make_project()
    store("projects", "updated_at", project.id, "long ago")
    assert repository.project_overviews([project.id])[project.id].last_activity is None


@pytest.mark.parametrize(
    ("text", "counts"),
    [("", (0, 0, 0)), ("a b\nc", (5, 3, 2)), ("über", (4, 1, 2)), ("日本語", (3, 1, 3)), ("🙂", (1, 1, 1))],
)
def test_a_text_is_counted(text: str, counts: tuple[int, int, int]) -> None:
    assert count_text(text) == TextCounts(*counts)
