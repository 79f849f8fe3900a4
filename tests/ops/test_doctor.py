"""The doctor finds each thing that it looks for, changes nothing, and answers with a verdict."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core import checks
from django.core.checks.registry import registry
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import override_settings

from promptadmin.db.sqlite import pragmas
from promptadmin.ops.backups.making import make_backup
from promptadmin.ops.backups.room import MARGIN
from promptadmin.ops.backups.store import PARTIAL, Store
from promptadmin.ops.doctor import examining
from promptadmin.ops.doctor.checks import sqlite_file
from promptadmin.ops.doctor.examining import doctor_checks, examine
from promptadmin.ops.startup.sequence import run_startup
from promptadmin.plugins.isolation import failures, isolate_plugin_errors
from tests.conftest import OpenDatabase, OpenFile
from tests.ops.test_backup import execute
from tests.support import file_contents
from tests.support.django_databases import postgresql_config
from tests.support.processes import Scratch
from tests.support.services import needs_postgresql, postgresql_database

MOMENT = "'2025-01-01 00:00:00.000000'"
PROJECT = (
    f"INSERT INTO projects (id, name, status, created_at, updated_at) VALUES ('j', 'j', 'active', {MOMENT}, {MOMENT})"
)
TOKEN = (
    "INSERT INTO promptadmin_apitoken (name, prefix, digest, can_read, can_write, can_admin, created_at) "
    f"VALUES ('nightly', 'abcd', 'x', 1, 0, 0, {MOMENT})"
)


def prompt(key: str, *, place: int = 0, version: int = 9, project: str = "j", at: str = MOMENT) -> str:
    return f"INSERT INTO prompts VALUES ('{key}', 'text', {version}, '{project}', {place}, {at}, {MOMENT})"


def version(key: str, number: int) -> str:
    return f"INSERT INTO prompt_versions VALUES ('{key}', 'p', {number}, 'text', NULL, {MOMENT})"


Findings = dict[str, list[checks.CheckMessage]]
Doctor = Callable[..., Findings]


@pytest.fixture
def file(tmp_path: Path, new_file: bytes) -> Path:
    directory = tmp_path / "place"
    directory.mkdir(mode=0o700)
    path = directory / "promptadmin.db"
    path.write_bytes(new_file)
    path.chmod(0o600)
    return path


@pytest.fixture
def doctor(open_file: OpenFile, file: Path) -> Doctor:
    """Examines the file after some SQL, with its directory as the data directory; returns what isn't fine, by id."""

    def examined(*statements: str, full: bool = False, path: Path = file) -> Findings:
        if statements:
            execute(file, *statements)
        with open_file(path) as connection, override_settings(DATA_DIR=path.parent):
            results = examine(connection, full=full)
        return {
            result.check.id: found
            for result in results
            if (found := [message for message in result.messages if message.level > checks.DEBUG])
        }

    return examined


def test_a_new_database_lacks_only_a_backup(doctor: Doctor, file: Path) -> None:
    """And, where it is so, a SQLite without the known bug."""
    before = file_contents.listing(file.parent)
    findings = doctor()
    findings.pop("D102", None)
    assert list(findings) == ["D401"]
    assert "there is none" in findings["D401"][0].msg
    assert file_contents.listing(file.parent) == before


@pytest.mark.parametrize(
    ("statements", "key", "severity", "message"),
    [
        (
            [prompt("p", project="nowhere")],
            "D202",
            checks.ERROR,
            "prompts.project_id: 1 link to a row that doesn't exist",
        ),
        (
            ["CREATE TABLE extra (x REFERENCES projects (id))", "INSERT INTO extra VALUES ('nowhere')"],
            "D202",
            checks.ERROR,
            "extra: 1 link ",
        ),
        (
            [PROJECT, "UPDATE projects SET context_profile = '{'"],
            "D203",
            checks.WARNING,
            "projects.context_profile: 1 text that isn't JSON",
        ),
        (
            [PROJECT, prompt("p", at="'2999-01-01T00:00:00'")],
            "D204",
            checks.WARNING,
            "prompts.created_at: 1 row dated after now",
        ),
        (
            ["UPDATE django_migrations SET applied = '2999-01-01 00:00:00' WHERE id = 1"],
            "D205",
            checks.WARNING,
            "the last migration is of 2999-01-01",
        ),
        (
            ["DELETE FROM django_migrations WHERE app = 'sessions'"],
            "D201",
            checks.ERROR,
            "1 pending migration: sessions.0001_initial",
        ),
        (
            ["INSERT INTO django_migrations VALUES (9999, 'projects', '9999_later', '2025-01-01')"],
            "D201",
            checks.WARNING,
            "unknown to this release: projects.9999_later",
        ),
        ([TOKEN], "D301", checks.WARNING, "1 token without an end: nightly"),
        ([PROJECT, prompt("p"), prompt("q")], "P001", checks.WARNING, "1 place in projects with more than one prompt"),
        (
            [PROJECT, prompt("p"), version("v", 1), version("w", 1)],
            "P002",
            checks.WARNING,
            "1 version number that is used more than once",
        ),
        ([PROJECT, prompt("p"), version("v", 9)], "P002", checks.WARNING, "1 earlier version "),
    ],
)
def test_what_is_wrong_in_the_rows_is_found(
    doctor: Doctor, file: Path, statements: list[str], key: str, severity: int, message: str
) -> None:
    findings = doctor(*statements)
    assert [message.level for message in findings[key]] == [severity]
    assert message in findings[key][0].msg
    assert findings[key][0].hint
    assert {"D102", "D206", "D401", key} >= {
        other for other, found in findings.items() if found[0].level > examining.SKIPPED
    }


