"""What the admin's forms and actions do to projects and prompts, and what they refuse."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from optimizations.models import Optimization
from projects.models import Project, Prompt, PromptVersion
from projects.repository import ProjectRepository, project_state
from tests.projects.making import NO_MEMBERS, make_project, make_prompt, make_run, make_version

pytestmark = pytest.mark.django_db

PROJECTS, PROMPTS = "/admin/projects/project/", "/admin/projects/prompt/"


@pytest.fixture
def client() -> Client:
    browser = Client()
    browser.force_login(User.objects.create_superuser("admin"))
    return browser


def said(client: Client, answer: Any) -> str:
    """What the page says that an answer leads to."""
    assert answer.status_code == 302, answer.content.decode()
    return client.get(answer["Location"]).content.decode()


def project_fields(project: Project, **changes: Any) -> dict[str, Any]:
    """What the form of a project sends back, with some changes."""
    stored = {"name": project.name, "description": project.description or "", "read_state": project_state(project)}
    return stored | NO_MEMBERS | changes


def confirm(client: Client, address: str, **fields: Any) -> Any:
    """Ask, and say yes to what the page asks."""
    asked = client.post(address, fields).content.decode() if fields else client.get(address).content.decode()
    [token] = re.findall(r'name="confirmed" value="([^"]*)"', asked)
    [typed] = re.findall(r'<bdi class="confirm-word">([^<]*)</bdi>', asked) or [""]
    return client.post(address, {**fields, "confirmed": token, "typed": html.unescape(typed)})


def test_a_project_is_made_changed_and_its_context_kept_in_its_known_fields(client: Client) -> None:
    fields = {"name": "  alpha ", "description": "one\r\ntwo", "context_language": "Python"}
    fields["context_patterns"] = ["first\r\nof two lines", " ", "second"]  # type: ignore[assignment]
    client.post(f"{PROJECTS}add/", fields)
    project = Project.objects.get()
    assert (project.name, project.description) == ("alpha", "one\ntwo")
    context = '{"language": "Python", "patterns": ["first\\nof two lines", "second"]}'
    assert project.context_profile == context

    address = f"{PROJECTS}{project.id}/change/"
    same = {"context_language": "Python", "context_patterns": ["first\r\nof two lines", "second", ""]}
    client.post(address, project_fields(project, description="one\r\ntwo", **same))
    assert Project.objects.get().updated_at == project.updated_at  # nothing differs but the ends of lines

    client.post(address, project_fields(project, name="beta", **same))
    project = Project.objects.get()
    assert (project.name, project.description, project.context_profile) == ("beta", "one\ntwo", context)
    client.post(address, project_fields(project))
    assert Project.objects.get().context_profile is None


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"name": "taken"}, "already exists"),
        ({"name": " "}, "must not be empty"),
        ({"name": ""}, "required"),
        ({"name": "n" * 201}, "at most 200 characters"),
        ({"name": "nul\x00"}, "Null characters"),
        ({"name": "ok", "description": "d" * 2001}, "at most 2000 characters"),
    ],
)
def test_a_refused_project_keeps_what_was_typed(client: Client, fields: dict[str, str], problem: str) -> None:
    make_project(name="taken")
    typed = {"context_framework": "typed framework", "context_patterns": ["typed pattern", ""], **fields}
    answer = client.post(f"{PROJECTS}add/", typed).content.decode()
    assert problem in answer
    assert "typed framework" in answer
    assert ">\ntyped pattern</textarea>" in answer
    assert answer.count('name="context_patterns"') == 2  # the one typed, and one for another
    assert Project.objects.count() == 1


def test_adding_a_project_of_a_deleted_ones_name_brings_it_back(client: Client) -> None:
    gone = make_project(name="alpha", status="deleted", description="kept")
    client.post(f"{PROJECTS}add/", {"name": "alpha", "description": ""})
    back = Project.objects.get()
    assert (back.id, back.status, back.description) == (gone.id, "active", "kept")


def test_a_project_that_another_changed_meanwhile_is_not_overwritten_unasked(client: Client) -> None:
    project = make_project(name="alpha", description="old")
    address, fields = f"{PROJECTS}{project.id}/change/", project_fields(project, description="mine")
    make_prompt(project)  # no edit of the project itself
    ProjectRepository().update_project(project_id=project.id, description="theirs")
    answer = client.post(address, fields).content.decode()
    assert "Somebody else has changed this project" in answer
    assert "Stored now: theirs" in answer
    assert ">\nmine</textarea>" in answer
    assert Project.objects.get().description == "theirs"
    [state] = re.findall(r'name="read_state" value="([^"]*)"', answer)
    client.post(address, fields | {"read_state": state})
    assert Project.objects.get().description == "mine"


def test_a_prompt_is_added_and_edited_as_it_was_typed(client: Client) -> None:
    project = make_project()
    client.post(f"{PROMPTS}add/", {"project": project.id, "content": "\r\n one\r\ntwo "})
    prompt = Prompt.objects.get()
    assert prompt.content == "\n one\ntwo "
    address = f"{PROMPTS}{prompt.id}/change/"
    assert ">\n\n one\ntwo </textarea>" in client.get(address).content.decode()
    client.post(address, {"content": "\r\n one\r\ntwo ", "read_version": 1})
    assert not PromptVersion.objects.exists()
    client.post(address, {"content": "three", "read_version": 1})
    shown = client.get(address).content.decode()
    assert shown.count("><bdi>admin</bdi></td>") == 2  # who made both versions
    assert Prompt.objects.values_list("content", "version").get() == ("three", 2)
    assert PromptVersion.objects.values_list("content", "version").get() == ("\n one\ntwo ", 1)


def test_the_ends_of_lines_of_a_stored_text_stay(client: Client) -> None:
    prompt = make_prompt(make_project(), "one\r\ntwo")
    address = f"{PROMPTS}{prompt.id}/change/"
    client.post(address, {"content": "one\r\ntwo\r\nthree", "read_version": 1})
    assert Prompt.objects.get().content == "one\r\ntwo\r\nthree"


@pytest.mark.parametrize(
    ("text", "problem"),
    [(" \n ", "must not be empty"), ("", "required"), ("x" * 100_001, "this text has 100,001"), ("a\x00b", "Null")],
)
def test_a_refused_text_is_still_in_the_editor(client: Client, text: str, problem: str) -> None:
    project = make_project()
    prompt = make_prompt(project)
    for address, fields in ((f"{PROMPTS}{prompt.id}/change/", {}), (f"{PROMPTS}add/", {"project": project.id})):
        answer = client.post(address, {"content": text, "read_version": 1, **fields}).content.decode()
        assert problem in answer
        assert f">\n{text}</textarea>" in answer
    assert Prompt.objects.count() == 1


def test_a_long_legacy_text_may_stay_but_not_grow(client: Client) -> None:
    prompt = make_prompt(make_project(), "x" * 200_000)
    address = f"{PROMPTS}{prompt.id}/change/"
    assert client.post(address, {"content": "x" * 200_000, "read_version": 1}).status_code == 302
    assert client.post(address, {"content": "x" * 199_999, "read_version": 1}).status_code == 200
    assert client.post(address, {"content": "short", "read_version": 1}).status_code == 302


def test_a_prompt_that_another_edited_meanwhile_is_not_overwritten_unasked(client: Client) -> None:
    prompt = make_prompt(make_project(), "old")
    address = f"{PROMPTS}{prompt.id}/change/"
    ProjectRepository().update_prompt(prompt_id=prompt.id, content="theirs")
    answer = client.post(address, {"content": "my text", "read_version": 1}).content.decode()
    assert "it has version 2 now" in answer
    assert ">\nmy text</textarea>" in answer
    assert "theirs" in answer
    assert Prompt.objects.get().content == "theirs"
    assert 'name="read_version" value="2"' in answer
    client.post(address, {"content": "my text", "read_version": 2})
    assert Prompt.objects.values_list("content", "version").get() == ("my text", 3)


def test_versions_are_compared_and_restored(client: Client) -> None:
    prompt = make_prompt(make_project(), "keep\nnew words here", version=3)
    make_version(prompt, 1, "keep\nold words here")
    make_version(prompt, 2, "between", optimization_id=make_run(prompt).id)
    shown = client.get(f"{PROMPTS}{prompt.id}/change/").content.decode()
    assert "a run</a>" in shown
    compared = client.get(f"{PROMPTS}{prompt.id}/compare/?old=1&new=3").content.decode()
    assert "<del>old</del> words here" in compared
    assert "<ins>new</ins> words here" in compared
    unified = client.get(f"{PROMPTS}{prompt.id}/compare/?old=1&new=3&view=unified").content.decode()
    assert ">-old words here\n" in unified
    assert "the same" in client.get(f"{PROMPTS}{prompt.id}/compare/?old=2&new=2").content.decode()

    address = f"{PROMPTS}{prompt.id}/restore/1/"
    assert "becomes version 4" in client.get(address).content.decode()
    assert "look once more" in said(client, client.post(address, {"read_version": 2}))
    assert "look once more" in said(client, client.post(address, {}))
    assert "is version 4 now" in said(client, client.post(address, {"read_version": 3}))
    assert Prompt.objects.values_list("content", "version").get() == ("keep\nold words here", 4)


def test_prompts_are_put_in_order_with_and_without_the_script(client: Client) -> None:
    project = make_project()
    first, second, third = (make_prompt(project, text).id for text in ("one", "two", "three"))
    address = f"{PROJECTS}{project.id}/reorder/"

    def order() -> list[str]:
        return list(Prompt.objects.order_by("order_index").values_list("id", flat=True))

    client.post(address, {"prompt_ids": [first, second, third], "move": f"{third}:up"})
    assert order() == [first, third, second]
    client.post(address, {"prompt_ids": [first, third, second], "move": f"{first}:up"})
    assert order() == [first, third, second]
    # Some of them, as a page of a long list has: the others keep their places.
    scripted = client.post(address, {"prompt_ids": [second, first]}, headers={"accept": "application/json"})
    assert (scripted.status_code, scripted.json()) == (200, {"detail": ""})
    assert order() == [second, third, first]
    for ids in (["none"], [first, first]):
        refused = client.post(address, {"prompt_ids": ids}, headers={"accept": "application/json"})
        assert refused.status_code == 400
        assert refused.json()["detail"]
        assert "prompt" in said(client, client.post(address, {"prompt_ids": ids})).lower()
    assert order() == [second, third, first]
    assert client.get(address).status_code == 405


def test_an_archived_project_is_read_only_by_every_address(client: Client) -> None:
    project = make_project(name="alpha")
    prompt = make_prompt(project, "text", version=2)
    make_version(prompt, 1)
    assert "Archived “alpha”" in said(client, confirm(client, f"{PROJECTS}{project.id}/archive/"))
    shown = client.get(f"{PROJECTS}{project.id}/change/").content.decode()
    assert "is archived" in shown
    assert 'name="name"' not in shown
    assert 'name="content"' not in client.get(f"{PROMPTS}{prompt.id}/change/").content.decode()
    before = list(Prompt.objects.values()) + list(Project.objects.values())
    for address in (
        *(f"{PROMPTS}{prompt.id}/{page}/" for page in ("change", "delete", "restore/1")),
        f"{PROJECTS}{project.id}/change/",
    ):
        answer = client.post(address, {"content": "x", "name": "x", "read_version": 2, "confirmed": "x"})
        assert answer.status_code == 403, address
    assert "archived" in said(client, client.post(f"{PROJECTS}{project.id}/reorder/", {"prompt_ids": [prompt.id]}))
    assert client.post(f"{PROMPTS}add/", {"project": project.id, "content": "x"}).status_code == 200
    assert list(Prompt.objects.values()) + list(Project.objects.values()) == before
    assert "Restored “alpha”" in said(client, confirm(client, f"{PROJECTS}{project.id}/restore/"))
    assert Project.objects.get().status == "active"


def test_a_deletion_says_what_goes_and_takes_just_that(client: Client) -> None:
    project, other = make_project(name="alpha"), make_project(name="omega")
    prompt, kept = make_prompt(project), make_prompt(other)
    for number in (1, 2):
        make_version(prompt, number)
    for linked in (prompt, prompt, kept):
        make_run(linked)
    make_run(None, project="alpha")
    address = f"{PROJECTS}{project.id}/delete/"
    asked = client.get(address).content.decode()
    numbers = re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", asked)
    assert numbers == [("Prompt", "1"), ("Earlier versions", "2"), ("Runs", "3")]
    [token] = re.findall(r'name="confirmed" value="([^"]*)"', asked)
    late = make_run(prompt)
    assert "look at the numbers once more" in said(client, client.post(address, {"confirmed": token, "typed": "alpha"}))
    late.delete()
    for typed in ({}, {"typed": ""}, {"typed": "Alpha"}, {"typed": "1"}):
        assert "nothing was deleted" in client.post(address, {"confirmed": token, **typed}).content.decode()
    assert "Deleted “alpha”" in said(client, client.post(address, {"confirmed": token, "typed": " alpha "}))
    assert list(Prompt.objects.values_list("id", flat=True)) == [kept.id]
    assert Optimization.objects.count() == 1
    assert Project.objects.get(name="alpha").status == "deleted"


def test_a_prompt_goes_with_its_versions_and_runs(client: Client) -> None:
    prompt = make_prompt(make_project(), "text")
    make_version(prompt, 1)
    make_run(prompt)
    assert "Deleted “text”" in said(client, confirm(client, f"{PROMPTS}{prompt.id}/delete/"))
    assert not Prompt.objects.exists()
    assert not PromptVersion.objects.exists()
    assert not Optimization.objects.exists()


def test_several_projects_are_archived_restored_and_deleted_at_once(client: Client) -> None:
    names = ["alpha", "beta", "gamma"]
    projects = [make_project(name=name) for name in names]
    make_prompt(projects[0])
    selected = [project.id for project in projects]
    for action, status in (
        ("archive_selected", "archived"),
        ("restore_selected", "active"),
        ("delete_selected_projects", "deleted"),
    ):
        answer = confirm(client, PROJECTS, action=action, _selected_action=selected)
        assert "3 projects" in said(client, answer)
        assert set(Project.objects.values_list("status", flat=True)) == {status}
    assert not Prompt.objects.exists()
    make_project(name="delta")
    again = client.post(PROJECTS, {"action": "restore_selected", "_selected_action": selected, "index": 0})
    assert "nothing to restore" in said(client, again)


def test_no_row_is_deleted_behind_the_repositorys_back(client: Client) -> None:
    project = make_project()
    prompt = make_prompt(project)
    for address, row in ((PROJECTS, project), (PROMPTS, prompt)):
        fields = {"action": "delete_selected", "_selected_action": row.id, "index": 0, "post": "yes"}
        client.post(address, fields)
    assert Project.objects.get().status == "active"
    assert Prompt.objects.exists()
