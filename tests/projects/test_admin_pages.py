"""What the admin's pages of projects and prompts show, to whom, and at what cost."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from projects.models import Project, Prompt, PromptVersion
from projects.repository import ProjectRepository, project_state
from tests.projects.making import NO_MEMBERS, make_project, make_prompt, make_run, make_version, store

pytestmark = pytest.mark.django_db

PROJECTS, PROMPTS, VERSIONS = "/admin/projects/project/", "/admin/projects/prompt/", "/admin/projects/promptversion/"
DANGEROUS = {
    "script": "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "template": "{{ secret }}{% now 'Y' %} </textarea></script><!--",
    "right to left": "\u202eשלום עולם\u202d نص",
    "control characters": "bell \x07 escape \x1b[31m backspace \x08 delete \x7f",
    "long": "word \u00fc" * 150_000,
    "many lines": "\n".join(map(str, range(20_000))),
    "blanks": " \t\n\r\n ",
}
NOON = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)
_numbers = itertools.count(1)


def signed_in(*permissions: str) -> Client:
    """A browser of somebody with these permissions; of a superuser without any."""
    name = f"user {next(_numbers)}"
    user = User.objects.create_user(name, is_staff=True, is_superuser=not permissions)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, address
    return answer.content.decode()


def viewer() -> Client:
    return signed_in("view_project", "view_prompt", "view_promptversion", "view_optimization")


def test_the_list_shows_status_counts_and_last_activity() -> None:
    project = make_project(name="alpha", description="first words\nof it")
    prompt = make_prompt(project)
    make_run(prompt, created_at="2031-02-03 04:05:06+00:00", project="alpha")
    make_run(None, project="alpha")
    make_project(name="omega", status="archived")
    make_project(name="gone", status="deleted")
    shown = page(signed_in(), PROJECTS)
    assert "first words of it" in shown
    assert "2031-02-03 04:05" in shown
    assert f'project__id__exact={project.id}"><bdi>1' in shown or f'project__id__exact={project.id}">1<' in shown
    assert "omega" in shown
    assert "gone" not in shown
    assert "gone" in page(signed_in(), f"{PROJECTS}?status=deleted")
    assert "alpha" not in page(signed_in(), f"{PROJECTS}?q=OMEGA")


def test_a_list_takes_the_same_few_queries_however_many_rows_it_has() -> None:
    client = signed_in()
    for address in (PROJECTS, PROMPTS, VERSIONS):
        counts = []
        for _ in range(2):
            for _ in range(5):
                prompt = make_prompt(make_project())
                make_version(prompt, 1)
                make_run(prompt)
            client.get(address)
            with CaptureQueriesContext(connection) as queries:
                client.get(address)
            # Savepoints are the test's: outside its transaction, each is one of its own.
            reads = [query["sql"] for query in queries if query["sql"].startswith("SELECT")]
            counts.append(len(reads))
        # Of prompts, one for their names and one for folders; one for the bell.
        assert counts[0] == counts[1] <= 11, (address, reads)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's query plans")
@pytest.mark.parametrize(
    "address",
    [
        PROJECTS,
        *(f"{PROMPTS}{query}" for query in ("", "?o=6", "?o=-6", "?project__id__exact=PROJECT")),
        *(f"{VERSIONS}{query}" for query in ("", "?prompt__id__exact=PROMPT")),
    ],
)
def test_no_list_reads_or_sorts_a_whole_table(address: str) -> None:
    prompt = make_prompt(make_project())
    make_version(prompt, 1)
    make_run(prompt)
    address = address.replace("PROJECT", prompt.project_id).replace("PROMPT", prompt.id)
    client = signed_in()
    with CaptureQueriesContext(connection) as queries:
        page(client, address)
    seen = 0
    for query in queries.captured_queries:
        counts_rows = 'SELECT COUNT(*) AS "__count"' in query["sql"]
        if not counts_rows and re.search(r'FROM "(prompts|prompt_versions|optimizations)"', query["sql"]):
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
                plan = [step for *_, step in cursor.fetchall()]
            seen += 1
            scans = [step for step in plan if step.startswith("SCAN") and step != "SCAN bounded"]
            assert all(" USING " in step for step in scans), (query["sql"], plan)
            assert not [step for step in plan if "TEMP B-TREE FOR ORDER BY" in step], (query["sql"], plan)
    assert seen


def test_runs_are_counted_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projects.repository.overviews.RUNS_COUNTED", 3)
    project = make_project()
    prompt = make_prompt(project)
    for _ in range(10):
        make_run(prompt)
        make_run(None, project=project.name)
    assert ProjectRepository().project_overviews([project.id])[project.id].runs == 4
    assert ProjectRepository().prompt_overviews([prompt.id])[prompt.id].runs == 4


@pytest.mark.parametrize("text", DANGEROUS.values(), ids=DANGEROUS)
def test_dangerous_texts_are_shown_harmlessly_on_every_page(text: str) -> None:
    name = text[:150]
    project = make_project(name=name, description=text, context_profile=text)
    prompt = make_prompt(project, text)
    make_version(prompt, 1, text + "\nearlier")
    version = PromptVersion.objects.get()
    Prompt.objects.update(version=2)
    make_run(prompt, title=name, framework_applied=name, overall_score=0.5, project=name)
    make_run(prompt, title=name, overall_score=0.7, project=name)
    addresses = [
        *(PROJECTS, PROMPTS, VERSIONS),
        *(f"{PROJECTS}{project.id}/{page}/" for page in ("change", "archive", "delete", "history")),
        *(f"{PROMPTS}{prompt.id}/{page}/" for page in ("change", "delete", "history", "restore/1")),
        f"{PROMPTS}{prompt.id}/compare/?old=1&new=2",
        f"{PROMPTS}{prompt.id}/compare/?old=1&new=2&view=unified",
        f"{VERSIONS}{version.id}/change/",
    ]
    for client in (signed_in(), viewer()):
        may_change = client.get(f"{PROMPTS}add/").status_code == 200
        for address in addresses:
            if not may_change and any(page in address for page in ("archive", "delete", "restore")):
                continue
            shown = page(client, address)
            for harm in ("<script>alert", "<img src=x", "</textarea></script>"):
                assert harm not in shown, address
            if text == DANGEROUS["control characters"]:
                assert "bell \u2407" in shown or address.endswith("/history/"), address
            if text == DANGEROUS["script"]:
                assert "&lt;script&gt;alert(1)" in shown, address


@pytest.mark.parametrize(
    "stored", ["{broken", "[1, 2]", "7", '{"language": 7, "patterns": "one", "other": [1]}', "nul"]
)
def test_a_context_that_is_not_as_expected_is_shown_and_stays(stored: str) -> None:
    project = make_project()
    store("projects", "context_profile", project.id, stored)
    address = f"{PROJECTS}{project.id}/change/"
    client = signed_in()
    for reader in (client, viewer()):
        shown = page(reader, address)
        assert ("language" in shown.lower()) == (reader is client or stored.startswith('{"'))
        assert ("no JSON object" in shown) == (not stored.startswith('{"'))
    project = Project.objects.get()
    fields = {"name": "renamed", "description": "", "read_state": project_state(project), **NO_MEMBERS}
    if stored.startswith('{"'):
        fields |= {"context_language": "7", "context_patterns": "one"}
    assert client.post(address, fields).status_code == 302
    assert Project.objects.values_list("name", "context_profile").get() == ("renamed", stored)


def test_pages_of_what_is_not_there_lead_back() -> None:
    client = signed_in()
    prompt = make_prompt(make_project())
    for address in (
        *(f"{PROJECTS}none/{page}/" for page in ("change", "archive", "restore", "delete")),
        *(f"{PROMPTS}none/{page}/" for page in ("change", "delete", "compare", "restore/1")),
        f"{PROMPTS}{prompt.id}/compare/",
        f"{PROMPTS}{prompt.id}/compare/?old=x&new=1",
        f"{PROMPTS}{prompt.id}/compare/?old=1&new=9",
        f"{PROMPTS}{prompt.id}/restore/9/",
    ):
        answer = client.get(address)
        assert answer.status_code == 302, address


def test_a_viewer_sees_and_changes_nothing() -> None:
    client = viewer()
    project = make_project(name="seen", context_profile='{"language": "Python"}')
    prompt = make_prompt(project, "the text")
    make_version(prompt, 1, "before")
    Prompt.objects.update(version=2)
    before = list(Project.objects.values()) + list(Prompt.objects.values())
    assert "Python" in page(client, f"{PROJECTS}{project.id}/change/")
    assert "the text" in page(client, f"{PROMPTS}{prompt.id}/change/")
    assert "before" in page(client, f"{PROMPTS}{prompt.id}/compare/?old=1&new=2")
    for address in _changes(project, prompt):
        for answer in (client.get(address), client.post(address, {"confirmed": "yes"})):
            assert answer.status_code in (403, 405), address
    for address in (f"{PROJECTS}{project.id}/change/", f"{PROMPTS}{prompt.id}/change/"):
        assert client.post(address, {"name": "x", "content": "x"}).status_code == 403
    for action in ("archive_selected", "restore_selected", "delete_selected_projects", "delete_selected"):
        client.post(PROJECTS, {"action": action, "_selected_action": project.id, "confirmed": "x", "index": "0"})
        client.post(PROMPTS, {"action": action, "_selected_action": prompt.id, "confirmed": "x"})
    assert list(Project.objects.values()) + list(Prompt.objects.values()) == before


def test_who_may_see_nothing_sees_nothing() -> None:
    client = signed_in("view_optimization")
    project = make_project()
    prompt = make_prompt(project)
    for address in (
        *(PROJECTS, PROMPTS, VERSIONS, f"{PROJECTS}{project.id}/change/", f"{PROMPTS}{prompt.id}/change/"),
        f"{PROMPTS}{prompt.id}/compare/?old=1&new=1",
    ):
        assert client.get(address).status_code == 403, address


def test_changes_need_a_token_against_forgery() -> None:
    project = make_project()
    prompt = make_prompt(project)
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("admin"))
    for address in (*_changes(project, prompt), f"{PROMPTS}{prompt.id}/change/", f"{PROJECTS}{project.id}/change/"):
        assert client.post(address, {"confirmed": "yes"}).status_code == 403, address


def _changes(project: Any, prompt: Any) -> list[str]:
    return [
        *(f"{PROJECTS}{project.id}/{page}/" for page in ("archive", "restore", "delete", "reorder")),
        *(f"{PROMPTS}{prompt.id}/{page}/" for page in ("restore/1", "delete")),
        *(f"{PROJECTS}add/", f"{PROMPTS}add/"),
    ]


def test_a_search_reads_a_bounded_number_of_prompts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest of all, or of the project that is chosen: an old prompt is found among those of its project."""
    monkeypatch.setattr("projects.admin.prompts.SEARCHED", 2)
    old, new = make_project(name="old"), make_project(name="new")
    make_prompt(old, content="Needle of old", updated_at=NOON - dt.timedelta(days=9))
    for number in range(2):
        make_prompt(new, content=f"NEEDLE {number}", updated_at=NOON)
    found = page(signed_in(), f"{PROMPTS}?q=needle").replace("<mark>", "").replace("</mark>", "")
    assert "NEEDLE 0" in found
    assert "NEEDLE 1" in found
    assert "Needle of old" not in found
    assert "<mark>Needle</mark> of old" in page(signed_in(), f"{PROMPTS}?q=needle&project__id__exact={old.id}")