def test_what_looks_wrong_but_is_not(doctor: Doctor) -> None:
    today = f"'{dt.datetime.now(dt.UTC):%Y-%m-%dT00:00:00}'"
    findings = doctor(
        PROJECT,
        prompt("p", at=today),  # sorts after now, because of its T
        prompt("q", place=1, at="'no time at all'"),
        "UPDATE projects SET context_profile = ''",
        "INSERT INTO optimizations (id, created_at, raw_prompt, status, tags) "
        f"VALUES ('o', {MOMENT}, 'x', 'completed', 'null')",
    )
    assert not set(findings) - {"D102", "D401"}


@pytest.mark.parametrize(("mode", "severity"), [(0o644, checks.WARNING), (0o666, checks.ERROR)])
@pytest.mark.parametrize("name", ["promptadmin.db", "promptadmin.db-wal", "promptadmin.db-shm", "secret_key"])
def test_open_permissions_are_found(doctor: Doctor, file: Path, name: str, mode: int, severity: int) -> None:
    path = file.with_name(name)
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as server:
        server.execute("CREATE TABLE notes (x)")
        path.touch()
        path.chmod(mode)
        found = doctor()["D002"]
    assert [finding.level for finding in found] == [severity]
    assert f"{path} has mode {mode:04o} instead of 0600" in found[0].msg


def test_a_directory_that_others_may_write_is_an_error(doctor: Doctor, file: Path) -> None:
    file.parent.chmod(0o777)
    assert {finding.level for finding in doctor()["D002"]} == {checks.ERROR}


