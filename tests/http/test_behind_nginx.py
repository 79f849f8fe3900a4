"""A real server behind nginx with the site of `deploy/`: TLS, addresses, slow bodies, exports."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.api.test_broken_exports import EXPORT, RUNS, break_pages, fill
from tests.support.nginx import HOST, nginx_before
from tests.support.ports import free_port
from tests.support.servers import Site, serving
from tests.support.services import needs_nginx

TOKEN = "behind"
pytestmark = needs_nginx


@dataclass(frozen=True)
class Came:
    """An answer, as far as it came, and whether that was all of it."""

    status: int
    headers: http.client.HTTPMessage
    content: bytes
    is_whole: bool


@dataclass(frozen=True)
class Front:
    """The ports of nginx, the server behind it, and where the files of both are."""

    site: Site
    directory: Path
    plain: int
    secure: int

    def connect(self) -> socket.socket:
        context = ssl.create_default_context(cafile=str(self.directory / "fullchain.pem"))
        raw = socket.create_connection(("127.0.0.1", self.secure), timeout=60)
        return context.wrap_socket(raw, server_hostname=HOST)

    def get(self, path: str, **headers: str) -> Came:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with self.connect() as client, contextlib.closing(http.client.HTTPConnection(HOST)) as connection:
            connection.sock = client
            connection.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}", **named})
            return received(connection.getresponse())


def received(answer: http.client.HTTPResponse) -> Came:
    with answer:
        content, is_whole = b"", True
        try:
            content = answer.read()
        except (http.client.IncompleteRead, ConnectionError):
            is_whole = False
        return Came(answer.status, answer.headers, content, is_whole)


@contextlib.contextmanager
def fronting(directory: Path, content: bytes, **further: Any) -> Iterator[Front]:
    """A server of a database behind nginx; `further` are variables of the server's environment."""
    (directory / "x.db").write_bytes(content)
    variables: dict[str, Any] = {
        "AUTH_TOKEN": TOKEN,
        "PROMPTADMIN_HTTPS": "1",
        "PROMPTADMIN_PLUGINS": "projects,optimizations,registry,clients",
        "PROMPTADMIN_ALLOWED_HOSTS": f"{HOST},127.0.0.1",
        "PROMPTADMIN_TRUSTED_PROXIES": "127.0.0.1",
        **further,
    }
    plain, secure = free_port(), free_port()
    with (
        serving(directory, f"sqlite:///{directory / 'x.db'}", "--threads", "2", "--no-upkeep", **variables) as site,
        nginx_before(directory, urlsplit(site.address).port or 0, plain=plain, secure=secure),
    ):
        yield Front(site, directory, plain, secure)


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory, new_file: bytes) -> Iterator[Front]:
    with fronting(tmp_path_factory.mktemp("front"), new_file) as front:
        yield front


@pytest.mark.parametrize("name", ["no/such", "no%2Fsuch", "no%2fsuch"])
def test_names_with_slashes_arrive_encoded_or_not(name: str, front: Front) -> None:
    ours, langfuse = front.get(f"/api/prompts/{name}"), front.get(f"/api/public/v2/prompts/{name}")
    assert (ours.status, json.loads(ours.content)) == (404, {"detail": "Prompt not found: no/such"})
    assert (langfuse.status, json.loads(langfuse.content)["message"]) == (404, "Prompt not found: no/such")


def test_every_answer_is_one_of_a_site_with_tls(front: Front) -> None:
    """By HTTP nothing but the way to it; and what a client says of itself counts for nothing."""
    for port, host, path in ((front.plain, HOST, "/admin/?a=b"), (urlsplit(front.site.address).port, HOST, "/admin/")):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            connection.request("GET", path, headers={"Host": host})
            led = received(connection.getresponse())
        assert (led.status, led.headers["Location"]) == (301, f"https://{HOST}{path}")
    for said in ({}, {"X_Forwarded_Proto": "http", "X_Forwarded_For": "203.0.113.9"}):
        page = front.get("/admin/login/", **said)
        assert page.status == 200
        assert "max-age=31536000" in page.headers["Strict-Transport-Security"]
        assert page.headers.get_all("Server") == ["promptadmin"]
        assert page.headers.get_all("X-Content-Type-Options") == ["nosniff"]
        cookies = page.headers.get_all("Set-Cookie") or []
        assert cookies
        assert all("; Secure" in cookie and "SameSite=Lax" in cookie for cookie in cookies)
    assert front.get("/api/projects", Host="elsewhere.example").status == 400


def test_bodies_that_come_slowly_hold_no_thread(front: Front) -> None:
    """More of them than the server has threads; each is one byte of a hundred."""
    head = f"POST /api/projects HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {TOKEN}\r\n"
    head += "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    with contextlib.ExitStack() as stack:
        for _ in range(6):
            stack.enter_context(front.connect()).sendall(head.encode())
        time.sleep(0.5)
        began = time.monotonic()
        assert front.get("/api/health").status == 200
        assert time.monotonic() - began < 10  # without nginx it would be for as long as those clients like


def test_an_export_comes_whole_or_is_refused(tmp_path: Path, new_file: bytes) -> None:
    with fronting(tmp_path, new_file) as front:
        database = front.directory / "x.db"
        fill(database)
        export = front.get(EXPORT)
        assert (export.status, export.is_whole, len(export.content.splitlines())) == (200, True, RUNS)
        break_pages(database)
        refused = front.get(EXPORT)
    assert refused.status >= 500
    assert "detail" in json.loads(refused.content)
