"""The machine fails under a request: the promised answer, at both doors, and nothing half-written."""

from __future__ import annotations

import errno
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from secrets import token_hex
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.files import uploadhandler
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.http import HttpRequest
from django.test import Client
from django.utils.html import escape
from pytest_django import Settings

from projects.models import Prompt
from projects.repository import ProjectRepository
from promptadmin.accounts.tokens import create_token
from promptadmin.backoffice.dashboard import Dashboard
from promptadmin.db.deadlines import deadline, seconds_left
from promptadmin.db.infrastructure_errors import BUSY, FULL, READ_ONLY, TOO_LONG, UNREACHABLE, fault_of
from tests.support.people import make_staff
from tests.support.ports import free_port
from tests.support.services import needs_postgresql, postgresql_url

pytestmark = pytest.mark.django_db(transaction=True)
only_sqlite = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="a fault of a SQLite file")

TOKEN = {"Authorization": "Bearer secret"}
JSON = "application/json"


@pytest.fixture(autouse=True)
def api(settings: Settings, client: Client) -> None:
    settings.API_AUTH_TOKEN = "secret"
    client.raise_request_exception = False


@contextmanager
def pragma(name: str, value: object, afterwards: object) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {name}={value}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA {name}={afterwards}")


@contextmanager
def full_disk() -> Iterator[None]:
    """SQLite's own error of a full disk: the file may grow no more."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")  # no free page inside
        pages = cursor.execute("PRAGMA page_count").fetchone()[0]
    with pragma("max_page_count", pages, 2**31):
        yield


@contextmanager
def locked_by_another() -> Iterator[None]:
    with (
        closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other,
        pragma("busy_timeout", 20, 5000),
    ):
        other.execute("BEGIN IMMEDIATE")
        yield


FAULTS: dict[str, tuple[Callable[[], Any], Any]] = {
    "full": (full_disk, FULL),
    "read-only": (lambda: pragma("query_only", "ON", "OFF"), READ_ONLY),
    "locked": (locked_by_another, BUSY),
}


def project_with_prompt() -> tuple[str, str]:
    project = ProjectRepository().create_project(name="Field notes")
    return project.id, ProjectRepository().add_prompt(project_id=project.id, content="first").id


@only_sqlite
@pytest.mark.parametrize("name", FAULTS)
def test_a_write_gets_the_promised_answer_and_nothing_is_half_written(client: Client, name: str) -> None:
    """A change of a text is several statements: the row, the version, the log. Reading goes on meanwhile."""
    happens, fault = FAULTS[name]
    project, prompt = project_with_prompt()
    path, body = f"/api/projects/{project}/prompts/{prompt}", {"content": "x" * 9000}
    with happens():
        answer = client.put(path, body, content_type=JSON, headers=TOKEN)
        assert (answer.status_code, answer.json()) == (fault.status, {"detail": fault.detail})
        assert answer.headers.get("Retry-After") == (None if fault.retry_after is None else str(fault.retry_after))
        assert client.get(path, headers=TOKEN).json()["content"] == "first"
    assert Prompt.objects.get(pk=prompt).version == 1
    assert client.put(path, body, content_type=JSON, headers=TOKEN).json()["version"] == 2


@only_sqlite
@pytest.mark.parametrize("name", FAULTS)
def test_the_back_office_shows_a_page_that_says_so(client: Client, name: str) -> None:
    happens, fault = FAULTS[name]
    client.force_login(make_staff(is_superuser=True))
    project, _ = project_with_prompt()
    with happens():
        answer = client.post("/admin/projects/prompt/add/", {"project": project, "content": "x" * 9000})
    assert answer.status_code == fault.status
    assert escape(fault.detail) in answer.content.decode()
    assert Prompt.objects.count() == 1


def away_for(client: Client, seconds: int) -> None:
    session = client.session
    session["seen_at"] -= seconds
    session["signed_in_at"] -= seconds
    session.save()


def during_the_dashboard(monkeypatch: pytest.MonkeyPatch, happens: Callable[[HttpRequest], object]) -> None:
    def of(request: HttpRequest) -> Dashboard:
        happens(request)
        return made(request)

    made = Dashboard.of
    monkeypatch.setattr(Dashboard, "of", of)


@only_sqlite
@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize(
    "path",
    [
        "/admin/",
        "/admin/projects/project/",
        "/admin/optimizations/optimization/",
        "/admin/operations/",
        "/api/projects",
    ],
)
def test_staff_who_were_away_read_on(client: Client, name: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """When somebody was last seen is a courtesy, too."""
    happens, _ = FAULTS[name]
    client.force_login(make_staff(is_superuser=True))
    away_for(client, 120)
    seen = client.session["seen_at"]
    with monkeypatch.context() as larger, happens():
        encode = SessionStore.encode  # on a disk that is full a row may change, but not grow
        larger.setattr(SessionStore, "encode", lambda self, data: encode(self, {**data, "more": token_hex(9000)}))
        answer = client.get(path)
        assert answer.status_code == 200, answer.content
        assert "Cookie" in answer.headers["Vary"]
        assert client.get(path).status_code == 200
    assert client.session["seen_at"] == seen
    assert client.get(path).status_code == 200
    assert client.session["seen_at"] > seen
    assert client.cookies[settings.SESSION_COOKIE_NAME].value == client.session.session_key


@only_sqlite
@pytest.mark.parametrize("name", FAULTS)
def test_a_session_that_cannot_be_saved_gets_the_promised_answer(
    client: Client, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    happens, fault = FAULTS[name]
    client.force_login(make_staff(is_superuser=True))
    away_for(client, 120)

    during_the_dashboard(monkeypatch, lambda request: request.session.update({"chosen": token_hex(9000)}))
    with happens():
        answer = client.get("/admin/")
    assert (answer.status_code, answer.headers.get("Retry-After")) == (fault.status, fault.headers.get("Retry-After"))
    assert escape(fault.detail) in answer.content.decode()
    assert client.get("/admin/").status_code == 200
    assert client.session["chosen"]


def test_a_session_that_was_ended_meanwhile_is_still_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.force_login(make_staff(is_superuser=True))
    away_for(client, 120)

    during_the_dashboard(monkeypatch, lambda request: Session.objects.all().delete())
    assert client.get("/admin/").status_code == 400


@only_sqlite
def test_a_token_reads_though_its_use_cannot_be_noted(client: Client) -> None:
    """When a token was last used is a courtesy: a full disk doesn't keep anybody from reading."""
    _, secret = create_token(name="reader", scopes=["read"])
    with pragma("query_only", "ON", "OFF"):
        assert client.get("/api/projects", headers={"Authorization": f"Bearer {secret}"}).status_code == 200


