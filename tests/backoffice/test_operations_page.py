"""The operators' page: what it shows, and its buttons, which only operators may press."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
import re
import tarfile
import time
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from promptadmin.models import LogEntry
from promptadmin.ops.backups.engines import store_of, target_of
from promptadmin.ops.backups.errors import BackupError
from promptadmin.ops.backups.making import make_backup
from promptadmin.ops.backups.process import BROKEN_OFF, UNDER_WAY, BackupProcess
from promptadmin.ops.backups.store import open_backup
from promptadmin.ops.startup.run_log import EARLIER_RUNS, STEPS, kept_runs, last_runs
from promptadmin.ops.startup.sequence import run_steps
from tests.projects.making import make_run
from tests.support.people import make_staff, signed_in
from tests.support.processes import environment

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


@pytest.mark.django_db(transaction=True)
def test_earlier_starts_are_kept_with_what_they_changed(settings: Settings) -> None:
    """A record of an earlier release, which kept the last run alone, is taken over."""
    make_run(status="running", created_at=timezone.now() - dt.timedelta(hours=2))
    run_steps(["cleanup_stale"])
    kept = Path(settings.DATA_DIR) / STEPS
    [(database, runs)] = json.loads(kept.read_text()).items()
    kept.write_text(json.dumps({database: {name: each[0] for name, each in runs.items()}}))
    run_steps(["cleanup_stale"])
    assert [run.changed for run in kept_runs(connection)["cleanup_stale"]] == [0, 1]
    page = administrator().get(PAGE).content.decode()
    assert "The last 2 starts" in page
    assert "Stale runs: 1 run became an error" in page
    for _ in range(EARLIER_RUNS):
        run_steps(["cleanup_stale"])
    assert len(kept_runs(connection)["cleanup_stale"]) == EARLIER_RUNS


@pytest.mark.django_db(transaction=True)
def test_what_another_release_wrote_of_one_step_hides_no_other(settings: Settings) -> None:
    run_steps(["cleanup_stale"])
    kept = Path(settings.DATA_DIR) / STEPS
    [(database, runs)] = json.loads(kept.read_text()).items()
    kept.write_text(json.dumps({database: runs | {"of_old": {"when": 1}, "odd": 7}}))
    assert [*last_runs(connection)] == ["cleanup_stale"]
    kept.write_text(json.dumps({database: ["odd"]}))
    assert not last_runs(connection)
    run_steps(["cleanup_stale"])
    assert [*last_runs(connection)] == ["cleanup_stale"]


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
    assert "Stale runs: 1 run became an error." in answer.content.decode()
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.status, new.status) == ("error", "running")
    entry = LogEntry.objects.get(object_pk="cleanup_stale")
    assert (entry.by, entry.note) == ("user ada", "1 run became an error")


@pytest.mark.django_db
def test_other_steps_have_no_button() -> None:
    client = signed_in("operator")
    for step in ("tables", "no such", ""):
        assert "There is no such button" in client.post(STEP, {"step": step}, follow=True).content.decode()
    assert not last_runs(connection)


@pytest.fixture
def backups_of_this_file(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the process that a button starts keeps its backups of the tests' database."""
    url = f"sqlite:///{connection.settings_dict['NAME']}"
    settings.DATA_DIR = tmp_path / "data"
    for name, value in environment(DATABASE_URL=url, PROMPTADMIN_DATA_DIR=str(settings.DATA_DIR)).items():
        monkeypatch.setenv(name, value)
    return tmp_path / "data" / "backups"


def page_afterwards(client: Client) -> str:
    """The page once no backup is under way any more."""
    until = time.monotonic() + 60
    while "A backup is being made</strong>" in (page := client.get(PAGE).content.decode()):
        assert time.monotonic() < until
        time.sleep(0.1)
    return page


