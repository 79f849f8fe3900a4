"""Prompts that are moved to another project or copied there, and prompts of one project with the same text."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from projects.contrib.registry.repository import RegistryRepository
from projects.models import Project, ProjectStatus, Prompt
from projects.repository import ProjectRepository, with_twins
from promptadmin.backoffice import selection
from promptadmin.db.sessions import write_session
from promptadmin.errors import Forbidden, NotFound
from promptadmin.models import LogEntry
from tests.projects.making import make_project, make_prompt, make_run, make_version
from tests.support.people import signed_in

pytestmark = pytest.mark.django_db

LIST = "/admin/projects/prompt/"


def texts_of(project: Project) -> list[tuple[int, str]]:
    """Positions and texts, in the order of PromptForge."""
    return list(
        Prompt.objects.filter(project=project).order_by("order_index", "id").values_list("order_index", "content")
    )


def test_moved_prompts_stand_behind_the_others_with_all_that_is_theirs() -> None:
    """In their own order; versions, linked runs, name and labels go along, and PromptForge finds them in that order."""
    source, target = make_project(), make_project()
    second = make_prompt(source, "second", order_index=5)
    first = make_prompt(source, "first", order_index=2)
    make_prompt(source, "stays", order_index=3)
    make_prompt(target, "old", order_index=7)
    make_version(first, 1)
    run = make_run(first)
    with write_session():
        RegistryRepository().give_name(prompt_id=first.pk, name="support/first")
        assert ProjectRepository().move_prompts([second.pk, first.pk], project_id=target.pk) == 2
    assert texts_of(target) == [(7, "old"), (8, "first"), (9, "second")]
    assert texts_of(source) == [(3, "stays")]
    found = ProjectRepository().get_prompt(prompt_id=first.pk)
    assert (found.version, found.run_count, found.latest_run and found.latest_run.id) == (1, 1, run.pk)
    assert RegistryRepository().resolve(name="support/first", label="latest").project_id == target.pk
    detail = ProjectRepository().get_project(project_id=target.pk)
    assert [prompt.content for prompt in detail.prompts] == ["old", "first", "second"]
    [entry] = LogEntry.objects.filter(object_pk=first.pk, changes__has_key="project")
    assert entry.changes == {"project": [source.name, target.name]}


def test_what_is_there_already_stays_and_archived_projects_take_and_give_nothing() -> None:
    source, target = make_project(), make_project()
    prompt, there = make_prompt(source, "here"), make_prompt(target, "there")
    repository = ProjectRepository()
    with write_session():
        assert repository.move_prompts([there.pk], project_id=target.pk) == 0
    assert not LogEntry.objects.filter(object_pk=there.pk).exists()
    for closed, moved in ((source, prompt), (target, prompt)):
        Project.objects.filter(pk=closed.pk).update(status=ProjectStatus.ARCHIVED)
        for act in (repository.move_prompts, repository.copy_prompts):
            if act == repository.copy_prompts and closed == source:
                continue  # an archived project may be copied from
            with pytest.raises(Forbidden), write_session():
                act([moved.pk], project_id=target.pk)
        Project.objects.filter(pk=closed.pk).update(status=ProjectStatus.ACTIVE)
    for act in (repository.move_prompts, repository.copy_prompts):
        with pytest.raises(NotFound), write_session():
            act([prompt.pk, "none such"], project_id=target.pk)
    assert texts_of(source) == [(prompt.order_index, "here")]


def test_a_copy_is_a_new_prompt_and_copying_again_makes_nothing() -> None:
    source, target = make_project(), make_project()
    prompts = [make_prompt(source, text, version=3) for text in ("a", "b")]
    make_prompt(target, "b", order_index=0)
    repository = ProjectRepository()
    for made in (1, 0):
        with write_session():
            assert repository.copy_prompts([prompt.pk for prompt in prompts], project_id=target.pk) == made
    assert texts_of(target) == [(0, "b"), (1, "a")]
    copy = Prompt.objects.get(project=target, content="a")
    assert (copy.version, copy.pk != prompts[0].pk) == (1, True)
    [entry] = LogEntry.objects.filter(object_pk=copy.pk)
    assert entry.note == f"a copy of {prompts[0].pk}"


def test_plugins_are_told_from_where_to_where(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, Any]] = []
    monkeypatch.setattr("projects.events.send", lambda name, **data: told.append((name, data)))
    source, target = make_project(), make_project()
    prompt = make_prompt(source)
    with write_session():
        ProjectRepository().move_prompts([prompt.pk], project_id=target.pk)
    assert [(name, data["project_id"], data["former_project_id"]) for name, data in told] == [
        ("prompt_moved", target.pk, source.pk)
    ]


def test_the_same_text_in_one_project_is_found_by_an_index() -> None:
    """Exactly the same, in the same project; whatever a text has in it that means something elsewhere."""
    project, other = make_project(), make_project()
    text = "100 % of\n\tthe  text ' \" \\ {{x}} ü" + "w" * 100
    twins = [make_prompt(project, text) for _ in range(2)]
    make_prompt(project, f"{text} ")
    make_prompt(other, text)
    assert {row.pk for row in with_twins(Prompt.objects.all())} == {row.pk for row in twins}
    found = ProjectRepository().twins_of(prompt_id=twins[0].pk)
    assert [row.id for row in found] == [twins[1].pk]
    if connection.vendor == "sqlite":
        plan = with_twins(Prompt.objects.filter(project=project)).explain()
        assert "ix_prompts_text" in plan


def test_the_pages_point_at_the_same_text() -> None:
    """The prompt's own, its project's, a filter of the list, and a message where somebody saves one."""
    client, project = signed_in("editor"), make_project()
    one, other = make_prompt(project, "the same", order_index=0), make_prompt(project, "another", order_index=1)
    address = f"{LIST}{other.pk}/change/"
    sent = {"content": "the same", "reason": "", "read_version": "1", "_continue": "1"}
    page = client.post(address, sent, follow=True).content.decode()
    assert "This project has the same text already" in page
    assert "The same text stands in this project once more" in page
    assert f"{LIST}{one.pk}/change/" in page
    page = client.get(f"/admin/projects/project/{project.pk}/change/").content.decode()
    assert page.count("same text as another one") == 2
    assert "2 of these prompts have the text of another prompt" in page
    make_prompt(project, "a third")
    assert client.get(f"{LIST}?project__id__exact={project.pk}&twins=yes").context["cl"].result_count == 2
    assert client.get(f"{LIST}?project__id__exact={project.pk}").context["cl"].result_count == 3


def confirm(client: Any, action: str, project: Project, keys: list[str], **more: str) -> Any:
    """The list's action with the project chosen, as its page sends it."""
    sent = {"action": action, "_selected_action": keys, "confirmed": "yes", "project": project.pk, **more}
    return client.post(LIST, sent, follow=True)


