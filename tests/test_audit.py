"""The change log: every door's changes, with who made them, in the transaction of the change."""

from __future__ import annotations

import datetime as dt
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from auditlog.registry import auditlog
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from optimizations.models import Optimization
from optimizations.repository import OptimizationRepository
from projects.repository import ProjectRepository
from promptadmin.accounts.tokens import create_token
from promptadmin.audit import LONGEST, Change, record
from promptadmin.context import Actor, acting
from promptadmin.contrib.webhooks.models import Endpoint, new_secret
from promptadmin.db.sessions import write_session
from promptadmin.models import LogEntry
from tests.projects.making import make_project, make_prompt, make_run, make_version

pytestmark = pytest.mark.django_db


def entries(key: str) -> list[tuple[str, Any, str]]:
    """The log of one row, oldest first: action, changes, note."""
    found = LogEntry.objects.filter(object_pk=key).order_by("id")
    return [(entry.get_action_display(), entry.changes, entry.note) for entry in found]


def test_changes_by_token_name_the_token(client: Client) -> None:
    token, secret = create_token(name="nightly job", scopes=["read", "write"])
    project = make_project(name="Support")
    prompt = make_prompt(project, "Answer the customer.")
    answer = client.put(
        f"/api/projects/{project.id}/prompts/{prompt.id}",
        {"content": "Answer the customer kindly."},
        "application/json",
        headers={"Authorization": f"Bearer {secret}", "X-Request-ID": "request-7"},
        REMOTE_ADDR="192.0.2.7",
    )
    assert answer.status_code == 200, answer.content
    entry = LogEntry.objects.get(object_pk=prompt.id)
    assert entry.changes == {
        "content": ["Answer the customer.", "Answer the customer kindly."],
        "version": [1, 2],
    }
    assert (entry.by, entry.door) == (f"token {token.prefix} (nightly job)", "API")
    assert (entry.actor, entry.remote_addr, entry.cid) == (None, "192.0.2.7", "request-7")


def test_changes_by_staff_name_the_user(admin_client: Client, admin_user: User) -> None:
    project = make_project(name="Support")
    answer = admin_client.post(f"/api/projects/{project.id}/archive", headers={"Origin": "http://testserver"})
    assert answer.status_code == 200, answer.content
    entry = LogEntry.objects.get(object_pk=project.id)
    assert (entry.by, entry.door, entry.actor) == ("user admin", "API", admin_user)
    assert entry.changes == {"status": ["active", "archived"]}


def test_changes_by_commands_name_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["manage.py", "tidy_up"])
    monkeypatch.setattr("getpass.getuser", lambda: "anna")
    with write_session():
        project = ProjectRepository().create_project(name="Made by a command")
    entry = LogEntry.objects.get(object_pk=project.id)
    assert (entry.by, entry.door) == ("tidy_up by anna", "command")
    with acting(Actor("an agent", "MCP")), write_session():
        ProjectRepository().archive_project(project_id=project.id)
    assert LogEntry.objects.filter(object_pk=project.id).latest("id").by == "an agent"


def test_what_is_refused_or_rolled_back_is_not_in_the_log() -> None:
    project = make_project()
    with write_session():
        ProjectRepository().update_project(project_id=project.id, name="other")
        transaction.set_rollback(True)
    with write_session():
        ProjectRepository().update_project(project_id=project.id, name=project.name)
    assert entries(project.id) == []


def test_projects_and_prompts_are_logged_from_beginning_to_end() -> None:
    repository = ProjectRepository()
    key = repository.create_project(name="Support", description="Answers").id
    first = repository.add_prompt(project_id=key, content="one").id
    second = repository.add_prompt(project_id=key, content="two").id
    repository.update_prompt(prompt_id=first, content="uno")
    repository.restore_version(prompt_id=first, version=1)
    repository.reorder_prompts(project_id=key, prompt_ids=[second, first])
    make_run(None, project="Support")
    repository.delete_prompt(prompt_id=second)
    repository.delete_project(project_id=key)
    made = {"name": [None, "Support"], "description": [None, "Answers"]}
    order = {"order of prompts": [f"{first}, {second}", f"{second}, {first}"]}
    gone = "with 1 prompt, 2 earlier versions and 1 run, which are gone"
    assert entries(key) == [
        ("create", made, ""),
        ("update", order, ""),
        ("update", {"status": ["active", "deleted"]}, gone),
    ]
    assert [action for action, _, _ in entries(first)] == ["create", "update", "update"]
    assert entries(first)[-1][1] == {"content": ["uno", "one"], "version": [2, 3], "restored version": [None, 1]}
    assert entries(second)[-1][0] == "delete"