def test_the_last_backup_its_age_its_bytes_and_its_permissions(
    doctor: Doctor, open_file: OpenFile, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_file(file) as connection:
        backup = make_backup(connection, file.parent / "backups").backup
    assert "D401" not in doctor()
    content = backup.file.read_bytes()
    backup.file.write_bytes(content[:-1] + b"\xff")
    backup.file.chmod(0o644)
    Store(backup.directory.parent, str(file)).new_partial()
    findings = doctor(full=True)
    assert findings["D401"][0].level == checks.ERROR
    assert findings["D003"][0].level == checks.WARNING
    assert PARTIAL in findings["D402"][0].msg
    monkeypatch.setattr(settings, "BACKUP_EVERY", dt.timedelta(0))
    assert "hours old" in doctor()["D401"][0].msg


def test_a_damaged_file_is_found(doctor: Doctor, file: Path) -> None:
    content = bytearray(file.read_bytes())
    with sqlite3.connect(file) as raw:
        page = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ix_projects_status'").fetchone()[0]
    raw.close()
    content[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    file.write_bytes(content)
    found = doctor()["D104"][0]
    assert found.level == checks.ERROR
    assert "restoredb" in str(found.hint)


@pytest.mark.parametrize(("times", "severity"), [(0.5, checks.ERROR), (1.5, checks.WARNING)])
def test_a_disk_without_room_for_a_backup_is_found(
    doctor: Doctor, file: Path, monkeypatch: pytest.MonkeyPatch, times: float, severity: int
) -> None:
    free = int((file.stat().st_size + MARGIN) * times)
    usage = shutil.disk_usage(file)._replace(free=free)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    found = doctor()["D004"]
    assert [finding.level for finding in found] == [severity]
    assert f"{free // sqlite_file.MEBIBYTE} MiB are free" in found[0].msg
    assert "Make room" in str(found[0].hint)


def test_a_long_log_is_found(doctor: Doctor, file: Path) -> None:
    """As long as a reader keeps SQLite from emptying it; a sparse one will do, and belongs to no connection."""
    log = file.with_name(f"{file.name}-wal")
    with log.open("wb") as long:
        long.truncate(sqlite_file.LONG_LOG + 1)
    log.chmod(0o600)
    found = doctor()["D103"]
    assert [(finding.level, finding.msg) for finding in found] == [(checks.WARNING, "256 MiB")]
    assert "Restart the server" in str(found[0].hint)


def test_a_plugin_that_can_not_work_or_has_failed_is_found(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    with isolate_plugin_errors("projects", "the panel numbers"):
        raise RuntimeError("on purpose")
    found = doctor()["D302"]
    assert [(finding.level, finding.msg) for finding in found] == [
        (checks.WARNING, "projects: the panel numbers failed 1 time since this process started")
    ]
    monkeypatch.setattr(type(apps.get_app_config("projects")), "api_router", "projects.nowhere.router")
    broken = doctor()["D302"][0]
    assert broken.level == checks.ERROR
    assert "plugins.E004: Plugin 'projects': api_router names 'projects.nowhere.router'" in broken.msg


def test_settings_are_read_back(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(pragmas.PRAGMAS, "foreign_keys", "OFF")
    found = doctor()["D101"]
    assert [f.msg for f in found] == ["PRAGMA foreign_keys is 0, not 1"]


@pytest.mark.parametrize("content", [None, b"", b"not a database, but long enough", "rollback journal"])
def test_what_can_not_be_opened_is_one_error_and_stays_as_it_is(
    doctor: Doctor, file: Path, content: bytes | str | None
) -> None:
    if content is None:
        file.unlink()
    elif isinstance(content, bytes):
        file.write_bytes(content)
    else:
        execute(file, "PRAGMA journal_mode=DELETE")
    before = file_contents.listing(file.parent)
    findings = doctor()
    assert findings["D001"][0].level == checks.ERROR
    assert findings["D202"][0].level == examining.SKIPPED
    assert file_contents.listing(file.parent) == before


def test_a_log_that_a_killed_server_left_stays(scratch: Scratch, new_file: bytes) -> None:
    scratch.database.write_bytes(new_file)
    code = (
        "import os, sqlite3, sys; d = sqlite3.connect(sys.argv[1], isolation_level=None); "
        "d.execute('PRAGMA journal_mode=WAL'); d.execute('CREATE TABLE notes (x)'); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(scratch.database)], check=False, timeout=30)
    log = scratch.database.with_name(f"{scratch.database.name}-wal")
    before = file_contents.digest(scratch.database), file_contents.digest(log)
    done = scratch.manage("doctor", "--json")
    assert done.returncode in {1, 2}, done.stderr
    assert (file_contents.digest(scratch.database), file_contents.digest(log)) == before


Register = Callable[..., None]


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Register:
    """Registers a function as a plugin does, for one test."""
    doctor_checks()
    monkeypatch.setattr(registry, "deployment_checks", set(registry.deployment_checks))

    def registered(function: Callable[..., Any], *tags: str) -> None:
        checks.register(function, "doctor", *tags, deploy=True)

    return registered


def test_what_takes_too_long_is_left_to_full(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, register: Register
) -> None:
    """A query is interrupted; what was found until then counts."""
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT MAX(i) FROM n"
    )

    def slow(databases: list[str], **kwargs: Any) -> Any:
        """X001: Slow."""
        yield checks.Warning("found at once", id="X001")
        with connections[databases[0]].cursor() as cursor:
            cursor.execute(endless)

    monkeypatch.setattr(examining, "SECONDS", 0.2)
    register(slow, checks.Tags.database)
    began = time.monotonic()
    first, last = doctor()["X001"]
    assert time.monotonic() - began < 10
    assert (first.msg, last.level) == ("found at once", checks.INFO)
    assert str(last.hint).startswith("Run `promptadmin doctor --full`,")


def test_a_check_that_fails_is_a_finding_and_the_others_go_on(doctor: Doctor, register: Register) -> None:
    def broken(**kwargs: Any) -> Any:
        """A001: Broken."""
        raise RuntimeError("on purpose")

    def writing(databases: list[str], **kwargs: Any) -> Any:
        """A002: Writing."""
        with connections[databases[0]].cursor() as cursor:
            cursor.execute("DELETE FROM projects")

    register(broken, checks.Tags.database)
    register(writing, checks.Tags.database)
    findings = doctor()
    assert findings["A001"][0].msg == "this couldn't be checked: on purpose"
    assert "readonly" in findings["A002"][0].msg
    assert "D401" in findings


def test_a_check_that_needs_a_missing_table_waits_for_the_migrations(doctor: Doctor) -> None:
    statements = ["DROP TABLE promptadmin_apitoken", "DELETE FROM django_migrations WHERE app = 'promptadmin'"]
    found = doctor(*statements)
    assert found["D201"][0].level == checks.ERROR
    assert (found["D301"][0].level, found["D301"][0].msg) == (examining.SKIPPED, "migrations are pending, see D201")


@pytest.mark.django_db
def test_a_check_as_django_knows_it_is_one_of_the_doctors(
    register: Register, scratch: Scratch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without any of our conventions; and none of the doctor's checks runs with Django's own command."""

    def check_words(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
        return [checks.Critical("Words are missing.", hint="Add some.", id="word_counts.E001")]

    register(check_words)
    assert [check.id for check in doctor_checks()][-1] == "check_words"
    with pytest.raises(SystemExit) as ended:
        call_command("doctor")
    assert ended.value.code == 2
    assert "error    word_counts.E001 check_words: Words are missing.\n" in capsys.readouterr().out
    done = scratch.manage("check")
    assert (done.returncode, "D001" in done.stdout + done.stderr) == (0, False)


def test_a_module_of_checks_that_cannot_be_loaded_is_a_finding(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str) -> None:
        if name == "projects.doctor":
            raise RuntimeError("on purpose")

    monkeypatch.setattr(examining, "find_spec", find)
    monkeypatch.setitem(failures, ("projects", "its module projects.doctor"), 0)
    told = [message.msg for message in doctor()["D302"]]
    assert "projects: its module projects.doctor failed 1 time since this process started" in told


def test_ids_are_unique_and_every_check_explains_itself() -> None:
    found = doctor_checks()
    ids = [check.id for check in found]
    assert ids[:1] == ["D001"]
    assert {"P001", "P002"} <= set(ids)  # from the plugin's own module
    assert len(ids) == len(set(ids))
    for check in found:
        assert check.title
        assert len(check.explanation) > 40, check.id


def test_the_command_answers_with_its_exit_code(scratch: Scratch, new_file: bytes) -> None:
    scratch.database.write_bytes(new_file)
    scratch.directory.chmod(0o700)
    scratch.database.chmod(0o600)
    document = json.loads((done := scratch.manage("doctor", "--json")).stdout)
    assert (done.returncode, document["exit_code"], document["verdict"]) == (1, 1, "warnings")
    assert {"id", "title", "severity", "message", "advice"} == set(document["findings"][0])
    scratch.database.unlink()
    done = scratch.manage("doctor")
    assert done.returncode == 2
    assert "error    D001" in done.stdout
    assert "Verdict: 2 errors" in done.stdout
    assert not scratch.database.exists()


def test_the_command_explains(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("doctor", explain="d103")
    assert capsys.readouterr().out.startswith("D103: The write-ahead log\n")
    with pytest.raises(CommandError, match="D001, D002"):
        call_command("doctor", explain="D999")


@needs_postgresql
def test_postgresql_is_examined_too(open_database: OpenDatabase, tmp_path: Path) -> None:
    with postgresql_database() as url, open_database(postgresql_config(url)) as connection:
        run_startup(using=connection.alias)
        with connection.cursor() as cursor:
            for statement in (
                PROJECT,
                prompt("p"),
                prompt("q", at="'2999-01-01'"),
                TOKEN.replace("1, 0, 0", "true, false, false"),
            ):
                cursor.execute(statement)
            cursor.execute("UPDATE projects SET context_profile = '{'")
        tmp_path.chmod(0o700)
        with override_settings(DATA_DIR=tmp_path):
            results = examine(connection)
        found = {result.check.id: result.severity for result in results if result.severity != "ok"}
        assert found == dict.fromkeys(("D203", "D204", "D301", "D401", "P001"), "warning")


@pytest.mark.django_db
def test_the_default_database_can_be_examined_from_within() -> None:
    """As a page of the back-office does, inside a request."""
    results = examine(connections["default"])
    assert not [result for result in results if result.check.id == "D001" and result.severity != "ok"]