def test_many_are_moved_in_short_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of a few rows: whoever interrupts it finds whole rows, and can go on."""
    client, source, target = signed_in("editor"), make_project(), make_project()
    keys = [make_prompt(source, f"prompt {number}").pk for number in range(5)]
    asked = client.post(LIST, {"action": "move_selected", "_selected_action": keys})
    assert "Move 5 prompts" in asked.content.decode()
    monkeypatch.setattr(selection, "ROWS_A_TRANSACTION", 2)
    pieces: list[int] = []
    move = ProjectRepository.move_prompts

    def counted(self: ProjectRepository, prompt_ids: list[str], **to: str) -> int:
        pieces.append(len(prompt_ids))
        return move(self, prompt_ids, **to)

    monkeypatch.setattr(ProjectRepository, "move_prompts", counted)
    answer = confirm(client, "move_selected", target, keys)
    assert "Moved 5 prompts to" in answer.content.decode()
    assert Prompt.objects.filter(project=target).count() == 5
    assert pieces == [2, 2, 1]
    requests = set(LogEntry.objects.filter(object_pk__in=keys).values_list("cid", flat=True))
    assert len(requests) == 1  # one action, which “By person” shows as one


def test_one_is_moved_and_copied_from_its_page_and_only_by_those_who_may() -> None:
    client, source, target = signed_in("editor"), make_project(), make_project()
    prompt = make_prompt(source, "mine")
    page = f"{LIST}{prompt.pk}"
    assert f"{page}/move/" in client.get(f"{page}/change/").content.decode()
    for verb, done in (("copy", "Copied 1 prompt to"), ("move", "Moved 1 prompt to"), ("copy", "1 was there already")):
        assert "Choose…" in client.get(f"{page}/{verb}/").content.decode()
        nothing = client.post(f"{page}/{verb}/", {"confirmed": "yes", "project": ""})
        assert "This field is required" in nothing.content.decode()
        answer = client.post(f"{page}/{verb}/", {"confirmed": "yes", "project": target.pk}, follow=True)
        assert done in answer.content.decode()
        Prompt.objects.filter(project=target).exclude(pk=prompt.pk).delete()
    viewer = signed_in("viewer")
    assert f"{page}/move/" not in viewer.get(f"{page}/change/").content.decode()
    for verb in ("move", "copy"):
        assert viewer.post(f"{page}/{verb}/", {"confirmed": "yes", "project": source.pk}).status_code == 403
    assert client.post(f"{LIST}none-such/move/", {"confirmed": "yes", "project": target.pk}).status_code == 302