def test_edits_and_deletions_of_runs_are_logged_and_new_ones_are_not() -> None:
    repository = OptimizationRepository()
    key = repository.record_run({"raw_prompt": "Say it.", "project": "Support", "status": "running"})["id"]
    assert not LogEntry.objects.filter(object_pk=key).exists()
    repository.change_run(key, {"title": "Saying"})
    repository.tag_run(key, add=["a", "b"])
    repository.tag_run(key, add=["a"])
    repository.cancel_run(key)
    repository.delete_run(key)
    actions = entries(key)
    assert [changes for _, changes, _ in actions[:3]] == [
        {"title": [None, "Saying"]},
        {"tags": [None, "['a', 'b']"]},
        {"status": ["running", "cancelled"]},
    ]
    action, changes, _ = actions[3]
    assert (action, changes["raw_prompt"], changes["title"]) == ("delete", ["Say it.", None], ["Saying", None])

    runs = [make_run(raw_prompt="x" * 10_000) for _ in range(3)]
    repository.delete_runs([runs[0].id, "unknown"])
    assert len(entries(runs[0].id)[0][1]["raw_prompt"][0]) <= LONGEST + 40
    repository.mark_stale([make_run(status="running").id])
    repository.delete_all_runs()
    assert not Optimization.objects.exists()
    assert entries("*") == [("delete", {}, "all 3 runs")]


def test_a_long_text_is_kept_in_part() -> None:
    project = make_project()
    prompt = make_prompt(project, "a" * 1_000_000)
    make_version(prompt, 0)
    ProjectRepository().update_prompt(prompt_id=prompt.id, content="<script>alert(1)</script>")
    before, after = entries(prompt.id)[0][1]["content"]
    assert before == "a" * LONGEST + "… (1,000,000 characters in all)"
    assert after == "<script>alert(1)</script>"


def test_users_groups_and_tokens_are_logged_without_their_secrets(admin_client: Client) -> None:
    user = User.objects.create_user("vera", password="correct horse")
    user.groups.add(Group.objects.get(name="viewer"))
    user.set_password("battery staple")
    user.save()
    found = LogEntry.objects.get_for_object(user).order_by("id")
    assert [entry.get_action_display() for entry in found] == ["create", "update", "update"]
    assert found[1].changes["groups"]["objects"] == ["viewer"]
    assert [entry.changes["password"] for entry in found if "password" in entry.changes] == [
        ["None", "********"],
        ["********", "********"],
    ]
    admin_client.post("/admin/promptadmin/apitoken/add/", {"name": "nightly", "can_read": "on"})
    token = LogEntry.objects.get(object_repr__startswith="nightly")
    assert (token.by, token.door) == ("user admin", "admin")
    assert "digest" not in token.changes


def test_no_part_of_a_secret_is_in_the_log_whichever_model_has_it() -> None:
    """By the column's name, also where an application registers its model without a mask, or records it itself."""
    endpoint = Endpoint.objects.create(name="x", url="https://example.com/")
    secret = endpoint.secret
    endpoint.secret = new_secret()
    endpoint.save()
    endpoint.delete()
    auditlog.register(Session)
    try:
        Session.objects.create(session_key="0123456789abcdef", session_data="signed", expire_date=timezone.now())
    finally:
        auditlog.unregister(Session)
    names = ("digest", "api_key", "old_password", "input_tokens")
    with write_session() as session:
        record(Change(model=Group, key="1", title="x", after=dict.fromkeys(names, 5)), using=session.alias)
    logged = str(list(LogEntry.objects.values_list("changes", flat=True)))
    for text in (secret[len(secret) // 2 :], endpoint.secret[len(secret) // 2 :], "9abcdef", "signed"):
        assert text not in logged
    logged_by_us = LogEntry.objects.get(object_repr="x", content_type__model="group").changes
    assert logged_by_us == {**{name: [None, "********"] for name in names[:3]}, "input_tokens": [None, 5]}


def test_what_earlier_releases_left_of_secrets_is_taken_out() -> None:
    """The second half of a password's digest, and of a webhook's secret."""
    user = User.objects.create_user("vera", password="correct horse")
    entry = LogEntry.objects.get_for_object(user).get()
    kept = {**entry.changes, "password": ["None", "*****$digest"]}
    LogEntry.objects.filter(pk=entry.pk).update(changes=kept)
    migration = import_module("promptadmin.migrations.0008_secrets_out_of_the_log")
    migration.mask(apps, SimpleNamespace(connection=connection))
    entry.refresh_from_db()
    assert entry.changes == {**kept, "password": ["None", "********"]}


def test_a_new_installation_has_a_log_of_its_first_user_by_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_api_token", "a program")
    assert LogEntry.objects.get(object_repr__startswith="a program").door == "command"
    assert "pa_" in capsys.readouterr().out


def test_old_entries_can_be_flushed(capsys: pytest.CaptureFixture[str]) -> None:
    repository = ProjectRepository()
    key = repository.create_project(name="Old").id
    LogEntry.objects.filter(object_pk=key).update(timestamp=dt.datetime(2020, 1, 2, tzinfo=dt.UTC))
    repository.archive_project(project_id=key)
    call_command("auditlogflush", "--yes", "--before-date", "2021-01-01")
    assert [action for action, _, _ in entries(key)] == ["update"]
    assert "1" in capsys.readouterr().out
