from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from optimizations.models import Optimization
from projects.models import Project, Prompt, PromptVersion
from projects.repository import ProjectRepository
from promptadmin.errors import Invalid, NotFound, PreconditionFailed
from tests.projects.making import make_project, make_prompt, make_run, make_version

pytestmark = pytest.mark.django_db

LONG_AGO = dt.datetime(2020, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC)
repository = ProjectRepository()


def order(project: Project) -> list[tuple[str, int]]:
    return list(Prompt.objects.filter(project_id=project.id).order_by("order_index").values_list("id", "order_index"))


def test_a_new_prompt_goes_after_the_last_even_over_a_gap() -> None:
    project = make_project(updated_at=LONG_AGO)
    added = [repository.add_prompt(project_id=project.id, content=f"text {at}") for at in range(3)]
    assert [prompt.order_index for prompt in added] == [0, 1, 2]
    repository.delete_prompt(prompt_id=added[1].id)
    last = repository.add_prompt(project_id=project.id, content="  text 0 ")
    assert (last.order_index, last.version, last.content) == (3, 1, "  text 0 ")
    assert Project.objects.get(id=project.id).updated_at == last.updated_at


@pytest.mark.parametrize("content", ["", " \n\t", "a\x00b"])
def test_no_door_can_store_a_blank_text_or_nul(content: str) -> None:
    project = make_project()
    prompt = make_prompt(project, "text")
    with pytest.raises(Invalid):
        repository.add_prompt(project_id=project.id, content=content)
    with pytest.raises(Invalid):
        repository.update_prompt(prompt_id=prompt.id, content=content)
    assert Prompt.objects.get().version == 1


def test_another_text_becomes_the_next_version_and_the_old_one_is_kept() -> None:
    project = make_project(updated_at=LONG_AGO)
    prompt = make_prompt(project, "first", updated_at=LONG_AGO)
    run = make_run(prompt)
    edited = repository.update_prompt(prompt_id=prompt.id, content="second", optimization_id=run.id)
    assert (edited.content, edited.version) == ("second", 2)
    assert repository.update_prompt(prompt_id=prompt.id, content=" second").version == 3
    kept = PromptVersion.objects.order_by("version").values_list("version", "content", "optimization_id")
    assert list(kept) == [(1, "first", run.id), (2, "second", None)]
    assert Project.objects.get(id=project.id).updated_at == LONG_AGO
    assert Optimization.objects.get(id=run.id).prompt_id == prompt.id


@pytest.mark.parametrize("content", [None, "same"])
def test_the_same_text_moves_only_the_time(content: str | None) -> None:
    prompt = make_prompt(make_project(), "same", updated_at=LONG_AGO, version=4)
    same = repository.update_prompt(prompt_id=prompt.id, content=content)
    assert (same.content, same.version, same.created_at) == ("same", 4, prompt.created_at)
    assert same.updated_at is not None
    assert same.updated_at > LONG_AGO
    assert not PromptVersion.objects.exists()


def test_an_edit_or_deletion_can_expect_a_version() -> None:
    prompt = make_prompt(make_project(), "text", version=3)
    for versions in ((), (2, 4)):
        with pytest.raises(PreconditionFailed):
            repository.update_prompt(prompt_id=prompt.id, content="x", expected_versions=versions)
        with pytest.raises(PreconditionFailed):
            repository.delete_prompt(prompt_id=prompt.id, expected_versions=versions)
        with pytest.raises(PreconditionFailed):
            repository.restore_version(prompt_id=prompt.id, version=3, expected_versions=versions)
    assert repository.update_prompt(prompt_id=prompt.id, content="x", expected_versions=(2, 3)).version == 4
    repository.delete_prompt(prompt_id=prompt.id, expected_versions={4})


def test_a_prompt_of_another_project_is_not_found_before_the_project_is_looked_at() -> None:
    prompt = make_prompt(make_project())
    for project_id in (make_project().id, make_project(status="archived").id, "nope"):
        for call in (
            lambda project_id=project_id: repository.get_prompt(prompt_id=prompt.id, project_id=project_id),
            lambda project_id=project_id: repository.update_prompt(prompt_id=prompt.id, project_id=project_id),
            lambda project_id=project_id: repository.delete_prompt(prompt_id=prompt.id, project_id=project_id),
            lambda project_id=project_id: repository.list_runs(prompt_id=prompt.id, project_id=project_id),
            lambda project_id=project_id: repository.list_versions(prompt_id=prompt.id, project_id=project_id),
            lambda project_id=project_id: repository.get_version(prompt_id=prompt.id, version=1, project_id=project_id),
        ):
            with pytest.raises(NotFound, match=r"^Prompt not found$"):
                call()


def test_deleting_a_prompt_takes_its_versions_and_runs_with_it() -> None:
    project = make_project(name="mine")
    prompt, twin = make_prompt(project, "text"), make_prompt(project, "other")
    make_version(prompt, 1)
    make_run(prompt, project="elsewhere", raw_prompt="whatever")
    make_run(project="mine", raw_prompt="text")
    kept = [
        make_run(project="mine", raw_prompt="other"),
        make_run(project="elsewhere", raw_prompt="text"),
        make_run(twin, project="mine", raw_prompt="text"),
    ]
    assert repository.delete_prompt(prompt_id=prompt.id, project_id=project.id) == 2
    assert set(Optimization.objects.values_list("id", flat=True)) == {run.id for run in kept}
    assert not PromptVersion.objects.exists()
    assert [key for key, _ in order(project)] == [twin.id]


def test_prompts_are_put_in_order_and_only_moved_ones_change() -> None:
    project = make_project(updated_at=LONG_AGO)
    a, b, c = (make_prompt(project, order_index=at, updated_at=LONG_AGO).id for at in (0, 5, 9))
    answer = repository.reorder_prompts(project_id=project.id, prompt_ids=[a, c, b])
    assert [(prompt.id, prompt.order_index) for prompt in answer] == [(a, 0), (c, 1), (b, 2)]
    assert order(project) == [(a, 0), (c, 1), (b, 2)]
    assert Prompt.objects.get(id=a).updated_at == LONG_AGO
    assert Prompt.objects.get(id=b).updated_at > LONG_AGO
    assert Project.objects.get(id=project.id).updated_at == LONG_AGO


def test_a_new_order_names_exactly_the_projects_prompts() -> None:
    project = make_project()
    keys = [make_prompt(project, id=key, order_index=at).id for at, key in enumerate("abc")]
    foreign = make_prompt(make_project(), id="foreign").id
    for prompt_ids, text in (
        (["z", "a", "a", foreign], "Prompt IDs not found in project: {'foreign', 'z'}"),
        (["a", "b", "b"], "Duplicate prompt IDs in reorder request"),
        (["b"], "Reorder must include all prompts; missing: {'a', 'c'}"),
    ):
        with pytest.raises(Invalid) as refusal:
            repository.reorder_prompts(project_id=project.id, prompt_ids=prompt_ids)
        assert str(refusal.value) == text
    assert order(project) == [(key, at) for at, key in enumerate(keys)]


def test_an_order_of_many_prompts_takes_few_queries() -> None:
    project = make_project()
    Prompt.objects.bulk_create(Prompt(project_id=project.id, content="x", order_index=at) for at in range(3000))
    keys = [key for key, _ in order(project)][::-1]
    with CaptureQueriesContext(connection) as queries:
        repository.reorder_prompts(project_id=project.id, prompt_ids=keys)
    assert order(project) == [(key, at) for at, key in enumerate(keys)]
    assert len(queries) <= 14  # five: is there a webhook, or a person, to be told? One, once: the table in the log
