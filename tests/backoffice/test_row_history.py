"""The history of a row, and the change log's list."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from projects.repository import ProjectRepository
from promptadmin.backoffice.row_history import ENTRIES_PER_PAGE
from promptadmin.context import Actor, acting
from promptadmin.db.sessions import write_session
from promptadmin.models import LogEntry
from tests.projects.making import make_project, make_prompt, make_run
from tests.support.people import signed_in

pytestmark = pytest.mark.django_db

SCRIPT = "<script>alert(1)</script>"
LOG = "/admin/promptadmin/logentry/"


def test_a_prompts_history_shows_before_and_after_to_viewers() -> None:
    prompt = make_prompt(make_project(), "Answer.")
    with acting(Actor("an agent", "MCP", address="192.0.2.7")), write_session():
        ProjectRepository().update_prompt(prompt_id=prompt.id, content=SCRIPT)
    page = signed_in("viewer").get(f"/admin/projects/prompt/{prompt.id}/history/").content.decode()
    for expected in (
        "an agent",
        "MCP from 192.0.2.7",
        "<bdi>Answer.</bdi>",
        "<bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi>",
    ):
        assert expected in page
    assert SCRIPT not in page


def test_every_kind_of_row_has_a_history() -> None:
    project = make_project(name="Support")
    run = make_run(make_prompt(project))
    client = signed_in("viewer")
    for path in (f"projects/project/{project.id}", f"optimizations/optimization/{run.id}"):
        page = client.get(f"/admin/{path}/history/")
        assert "Nothing is on record yet" in page.content.decode(), path
    missing = client.get("/admin/projects/project/no-such/history/", follow=True)
    assert missing.redirect_chain
    assert signed_in("").get(f"/admin/projects/project/{project.id}/history/").status_code == 403
    assert client.get(f"/admin/auth/user/{User.objects.get(username='viewer').pk}/history/").status_code == 403


def test_a_long_history_has_pages() -> None:
    project = make_project(name="name 0")
    with write_session():
        for number in range(1, ENTRIES_PER_PAGE + 3):
            ProjectRepository().update_project(project_id=project.id, name=f"name {number}")
    client = signed_in("viewer")
    first, second = (
        client.get(f"/admin/projects/project/{project.id}/history/?p={p}").content.decode() for p in (1, 2)
    )
    assert "Page 1 of 2" in first
    assert "<bdi>name 0</bdi>" in second
    assert "<bdi>name 0</bdi>" not in first


def test_operators_find_changes_by_title_table_and_door() -> None:
    with write_session():
        kept = ProjectRepository().create_project(name=f"Kept {SCRIPT}")
        gone = ProjectRepository().create_project(name="Gone")
        ProjectRepository().delete_project(project_id=gone.id)
    client = signed_in("operator")
    page = client.get(LOG).content.decode()
    assert SCRIPT not in page
    assert f"/admin/projects/project/{kept.id}/change/" in page
    found = client.get(LOG, {"q": "Gone"}).content.decode()
    assert "Gone" in found
    assert "Kept" not in found
    assert "Gone" not in client.get(LOG, {"door": "API"}).content.decode()
    table = LogEntry.objects.get(object_pk=kept.id).content_type_id
    assert "Gone" in client.get(LOG, {"table": table}).content.decode()
    assert client.get(LOG, {"table": "x"}).status_code == 200
    entry = LogEntry.objects.filter(object_pk=gone.id).latest("id")
    detail = client.get(f"{LOG}{entry.pk}/change/").content.decode()
    assert "with 0 prompts" in detail.lower()
    assert client.post(f"{LOG}{entry.pk}/change/", {"note": "changed"}).status_code == 403
    assert client.post(f"{LOG}{entry.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get(f"{LOG}add/").status_code == 403