@only_sqlite
@pytest.mark.django_db(transaction=True)
def test_a_backup_is_started_by_a_button(backups_of_this_file: Path) -> None:
    """The request doesn't wait for it; while it runs no other one begins; then the page says what was made."""
    client = administrator()
    assert "There is none yet." in client.get(PAGE).content.decode()
    began = client.post(BACKUP, follow=True).content.decode()
    assert "A backup is being made</strong> since" in began
    assert "Make a backup now" not in began
    assert UNDER_WAY in client.post(BACKUP, follow=True).content.decode()
    with pytest.raises(BackupError, match="under way"):
        BackupProcess("default")
    page = page_afterwards(client)
    headings = re.findall(r"<h2 id[^>]*>([^<]+)", page)
    assert headings == ["Backups", "State", "Start-up steps", "Upkeep", "Database"]
    made = store_of(connection, backups_of_this_file).last_proven()
    assert made is not None
    assert f"Made and proved {made.directory.name}." in page
    assert "proven" in page[page.index("<tbody>") : page.index(made.directory.name)]
    assert "Make a backup now" in page
    assert [path.name for path in backups_of_this_file.iterdir()] == [made.directory.name]
    assert LogEntry.objects.get(object_pk="backup").changes == {"backup": [None, "started"]}


@only_sqlite
@pytest.mark.django_db(transaction=True)
def test_a_backup_is_downloaded_as_what_restoredb_takes(backups_of_this_file: Path, tmp_path: Path) -> None:
    make_backup(connection, compression="zstd")
    made = store_of(connection, backups_of_this_file).last_proven()
    assert made is not None
    client, address = administrator(), f"{BACKUP}{made.directory.name}/"
    assert address in client.get(PAGE).content.decode()
    answer = client.post(address, headers={"accept-encoding": "gzip"})
    content = b"".join(answer)
    answer.close()
    assert answer["Content-Length"] == str(len(content))
    assert answer["Content-Disposition"] == f'attachment; filename="{made.directory.name}.tar"'
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(tmp_path / "elsewhere", filter="data")
    target_of(connection).drill(open_backup(tmp_path / "elsewhere" / made.directory.name), lambda line: None)
    assert LogEntry.objects.get(object_repr=f"{made.directory.name}.tar").by == "user ada"
    assert client.get(address).status_code == 405
    assert client.post(f"{BACKUP}no-such-backup/").status_code == 404
    client.force_login(make_staff())
    assert client.post(address).status_code == 403

    (made.directory / "manifest.json").write_text("{}")
    client.force_login(User.objects.get(username="ada"))
    assert f"{made.directory.name} is not whole" in client.get(PAGE).content.decode()
    assert client.post(address).status_code == 404


@only_sqlite
@pytest.mark.django_db(transaction=True)
def test_the_copies_made_before_a_change_are_listed_and_downloaded() -> None:
    path = Path(connection.settings_dict["NAME"])
    stamp = "20260102T030405000006Z"
    copies = [path.with_name(f"{path.name}.before-{why}-{stamp}.db") for why in ("promptadmin", "restore", "lunch")]
    client = administrator()
    try:
        for copy in copies:
            copy.write_bytes(copy.name.encode())
        page = client.get(PAGE).content.decode()
        assert "2026-01-02 03:04" in page
        assert "before the file was adopted" in page
        assert "before a backup was restored" in page
        for copy in copies[:2]:
            with contextlib.closing(client.post(f"{BACKUP}{copy.name}/")) as answer:
                assert b"".join(answer) == copy.name.encode()
        assert client.post(f"{BACKUP}{copies[2].name}/").status_code == 404
    finally:
        for copy in copies:
            copy.unlink(missing_ok=True)


@only_sqlite
@pytest.mark.django_db(transaction=True)
def test_the_page_says_why_a_backup_failed(backups_of_this_file: Path, settings: Settings) -> None:
    client = administrator()
    backups_of_this_file.parent.mkdir()
    backups_of_this_file.write_text("a file where the directory should be")
    client.post(BACKUP)
    page = page_afterwards(client)
    assert "backups can&#x27;t be used" in page
    assert "name another place" in page
    assert "Made and proved" not in page
    settings.DATA_DIR = backups_of_this_file
    assert "can&#x27;t be written" in client.post(BACKUP, follow=True).content.decode()


@only_sqlite
@pytest.mark.django_db(transaction=True)
def test_the_page_tells_of_a_backup_whose_server_was_killed(
    backups_of_this_file: Path,
) -> None:
    client = administrator()
    process = BackupProcess("default")
    with process._process as child:
        child.kill()
    assert "A backup is being made</strong>" in client.get(PAGE).content.decode()
    process._lock.close()  # as the system does for a process that is gone
    assert BROKEN_OFF in client.get(PAGE).content.decode()
    client.post(BACKUP)
    assert "Made and proved" in page_afterwards(client)


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
