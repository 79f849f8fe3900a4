"""What every answer of the API has, whatever the operation."""

from __future__ import annotations

import errno
import io
import json
import logging
import logging.config
from collections.abc import Iterator
from typing import TextIO

import pytest
from django.db import DatabaseError, OperationalError
from django.test import Client
from pytest_django import Settings

from projects.repository import ProjectRepository
from promptadmin.backoffice import site as sites
from promptadmin.ops import health

pytestmark = pytest.mark.django_db

TOKEN = {"Authorization": "Bearer secret"}


@pytest.fixture(autouse=True)
def with_token(settings: Settings) -> None:
    settings.API_AUTH_TOKEN = "secret"


def test_unknown_paths_and_wrong_methods_answer_in_json(client: Client) -> None:
    missing = client.get("/api/nope")
    assert (missing.status_code, missing.json()) == (404, {"detail": "Not Found"})
    wrong = client.patch("/api/projects", headers=TOKEN)
    assert (wrong.status_code, wrong.json()) == (405, {"detail": "Method Not Allowed"})
    assert set(wrong.headers["Allow"].replace(" ", "").split(",")) == {"GET", "POST"}


def test_a_host_that_is_not_ours_is_told_so_in_json(client: Client) -> None:
    answer = client.get("/api/projects", headers=TOKEN, HTTP_HOST="elsewhere.example")
    assert answer.status_code == 400
    assert "PROMPTADMIN_ALLOWED_HOSTS" in answer.json()["detail"]


def test_head_is_get_without_a_body(client: Client) -> None:
    answer = client.head("/api/projects", headers=TOKEN)
    assert (answer.status_code, answer.content) == (200, b"")
    assert client.head("/api/projects/nope", headers=TOKEN).status_code == 404


def test_a_request_id_comes_back_and_an_implausible_one_is_replaced(client: Client) -> None:
    assert client.get("/api/health", headers={"X-Request-ID": "job-7"}).headers["X-Request-ID"] == "job-7"
    made = client.get("/api/health", headers={"X-Request-ID": "a b\tc"}).headers["X-Request-ID"]
    assert made != "a b\tc"
    assert len(made) == 32


def test_what_goes_wrong_unforeseen_is_a_500_with_the_id_of_its_log_line(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise OperationalError("the disk is on fire")

    monkeypatch.setattr(ProjectRepository, "get_project", fail, raising=True)
    client.raise_request_exception = False
    with caplog.at_level(logging.ERROR):
        answer = client.get("/api/projects/x", headers={**TOKEN, "X-Request-ID": "job-8"})
    assert (answer.status_code, answer.json()) == (500, {"detail": "Internal server error", "request_id": "job-8"})
    assert "the disk is on fire" in caplog.text
    assert "disk" not in answer.content.decode()


@pytest.fixture
def own_handlers() -> Iterator[None]:
    """A test may configure logging."""
    loggers = (logging.getLogger(), logging.getLogger("django"))
    before = [list(logger.handlers) for logger in loggers]
    yield
    for logger, handlers in zip(loggers, before, strict=True):
        logger.handlers[:] = handlers


@pytest.mark.usefixtures("own_handlers")
@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("door", ["API", "API of a browser", "API, a fault", "health", "admin", "middleware"])
def test_each_failure_is_one_entry_of_the_log_with_its_trace_and_id(
    admin_client: Client, client: Client, monkeypatch: pytest.MonkeyPatch, settings: Settings, door: str, debug: bool
) -> None:
    """As operators see it: by the handlers that LOGGING names, whatever Django adds of its own."""
    settings.DEBUG = debug
    logging.config.dictConfig(settings.LOGGING)
    written = io.StringIO()
    [handler] = _consoles()
    monkeypatch.setattr(handler, "stream", written)

    def fail(*args: object, **kwargs: object) -> None:
        if door == "API, a fault":
            raise OSError(errno.ENOSPC, "the disk is on fire")
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr(ProjectRepository, "get_project", fail)
    monkeypatch.setattr(health, "_health", fail)
    monkeypatch.setattr(sites, "render_panels", fail)
    paths = {"health": "/health", "admin": "/admin/dashboard/panels/", "middleware": "/api/projects"}
    if door == "middleware":
        monkeypatch.setattr("promptadmin.http.middleware._origin_allowed", fail)
    by = client if door in ("API", "API, a fault", "health") else admin_client
    by.raise_request_exception = False
    headers = {"X-Request-ID": "job-9", **(TOKEN if door.startswith("API") else {})}
    answer = by.generic("POST" if door == "middleware" else "GET", paths.get(door, "/api/projects/x"), headers=headers)
    assert answer.status_code == (507 if door == "API, a fault" else 500)
    entries = [line for line in written.getvalue().splitlines() if " ERROR " in line]
    assert len(entries) == 1
    assert "[job-9]" in entries[0]
    traces = written.getvalue().count("Traceback (most recent call last)")
    assert traces == (0 if door == "API, a fault" else 1)


def _consoles() -> list[logging.StreamHandler[TextIO]]:
    """The handlers that print: of the root, and of Django's logger where it has one."""
    loggers = (logging.getLogger(), logging.getLogger("django"))
    return [handler for logger in loggers for handler in logger.handlers if type(handler) is logging.StreamHandler]


def test_large_answers_are_compressed_where_that_is_accepted(client: Client) -> None:
    path = "/api/openapi.json"
    assert client.get(path, headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in client.get(path).headers


def test_the_documentation_loads_nothing_from_another_host(client: Client) -> None:
    page = client.get("/api/docs").content.decode()
    assert "/static/ninja/" in page
    assert "//cdn" not in page


@pytest.mark.parametrize("path", ["/api/health", "/health"])
def test_health_tells_strangers_the_status_and_others_the_details(client: Client, path: str) -> None:
    assert client.get(path).json() == {"status": "ok"}
    details = client.get(path, headers=TOKEN).json()
    assert details["db_connected"] is True
    assert details["migrations_pending"] == 0
    assert details["llm_provider"] == "none"
    assert client.get(path, headers={"Authorization": "Bearer wrong"}).json() == {"status": "ok"}


def test_health_says_503_when_the_database_does_not_answer(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def __getitem__(self, alias: str) -> None:
            raise DatabaseError("no connection")

    monkeypatch.setattr(health, "connections", Broken())
    answer = client.get("/api/health")
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})


def test_a_body_that_is_not_json_is_a_422_that_says_where(client: Client) -> None:
    answer = client.post("/api/projects", '{"name":', content_type="application/json", headers=TOKEN)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["type"] == "json_invalid"
    assert json.loads(answer.content)["detail"][0]["loc"][0] == "body"
