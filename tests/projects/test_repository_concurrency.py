"""Several writers at once: on PostgreSQL they meet at row locks, on SQLite at the lock of the file."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from projects.models import Project, Prompt, PromptVersion
from projects.repository import ProjectRepository
from promptadmin.db.sessions import write_session
from promptadmin.errors import Conflict, NotFound
from tests.projects.making import make_project, make_prompt, make_run

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS = 6
ROUNDS = 8


def at_once(work: Callable[[ProjectRepository, int], Any]) -> list[Any]:
    """The results of the work in WRITERS threads, ROUNDS times each, every time in a session of its own."""

    def rounds(writer: int) -> list[Any]:
        try:
            results = []
            for number in range(ROUNDS):
                with write_session():
                    results.append(work(ProjectRepository(), writer * ROUNDS + number))
            return results
        finally:
            connection.close()

    with ThreadPoolExecutor(WRITERS) as pool:
        return [result for results in pool.map(rounds, range(WRITERS)) for result in results]


def test_edits_of_one_prompt_get_consecutive_versions_and_none_is_lost() -> None:
    prompt = make_prompt(make_project(), "start")
    at_once(lambda repository, number: repository.update_prompt(prompt_id=prompt.id, content=f"text {number}"))
    versions = dict(PromptVersion.objects.values_list("version", "content"))
    edits = WRITERS * ROUNDS
    assert sorted(versions) == list(range(1, edits + 1))
    now = Prompt.objects.get()
    assert now.version == edits + 1
    assert {*versions.values(), now.content} == {"start", *(f"text {number}" for number in range(edits))}


def test_new_prompts_get_consecutive_positions() -> None:
    project = make_project()
    at_once(lambda repository, number: repository.add_prompt(project_id=project.id, content=f"text {number}"))
    positions = Prompt.objects.order_by("order_index").values_list("order_index", flat=True)
    assert list(positions) == list(range(WRITERS * ROUNDS))


def test_one_name_and_text_make_one_project_and_prompt() -> None:
    def ensure(repository: ProjectRepository, number: int) -> tuple[str, str | None]:
        project = repository.ensure_project_by_name(f"name {number % ROUNDS}")
        assert project is not None
        return project.id, repository.ensure_prompt_in_project(project.id, "text")

    assert len(set(at_once(ensure))) == ROUNDS
    assert (Project.objects.count(), Prompt.objects.count()) == (ROUNDS, ROUNDS)


def test_a_name_is_given_once() -> None:
    def create(repository: ProjectRepository, number: int) -> bool:
        try:
            repository.create_project(name=f"name {number % ROUNDS}")
        except Conflict:
            return False
        return True

    assert sum(at_once(create)) == ROUNDS


def test_a_name_is_taken_by_one_of_many_who_want_it() -> None:
    projects = [make_project() for _ in range(WRITERS * ROUNDS)]

    def rename(repository: ProjectRepository, number: int) -> bool:
        try:
            repository.update_project(project_id=projects[number].id, name=f"name {number % ROUNDS}")
        except Conflict:
            return False
        return True

    assert sum(at_once(rename)) == ROUNDS


def test_a_project_is_deleted_once_while_others_add_to_it() -> None:
    project = make_project()
    for _ in range(5):
        make_run(make_prompt(project), project=project.name)

    def add_or_delete(repository: ProjectRepository, number: int) -> str:
        try:
            if number == WRITERS * ROUNDS // 2:
                return f"deleted {repository.delete_project(project_id=project.id)}"
            repository.add_prompt(project_id=project.id, content=f"text {number}")
        except NotFound:
            return "missing"
        return "added"

    results = at_once(add_or_delete)
    assert results.count("deleted 5") == 1
    assert not Prompt.objects.exists()
