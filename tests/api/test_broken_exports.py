"""Exports that fail while a real server sends them: clients see that, and nobody takes a part for the whole."""

from __future__ import annotations

import contextlib
import http.client
import http.cookiejar
import re
import socket
import sqlite3
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import psycopg
import pytest

from promptadmin.exchange.formats import FORMATS, JSONLines
from tests.api.requests_to import JsonClient
from tests.servers import Site, serving
from tests.services import needs_postgresql, postgresql_database

TOKEN = "broken"
RUNS, TEXT_BYTES = 3000, 10_000
EXPORT = "/api/optimizations/export"
INSERT = """
    INSERT INTO optimizations (id, created_at, raw_prompt, status)
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
    SELECT 'run-' || i, datetime('2026-01-01', i || ' seconds'), hex(randomblob(?)), 'completed' FROM n
"""
INSERT_ON_POSTGRESQL = """
    INSERT INTO optimizations (id, created_at, raw_prompt, status)
    SELECT 'run-' || i, timestamptz '2026-01-01' + i * interval '1 second', repeat(md5(i::text), %s / 32), 'completed'
    FROM generate_series(1, %s) AS i
"""
END_EXPORT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'idle in transaction'
"""


@pytest.fixture
def broken_site(tmp_path: Path) -> Iterator[Site]:
    """A server whose file lost pages behind its middle: reading begins well."""
    database = tmp_path / "served.db"
    with serving(tmp_path, f"sqlite:///{database}", "--threads", "2", AUTH_TOKEN=TOKEN) as served:
        fill(database)
        break_pages(database)
        yield served


def fill(database: Path) -> None:
    """Add the runs, and leave nothing of them in the log."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        with connection:
            connection.execute(INSERT, [RUNS, TEXT_BYTES // 2])
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def break_pages(database: Path) -> None:
    """Lose pages behind the middle, as a disk may."""
    with database.open("r+b") as file:
        file.seek(database.stat().st_size // 4096 * 6 // 10 * 4096)
        file.write(bytes(64 * 4096))


def ask(site: Site, request: str, *lines: str, receive_buffer: int = 0) -> socket.socket:
    parts = urlsplit(site.address)
    client = socket.socket()
    if receive_buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.settimeout(60)
    client.connect((parts.hostname, parts.port))
    head = (request, "Host: localhost", f"Authorization: Bearer {TOKEN}", *lines, "", "")
    client.sendall("\r\n".join(head).encode())
    return client


def taken(client: socket.socket) -> tuple[bytes, bool]:
    """What came, and whether the connection then ended in good order."""
    found = bytearray()
    with client:
        try:
            while part := client.recv(1 << 20):
                found += part
        except ConnectionResetError:
            return bytes(found), False
    return bytes(found), True


def logged_failure(tmp_path: Path, path: str) -> str:
    """The one line of the log that says what failed."""
    until = time.monotonic() + 10
    while "failed while" not in (text := (tmp_path / "serve.log").read_text()):
        assert time.monotonic() < until, text
        time.sleep(0.05)
    (line,) = [line for line in text.splitlines() if "failed" in line or "raised" in line]
    assert f"{path} failed while it was sent, which was cut off: " in line
    return line


@pytest.mark.parametrize(
    ("request_line", "lines"),
    [
        (f"GET {EXPORT} HTTP/1.1", ("Connection: close",)),
        (f"GET {EXPORT} HTTP/1.1", ("Connection: close", "Accept-Encoding: gzip")),
        (f"GET {EXPORT} HTTP/1.0", ()),
    ],
)
def test_a_program_sees_that_its_export_broke(
    broken_site: Site, tmp_path: Path, request_line: str, lines: tuple[str, ...]
) -> None:
    with JsonClient(broken_site.address, TOKEN) as others:
        assert others.send("GET", "/api/health").status == 200
        came, in_good_order = taken(ask(broken_site, request_line, *lines))
        head, _, body = came.partition(b"\r\n\r\n")
        assert b" 200 " in head.splitlines()[0]
        assert len(body) > 1 << 20, "it should have failed midway"
        assert not in_good_order
        assert not body.endswith(b"0\r\n\r\n")
        assert "malformed" in logged_failure(tmp_path, f"GET {EXPORT}")
        others.connection.request("GET", "/api/health", headers=others.headers)  # by the same connection as before
        assert others.connection.getresponse().status == 200


def test_a_client_that_reads_slowly_sees_it_too(broken_site: Site) -> None:
    came, in_good_order = taken(ask(broken_site, f"GET {EXPORT} HTTP/1.1", receive_buffer=4096))
    assert b" 200 " in came.splitlines()[0]
    assert not in_good_order
    assert not came.endswith(b"0\r\n\r\n")


def test_a_browser_sees_that_its_export_broke(broken_site: Site, tmp_path: Path) -> None:
    cookies = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))

    def send(path: str, **fields: str) -> http.client.HTTPResponse:
        page = browser.open(broken_site.address + path).read().decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert token
        data = urlencode({"csrfmiddlewaretoken": token[1], **fields}).encode()
        answer: http.client.HTTPResponse = browser.open(broken_site.address + path, data)
        return answer

    send("/admin/login/?next=/admin/password_change/", username=broken_site.user, password=broken_site.password)
    answer = send("/admin/optimizations/optimization/export/", format=str(FORMATS.index(JSONLines)))
    assert answer.headers["Content-Disposition"].startswith("attachment")
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        answer.read()
    logged_failure(tmp_path, "POST /admin/optimizations/optimization/export/")


@needs_postgresql
def test_an_export_from_postgresql_whose_session_is_ended_breaks(tmp_path: Path) -> None:
    with (
        postgresql_database() as url,
        serving(tmp_path, url, "--threads", "2", AUTH_TOKEN=TOKEN) as site,
        psycopg.connect(url, autocommit=True) as operator,
    ):
        operator.execute(INSERT_ON_POSTGRESQL, [TEXT_BYTES, RUNS])
        client = ask(site, f"GET {EXPORT} HTTP/1.1", receive_buffer=4096)
        assert client.recv(12) == b"HTTP/1.1 200"
        while not operator.execute(END_EXPORT).fetchall():  # it may be at a statement just now
            time.sleep(0.05)
        came, in_good_order = taken(client)
        assert not in_good_order
        assert not came.endswith(b"0\r\n\r\n")
        assert " connection" in logged_failure(tmp_path, f"GET {EXPORT}")
        with JsonClient(site.address, TOKEN) as again:
            assert len(again.send("GET", EXPORT).content.splitlines()) == RUNS
