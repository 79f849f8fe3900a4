"""Exports that fail while a real server makes them: clients get an error, and nobody takes a part for the whole."""

from __future__ import annotations

import contextlib
import http.client
import http.cookiejar
import re
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import pytest

from promptadmin.exchange.formats import FORMATS, JSONLines
from tests.api.requests_to import JsonClient
from tests.support.servers import Site, serving
from tests.support.services import needs_postgresql, postgresql_database

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


@pytest.fixture(scope="module")
def broken_site(tmp_path_factory: pytest.TempPathFactory, new_file: bytes) -> Iterator[Site]:
    """A server whose file lost pages behind its middle: reading begins well."""
    directory = tmp_path_factory.mktemp("broken")
    database = directory / "served.db"
    database.write_bytes(new_file)
    with serving(directory, f"sqlite:///{database}", "--threads", "2", "--no-upkeep", AUTH_TOKEN=TOKEN) as served:
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


def test_a_program_gets_an_error_and_not_a_part(broken_site: Site) -> None:
    with JsonClient(broken_site.address, TOKEN) as program:
        answer = program.send("GET", EXPORT)
        assert answer.status >= 500
        assert "detail" in answer.json
        assert program.send("GET", "/api/health").status == 200


def test_a_browser_gets_an_error_and_not_a_part(broken_site: Site) -> None:
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
    with pytest.raises(urllib.error.HTTPError) as refused:
        send("/admin/optimizations/optimization/export/", format=str(FORMATS.index(JSONLines)))
    assert refused.value.code >= 500
    assert "Content-Disposition" not in refused.value.headers
    refused.value.close()


@needs_postgresql
def test_an_export_from_postgresql_whose_session_is_ended_breaks(tmp_path: Path) -> None:
    with (
        postgresql_database() as url,
        serving(tmp_path, url, "--threads", "2", "--no-upkeep", AUTH_TOKEN=TOKEN) as site,
        psycopg.connect(url, autocommit=True) as operator,
    ):
        operator.execute(INSERT_ON_POSTGRESQL, [TEXT_BYTES, RUNS])
        with ThreadPoolExecutor(1) as pool, JsonClient(site.address, TOKEN) as program:
            asked = pool.submit(program.send, "GET", EXPORT)
            while not operator.execute(END_EXPORT).fetchall() and not asked.done():  # it may be at a statement just now
                time.sleep(0.001)
            ended = asked.result()
        # The session may also be found too late, when all was read.
        assert ended.status >= 500 or len(ended.content.splitlines()) == RUNS
        with JsonClient(site.address, TOKEN) as again:
            assert len(again.send("GET", EXPORT).content.splitlines()) == RUNS
