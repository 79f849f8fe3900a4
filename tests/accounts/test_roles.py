"""What viewers, editors and operators may do, by address: what a page doesn't offer must not work either."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from promptadmin.models import ApiToken, LogEntry
from tests.projects.making import make_project, make_prompt, make_run
from tests.support.people import signed_in

pytestmark = pytest.mark.django_db

TABLES = ("projects/project", "projects/prompt", "projects/promptversion", "optimizations/optimization")
PLATFORM = ("operations", "promptadmin/logentry", "promptadmin/apitoken", "promptadmin/apitoken/add")
ACCOUNTS = ("auth/user", "auth/user/add", "auth/group")


def statuses(client: Client, *paths: str) -> set[int]:
    return {client.get(f"/admin/{path}/").status_code for path in paths}


def test_the_roles_have_djangos_permissions() -> None:
    """The operators' are on the platform's tables, editors write what viewers see."""
    rights = {
        group.name: {f"{item.content_type.app_label}.{item.codename}" for item in group.permissions.all()}
        for group in Group.objects.all()
    }
    assert set(rights) == {"viewer", "editor", "operator"}
    assert rights["viewer"] == {
        "projects.view_project",
        "projects.view_prompt",
        "projects.view_promptversion",
        "optimizations.view_optimization",
        *(f"registry.view_{model}" for model in ("promptname", "label", "labelevent", "labelrule")),
        *("registry.view_promotionrequest", "registry.view_promptfetch", "comments.view_comment"),
    }
    assert rights["viewer"] < rights["editor"]
    assert {name.split(".")[0] for name in rights["editor"]} == {"projects", "optimizations", "registry", "comments"}
    assert rights["viewer"] < rights["operator"]
    assert {"promptadmin.run_maintenance", "promptadmin.view_operations"} < rights["operator"]


def test_pages_open_for_their_roles_only() -> None:
    viewer, editor, operator, nobody = (signed_in(role) for role in ("viewer", "editor", "operator", ""))
    assert viewer.get("/admin/").status_code == nobody.get("/admin/").status_code == 200
    assert statuses(viewer, *TABLES) == {200}
    assert statuses(editor, *TABLES, "projects/project/add") == {200}
    assert statuses(operator, *TABLES, *PLATFORM) == {200}
    assert statuses(viewer, *PLATFORM, *ACCOUNTS) == statuses(editor, *PLATFORM, *ACCOUNTS) == {403}
    assert statuses(operator, *ACCOUNTS) == {403}
    assert statuses(nobody, *TABLES, *PLATFORM, *ACCOUNTS) == {403}


def test_viewers_change_nothing_by_address() -> None:
    project = make_project(name="Support")
    prompt = make_prompt(project, "Answer.")
    run = make_run(prompt)
    client = signed_in("viewer")
    tries = {
        "/admin/projects/project/add/": {"name": "Mine"},
        f"/admin/projects/project/{project.id}/change/": {"name": "Mine"},
        f"/admin/projects/project/{project.id}/delete/": {"post": "yes"},
        f"/admin/projects/prompt/{prompt.id}/change/": {"content": "Mine"},
        f"/admin/projects/prompt/{prompt.id}/delete/": {"post": "yes"},
        f"/admin/optimizations/optimization/{run.id}/delete/": {"post": "yes"},
        "/admin/operations/backup/": {},
        "/admin/operations/step/": {"step": "cleanup_stale"},
        "/admin/promptadmin/apitoken/add/": {"name": "mine", "can_read": "on"},
    }
    answers = {path: client.post(path, data).status_code for path, data in tries.items()}
    assert set(answers.values()) == {403}, answers
    project.refresh_from_db()
    prompt.refresh_from_db()
    assert (project.name, project.status, prompt.content) == ("Support", "active", "Answer.")
    assert not ApiToken.objects.exists()
    assert not LogEntry.objects.filter(by="user viewer").exists()


def test_operators_make_tokens_and_edit_no_prompts() -> None:
    project = make_project(name="Support")
    client = signed_in("operator")
    assert client.post("/admin/promptadmin/apitoken/add/", {"name": "nightly", "can_read": "on"}).status_code == 302
    assert ApiToken.objects.values_list("created_by__username", flat=True).get() == "operator"
    assert client.post(f"/admin/projects/project/{project.id}/change/", {"name": "Mine"}).status_code == 403
    project.refresh_from_db()
    assert project.name == "Support"
