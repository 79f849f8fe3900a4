"""Clients that ask for exports and don't read them: a real server goes on answering everybody else."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from optimizations.models import Optimization
from promptadmin.db.deadlines import seconds_left
from promptadmin.db.infrastructure_errors import SENDING
from promptadmin.exchange.formats import FORMATS
from tests.api.requests_to import JsonClient
from tests.support.people import make_staff
from tests.support.servers import Site, serving

TOKEN = "stalled"
STALL_SECONDS = 10
ANSWER_SECONDS = 8  # the machine may be busy; without a thread it would be the length of a stall, or for ever
RUNS, TEXT_BYTES = 8000, 10_000  # more than the buffers of the system and the server hold
INSERT = """
    INSERT INTO optimizations (id, created_at, raw_prompt, status)
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
    SELECT 'run-' || i, '2026-01-01 00:00:00', hex(zeroblob(?)), 'completed' FROM n
"""


@contextlib.contextmanager
def stalled_export(site: Site) -> Iterator[socket.socket]:
    """A client that has sent its request and takes nothing."""
    parts = urlsplit(site.address)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect((parts.hostname, parts.port))
        client.settimeout(60)
        lines = ("GET /api/optimizations/export HTTP/1.1", "Host: localhost", f"Authorization: Bearer {TOKEN}", "", "")
        client.sendall("\r\n".join(lines).encode())
        yield client


def read_all(client: socket.socket) -> None:
    while client.recv(1 << 20):
        pass


def resident_mebibytes(site: Site) -> int:
    """Of the server's processes."""
    children = Path(f"/proc/{site.process.pid}/task/{site.process.pid}/children").read_text().split()
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in children)
    return pages * 4096 >> 20


@pytest.fixture
def site(tmp_path: Path, new_file: bytes) -> Iterator[Site]:
    database = tmp_path / "served.db"
    database.write_bytes(new_file)
    variables: dict[str, Any] = {"AUTH_TOKEN": TOKEN, "PROMPTADMIN_EXPORT_STALL": str(STALL_SECONDS)}
    with serving(tmp_path, f"sqlite:///{database}", "--threads", "2", "--no-upkeep", **variables) as served:
        with contextlib.closing(sqlite3.connect(database)) as connection, connection:
            connection.execute(INSERT, [RUNS, TEXT_BYTES // 2])
        yield served


def test_clients_that_take_nothing_stop_nobody_and_are_ended(site: Site) -> None:
    began = time.monotonic()
    with stalled_export(site) as first, JsonClient(site.address, TOKEN, timeout=ANSWER_SECONDS) as others:
        assert first.recv(12) == b"HTTP/1.1 200"  # it has its place
        before = resident_mebibytes(site)
        with stalled_export(site) as second:
            assert second.recv(12) == b"HTTP/1.1 503"
        for path in ("/api/health", "/api/history", "/api/projects"):
            assert others.send("GET", path).status == 200
        refused = others.send("GET", "/api/optimizations/export")
        assert (refused.status, refused.json) == (503, {"detail": SENDING.detail})
        assert refused.headers["retry-after"] == str(SENDING.retry_after)
        assert resident_mebibytes(site) - before < 100
        assert time.monotonic() - began < STALL_SECONDS, "too slow to tell a stalled client from one that was ended"

        deadline = began + 5 * STALL_SECONDS
        while (status := _status_of_export(site)) == 503 and time.monotonic() < deadline:
            time.sleep(0.5)
        assert status == 200, "the place of the stalled client was never free again"
        with pytest.raises(ConnectionError):  # and not an end as if its export were whole
            read_all(first)


def _status_of_export(site: Site) -> int:
    with stalled_export(site) as client:
        return int(client.recv(12).split()[1])


@pytest.mark.django_db(transaction=True)
def test_a_place_is_free_again_however_an_export_ends(client: Client, settings: Settings) -> None:
    settings.API_AUTH_TOKEN = TOKEN
    client.raise_request_exception = False
    Optimization.objects.bulk_create(Optimization(raw_prompt="text") for _ in range(500))
    headers = {"Authorization": f"Bearer {TOKEN}"}

    def export() -> Any:
        return client.get("/api/optimizations/export", headers=headers)

    for end in (lambda answer: answer.close(), b"".join, lambda answer: answer.getvalue()):
        answer = export()
        assert answer.status_code == 200
        assert export().status_code == 503
        end(answer)
    del answer
    settings.EXPORTS = 2
    kept = [export(), export()]
    assert [answer.status_code for answer in kept] == [200, 200]
    assert export().status_code == 503
    for answer in kept:
        answer.close()


@pytest.mark.django_db(transaction=True)
def test_the_back_office_says_so_too(client: Client, settings: Settings) -> None:
    client.raise_request_exception = False
    client.force_login(make_staff(is_superuser=True))
    Optimization.objects.bulk_create(Optimization(raw_prompt="text") for _ in range(500))
    address = "/admin/optimizations/optimization/export/"
    kept = client.post(address, {"format": "0"})
    assert kept.streaming
    answer = client.post(address, {"format": "0"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, str(SENDING.retry_after))
    assert SENDING.detail in answer.content.decode()
    kept.close()
    again = client.post(address, {"format": "0"})
    assert again.streaming
    again.close()


def test_exports_must_leave_a_thread(settings: Settings) -> None:
    settings.EXPORTS = 2
    with pytest.raises(CommandError, match=r"PROMPTADMIN_EXPORTS=2 must be less than --threads 2"):
        call_command("serve", "--threads", "2", skip_checks=True)


@pytest.mark.django_db
def test_an_export_of_the_back_office_has_the_deadline_of_reading(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until its first part, as any export; it is asked for by POST."""
    settings.READ_TIMEOUT = 7
    left: list[float | None] = []

    def parts(*_: object) -> Generator[bytes]:
        left.append(seconds_left())
        yield b"first"
        left.append(seconds_left())

    monkeypatch.setattr(FORMATS[0], "write", parts)
    client.force_login(make_staff(is_superuser=True))
    answer: Any = client.post("/admin/optimizations/optimization/export/", {"format": "0"})
    assert answer.getvalue() == b"first"
    assert 0 < (left[0] or 0) <= 7
    assert left[1:] == [None]
