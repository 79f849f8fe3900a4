"""A server's logs as JSON, one entry for one failure, and probes while its database is whole or not."""

from __future__ import annotations

import http.client
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import Scratch
from tests.support.servers import Site, serving

SHARED = "a-token-for-the-tests-of-logs"
VARIABLES: dict[str, Any] = {
    "AUTH_TOKEN": SHARED,
    "PROMPTADMIN_LOG_FORMAT": "json",
    "PROMPTADMIN_SESSION_COOKIE": "sessionid",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="module")
def site(place: Path, new_file: bytes) -> Iterator[Site]:
    scratch = Scratch(place)
    scratch.database.write_bytes(new_file)
    with serving(place, f"sqlite:///{scratch.database}", **VARIABLES) as site:
        yield site


def ask(site: Site, path: str, request_id: str = "") -> tuple[int, str]:
    connection = http.client.HTTPConnection(site.address.removeprefix("http://"), timeout=60)
    headers = {"Authorization": f"Bearer {SHARED}", "X-Request-ID": request_id}
    if path.startswith("/admin/"):
        headers["Cookie"] = "sessionid=nobodysnobodysnobodys"
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def entries(place: Path, request_id: str) -> list[dict[str, Any]]:
    """What both logs say of a request; each line of them is a whole object, or one that is no entry at all."""
    lines = [line for line in (place / "serve.log").read_text().splitlines() if line.startswith("{")]
    return [entry for entry in map(json.loads, lines) if entry["request_id"] == request_id]


def test_an_answer_is_one_entry_with_its_caller(site: Site, place: Path) -> None:
    assert ask(site, "/api/projects", "asked-by-test")[0] == 200
    [entry] = entries(place, "asked-by-test")
    assert entry["logger"] == "access"
    assert (entry["caller"], entry["route"], entry["status"]) == ("AUTH_TOKEN", "api/projects", 200)
    assert entry["time"].endswith("Z")


@pytest.mark.parametrize(("path", "table"), [("/api/projects", "projects"), ("/admin/", "django_session")])
def test_a_failure_is_one_entry_with_its_trace(site: Site, place: Path, path: str, table: str) -> None:
    """At the API and in the back-office: a table is missing, which nobody foresees."""
    request_id = f"failing-{table}"
    with renamed(Scratch(place).database, table):
        status, text = ask(site, path, request_id)
    assert status == 500
    if path.startswith("/api/"):
        assert json.loads(text)["request_id"] == request_id
    failure, access = sorted(entries(place, request_id), key=lambda entry: bool(entry["logger"] == "access"))
    assert failure["level"] == "ERROR"
    assert path in failure["message"]
    assert "Traceback" in failure["trace"]
    assert "no such table" in failure["trace"]
    assert access["status"] == 500
    assert not {"request", "status_code"} & failure.keys()


def test_probes_tell_a_server_that_lives_from_one_that_is_ready(site: Site, place: Path) -> None:
    """Its file is away for a while, or has a table less; then it is ready again, without a restart."""
    database = Scratch(place).database
    probes = ("/livez", "/readyz")
    assert [ask(site, path) for path in probes] == [(200, '{"status":"ok"}')] * 2
    database.rename(place / "away.db")
    try:
        away = [ask(site, path)[0] for path in probes]
    finally:
        (place / "away.db").rename(database)
    assert away == [200, 503]
    with renamed(database, "django_migrations"):
        assert [ask(site, path)[0] for path in probes] == [200, 503]
    assert [ask(site, path)[0] for path in probes] == [200, 200]


@contextmanager
def renamed(database: Path, table: str) -> Iterator[None]:
    """A database without this table during the block."""
    with closing(sqlite3.connect(database, timeout=20)) as connection:
        connection.execute(f"ALTER TABLE {table} RENAME TO away")
        try:
            yield
        finally:
            connection.execute(f"ALTER TABLE away RENAME TO {table}")