@pytest.mark.parametrize("path", ["/api/projects", "/admin/projects/project/"])
def test_reading_ends_at_its_deadline(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """A statement that would take minutes is cancelled by the engine; the connection works afterwards."""
    if connection.vendor != "sqlite":
        pytest.skip("SQLite's deadline")
    client.force_login(make_staff(is_superuser=True))
    settings.READ_TIMEOUT = 0.1

    def slow(*args: object, **kwargs: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")

    with monkeypatch.context() as patch:
        patch.setattr(ProjectRepository, "list_projects", slow)
        patch.setattr("projects.admin.projects.ProjectAdmin.get_queryset", slow)
        began = time.monotonic()
        answer = client.get(path, headers=TOKEN if path.startswith("/api") else {})
        assert time.monotonic() - began < 5
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == str(TOO_LONG.retry_after)
    assert TOO_LONG.detail.encode() in answer.content
    assert client.get(path, headers=TOKEN if path.startswith("/api") else {}).status_code == 200


def test_a_deadline_holds_in_its_block_only() -> None:
    assert seconds_left() is None
    with deadline(60):
        assert 50 < (seconds_left() or 0) <= 60
        with deadline(0):
            assert seconds_left() is None
    assert seconds_left() is None


def test_an_upload_that_finds_no_room_is_507(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Django writes large files to a temporary one."""

    def no_room(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    client.force_login(make_staff(is_superuser=True))
    monkeypatch.setattr(uploadhandler, "TemporaryUploadedFile", no_room)
    file = SimpleUploadedFile("runs.csv", b"x" * 3_000_000)
    answer = client.post("/admin/optimizations/optimization/import/", {"import_file": file, "format": "0"})
    assert (answer.status_code, FULL.detail.encode() in answer.content) == (507, True)


def test_a_body_beyond_the_limit_is_413_and_names_it(client: Client, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = client.post("/api/projects", {"name": "x" * 2000}, content_type=JSON, headers=TOKEN)
    assert (answer.status_code, "1000 bytes" in answer.json()["detail"]) == (413, True)
    page = client.post("/admin/login/", {"username": "x" * 2000}, content_type="application/x-www-form-urlencoded")
    assert page.status_code == 413


def test_what_is_no_fault_stays_an_error() -> None:
    assert fault_of(OperationalError("no such column: x")) is None
    assert fault_of(ValueError("no")) is None
    assert fault_of(OSError(errno.ENOENT, "no such file")) is None


@needs_postgresql
def test_faults_of_postgresql() -> None:
    """As the server and the driver really say them."""

    def fault_while(url: str, *statements: str) -> Any:
        try:
            with psycopg.connect(url, connect_timeout=3) as opened:
                for statement in statements:
                    opened.execute(statement.encode())
        except psycopg.Error as error:
            return fault_of(error)
        return "no error"

    url = postgresql_url()
    assert fault_while(f"postgresql://postgres@127.0.0.1:{free_port()}/nothing") == UNREACHABLE
    assert fault_while(url, "SET statement_timeout = 10", "SELECT pg_sleep(5)") == TOO_LONG
    assert fault_while(url, "SET TRANSACTION READ ONLY", "CREATE TABLE never (id int)") == READ_ONLY
    assert fault_while(url, "SELECT pg_terminate_backend(pg_backend_pid())") == UNREACHABLE
    assert fault_while(url, "SELECT no_such_column") is None
