"""Texts that show nothing, names that look alike: the same at the API, in the back-office, at imports and by name."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from optimizations.repository import OptimizationRepository
from projects.files.lines import read_projects
from projects.models import Project, Prompt
from projects.repository import ProjectRepository
from projects.repository.projects import NAME_TAKEN
from projects.texts.forms import composed, is_blank, spellings
from promptadmin.errors import Conflict, Invalid
from promptadmin.exchange.lines import ImportRefused
from tests.projects.making import make_project, make_run

NFC, NFD = "Café ソ", unicodedata.normalize("NFD", "Café ガ".replace("ガ", "ソ"))
NOTHING = ["\u200b\ufeff", "\u200b \u2060\n", "\u00ad", "\u3164", "\u2800", "\u200e\u200f", "\ufe0f", "\x07", "\u180e"]
SOMETHING = ["\u200bx", "👍\ufe0f", "་", "0", "\u0600", "\u0301", "।"]

repository = ProjectRepository()


@pytest.fixture
def api(settings: Settings, db: None) -> Client:
    settings.API_AUTH_TOKEN = "secret"
    return Client(headers={"Authorization": "Bearer secret"})


def send(api: Client, method: str, path: str, body: Any) -> Any:
    return api.generic(method, path, json.dumps(body), content_type="application/json")


@pytest.mark.parametrize("text", ["", " \n", *NOTHING])
def test_what_shows_nothing_is_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", SOMETHING)
def test_what_shows_anything_is_not(text: str) -> None:
    assert not is_blank(text)


@given(st.text())
def test_blanks_of_python_are_blank(text: str) -> None:
    assert is_blank(text) or text.strip()
    assert not is_blank(text + "x")


@pytest.mark.parametrize("text", NOTHING)
def test_no_door_takes_a_text_that_shows_nothing(api: Client, admin_client: Client, text: str) -> None:
    project = make_project()
    prompts = f"/api/projects/{project.id}/prompts"
    prompt = send(api, "POST", prompts, {"content": "x"}).json()["id"]
    for method, path, body in (
        ("POST", "/api/projects", {"name": text}),
        ("PUT", f"/api/projects/{project.id}", {"name": text}),
        ("POST", prompts, {"content": text}),
        ("PUT", f"{prompts}/{prompt}", {"content": text}),
        ("POST", "/api/optimizations", {"raw_prompt": text}),
    ):
        assert send(api, method, path, body).status_code == 422, path
    for call in (
        lambda: repository.create_project(name=text),
        lambda: repository.add_prompt(project_id=project.id, content=text),
        lambda: repository.update_prompt(prompt_id=prompt, content=text),
    ):
        with pytest.raises(Invalid, match="must not be empty"):
            call()
    assert repository.ensure_project_by_name(text) is None
    assert repository.ensure_prompt_in_project(project.id, text) is None
    assert send(api, "POST", "/api/optimizations", {"raw_prompt": "x", "project": text}).json()["project"] is None
    lines, errors = read_projects([(1, {"id": "a", "name": text})])
    assert (lines, [error.field for error in errors]) == ([], ["name"])
    page = admin_client.post("/admin/projects/prompt/add/", {"content": text, "project": project.id})
    assert page.status_code == 200
    assert (Project.objects.count(), Prompt.objects.count()) == (1, 1)


@pytest.mark.parametrize(("first", "second"), [(NFC, NFD), (NFD, NFC)])
def test_a_name_that_looks_like_another_is_taken(api: Client, first: str, second: str) -> None:
    made = send(api, "POST", "/api/projects", {"name": first})
    assert (made.status_code, made.json()["name"]) == (201, NFC)
    refused = send(api, "POST", "/api/projects", {"name": second})
    assert (refused.status_code, refused.json()) == (409, {"detail": NAME_TAKEN})
    other = make_project()
    assert send(api, "PUT", f"/api/projects/{other.id}", {"name": second}).status_code == 409
    renamed = send(api, "PUT", f"/api/projects/{made.json()['id']}", {"name": second})
    assert (renamed.status_code, renamed.json()["name"]) == (200, NFC)


@pytest.mark.parametrize(("first", "second"), [(NFC, NFD), (NFD, NFC)])
def test_runs_and_imports_find_a_project_by_either_spelling(db: None, first: str, second: str) -> None:
    """Also one that an old program stored."""
    project = make_project(name=first, description="d")
    found = repository.ensure_project_by_name(second)
    assert found is not None
    assert found.id == project.id
    assert repository.get_context(name=second) == {"description": "d"}
    run = OptimizationRepository().record_run({"raw_prompt": "x", "project": second})
    assert (run["project"], run["project_id"]) == (second, project.id)
    rows = [json.dumps({"id": f"r{n}", "raw_prompt": "y", "project": name}) for n, name in enumerate((first, second))]
    from optimizations.files.lines import read_lines

    lines, errors = read_lines("\n".join(rows).encode())
    assert not errors
    OptimizationRepository().import_runs(lines)
    assert [OptimizationRepository().get_run(key)["project_id"] for key in ("r0", "r1")] == [project.id] * 2
    new, errors = read_projects([(1, {"id": "other", "name": second})])
    assert not errors
    with pytest.raises(ImportRefused):
        repository.import_projects(new)
    assert Project.objects.count() == 1


def test_a_deleted_project_comes_back_by_either_spelling(db: None) -> None:
    project = make_project(name=NFD, status="deleted")
    assert repository.create_project(name=NFC).id == project.id
    repository.delete_project(project_id=project.id)
    found = repository.ensure_project_by_name(NFC)
    assert found is not None
    assert found.id == project.id


def test_of_two_that_an_old_program_stored_the_exact_one_counts(db: None) -> None:
    old, new = make_project(name=NFD), make_project(name=NFC)
    for name, project in ((NFD, old), (NFC, new)):
        found = repository.ensure_project_by_name(name)
        assert found is not None
        assert found.id == project.id
        with pytest.raises(Conflict):
            repository.create_project(name=name)


def test_an_import_makes_one_project_for_both_spellings(db: None) -> None:
    from optimizations.files.lines import read_lines

    rows = [json.dumps({"id": f"r{n}", "raw_prompt": "y", "project": name}) for n, name in enumerate((NFD, NFC))]
    OptimizationRepository().import_runs(read_lines("\n".join(rows).encode())[0])
    assert [project.name for project in Project.objects.all()] == [NFC]
    make_run()
    rows_of_projects = [(1, {"id": "a", "name": "é"}), (2, {"id": "b", "name": "e\u0301"})]
    with pytest.raises(ImportRefused):
        repository.import_projects(read_projects(rows_of_projects)[0])


def test_a_context_with_an_unknown_field_is_refused_by_the_repository_and_at_imports(db: None) -> None:
    with pytest.raises(Invalid, match="no field 'languages': it has language, framework"):
        repository.create_project(name="n", context_profile={"languages": "Go"})
    lines, errors = read_projects([(1, {"id": "a", "name": "n", "context_profile": {"language": "Go", "x": 1}})])
    assert not errors
    with pytest.raises(ImportRefused) as refused:
        repository.import_projects(lines)
    assert [(error.field, error.line) for error in refused.value.errors] == [("context_profile", 1)]
    assert not Project.objects.exists()


@given(st.text())
def test_every_spelling_is_composed_to_one(text: str) -> None:
    assert {composed(form) for form in spellings(text)} == {composed(text)}
    assert text in spellings(text)
