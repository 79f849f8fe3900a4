"""The operators' page: what it shows, and its buttons, which only operators may press."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from promptadmin.backups import last_proven
from promptadmin.models import LogEntry
from promptadmin.startup import run_steps
from promptadmin.step_record import STEPS, last_runs
from tests.platform.people import signed_in
from tests.projects.making import make_run

PAGE, BACKUP, STEP = "/admin/operations/", "/admin/operations/backup/", "/admin/operations/step/"
only_sqlite = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="tells of SQLite's file")


@pytest.fixture(autouse=True)
def own_data_directory(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "data"


def administrator() -> Client:
    """For tests outside of a transaction, which have no roles: the rows that migrations made are gone by then."""
    client = Client()
    client.force_login(User.objects.create_superuser("ada"))
    return client


@pytest.mark.django_db(transaction=True)
def test_it_shows_when_each_step_last_ran() -> None:
    run_steps(["cleanup_stale"])
    page = administrator().get(PAGE).content.decode()
    last = last_runs(connection)["cleanup_stale"]
    assert last.message == "nothing to do"
    assert f"{last.ran_at:%Y-%m-%d %H:%M}" in page
    assert "Nothing to do" in page
    assert "not needed so far" in page
    assert "Pending migrations</th><td>none" in page


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite's backups take no other program")
@pytest.mark.django_db
def test_it_says_why_no_backup_can_be_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without PostgreSQL's programs, or the right to make databases, the rest of the page is there."""
    client = signed_in("operator")
    monkeypatch.setenv("PATH", str(tmp_path))
    page = client.get(PAGE)
    assert page.status_code == 200
    assert "No backup can be made" in page.content.decode()
    assert "pg_dump" in page.content.decode()


@only_sqlite
@pytest.mark.django_db
def test_it_shows_the_file_and_its_settings() -> None:
    page = signed_in("operator").get(PAGE).content.decode()
    for expected in (
        "PRAGMA journal_mode</th><td>wal",
        "Write-ahead log",
        "SQLite",
        str(connection.settings_dict["NAME"]),
    ):
        assert expected in page


@pytest.mark.django_db
def test_a_dry_run_is_not_remembered() -> None:
    run_steps(["cleanup_stale"], dry_run=True)
    assert not last_runs(connection)


@pytest.mark.django_db(transaction=True)
def test_stale_runs_are_ended_by_a_button() -> None:
    old = make_run(status="running", created_at=timezone.now() - dt.timedelta(hours=2))
    new = make_run(status="running")
    answer = administrator().post(STEP, {"step": "cleanup_stale"}, follow=True)
    assert "Stale runs: 1 runs became errors." in answer.content.decode()
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.status, new.status) == ("error", "running")
    entry = LogEntry.objects.get(object_pk="cleanup_stale")
    assert (entry.by, entry.note) == ("user ada", "1 runs became errors")


@pytest.mark.django_db
def test_other_steps_have_no_button() -> None:
    client = signed_in("operator")
    for step in ("tables", "no such", ""):
        assert "There is no such button" in client.post(STEP, {"step": step}, follow=True).content.decode()
    assert not last_runs(connection)


@only_sqlite
@pytest.mark.django_db(transaction=True)
def test_a_backup_is_made_by_a_button(settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    client = administrator()
    assert "There is none yet." in client.get(PAGE).content.decode()
    answer = client.post(BACKUP, follow=True).content.decode()
    made = last_proven(tmp_path / "backups")
    assert made is not None
    assert f"Made and proved {made.name}." in answer
    assert "0.0 h" in answer
    assert LogEntry.objects.get(object_pk="backup").changes == {"backup": [None, made.name]}
    (tmp_path / "backups").chmod(0o700)
    settings.DATA_DIR = tmp_path / "a file"
    (tmp_path / "a file").write_text("")
    assert "can&#x27;t hold backups" in client.post(BACKUP, follow=True).content.decode()


@pytest.mark.django_db
def test_nobody_else_sees_or_presses_anything() -> None:
    make_run(status="running", created_at=timezone.now() - dt.timedelta(hours=2))
    for role in ("viewer", "editor"):
        client = signed_in(role)
        assert client.get(PAGE).status_code == 403
        assert client.post(BACKUP).status_code == client.post(STEP, {"step": "cleanup_stale"}).status_code == 403
        assert "/admin/operations/" not in client.get("/admin/").content.decode()
    operator = signed_in("operator")
    assert "/admin/operations/" in operator.get("/admin/").content.decode()
    assert operator.get(BACKUP).status_code == operator.get(STEP).status_code == 405
    careful = Client(enforce_csrf_checks=True)
    careful.cookies = operator.cookies
    assert careful.post(BACKUP).status_code == careful.post(STEP, {"step": "cleanup_stale"}).status_code == 403
    assert not last_runs(connection)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("content", ["", "[]", "{", '{"x": 1}'])
def test_a_record_that_says_nothing_is_begun_anew(settings: Settings, content: str) -> None:
    settings.DATA_DIR.mkdir()
    (settings.DATA_DIR / STEPS).write_text(content)
    assert last_runs(connection) == {}
    run_steps(["cleanup_stale"])
    assert last_runs(connection)["cleanup_stale"].message == "nothing to do"


@pytest.mark.django_db(transaction=True)
def test_a_record_that_cannot_be_written_keeps_no_step_from_running(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DATA_DIR.write_text("a file where the directory should be")
    assert run_steps(["cleanup_stale"])[0].result.message == "nothing to do"
    assert "can't be written" in caplog.text
