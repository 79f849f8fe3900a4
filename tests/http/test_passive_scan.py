"""What a passive scanner looks for, on every address that a running server has, signed in and not.

docs/security.md lists it. `test_headers.py` has the headers of single kinds of answers.
"""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import pytest

from tests.http.test_headers import EVERYWHERE, policy
from tests.support.servers import Site, serving

TOKEN = "scanned"
FOREIGN = "https://evil.example"
PROBE = "\"'><script>alert(1)</script>"
STATIC = "/static/promptadmin/admin.css"
STRANGERS = ("/", "/admin/", "/admin/login/", "/health", "/api/health", "/api/docs", "/api/openapi.json", STATIC)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    text: str


@dataclass
class Scanner:
    """Asks one server, with the cookies that it got so far."""

    site: Site
    cookies: dict[str, str] = field(default_factory=dict)
    set_cookies: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> Answer:
        parts = urlsplit(self.site.address)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)) as connection:
            connection.request(method, path, body, sent)
            with connection.getresponse() as answer:
                for line in answer.headers.get_all("Set-Cookie") or ():
                    self.set_cookies.append(line)
                    name, _, value = line.split(";")[0].partition("=")
                    self.cookies[name] = value
                return Answer(answer.status, answer.headers, answer.read().decode(errors="replace"))

    def sign_in(self, then: str = "/admin/") -> Answer:
        self.ask("GET", "/admin/login/")
        fields = {"username": self.site.user, "password": self.site.password, "next": then}
        body = urlencode({**fields, "csrfmiddlewaretoken": self.cookies["csrftoken"]})
        return self.ask("POST", "/admin/login/", body, Content_Type="application/x-www-form-urlencoded")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, new_file: bytes) -> Iterator[Site]:
    directory: Path = tmp_path_factory.mktemp("scanned")
    (directory / "x.db").write_bytes(new_file)
    database = f"sqlite:///{directory / 'x.db'}"
    with serving(
        directory, database, "--no-upkeep", AUTH_TOKEN=TOKEN, PROMPTADMIN_ALLOWED_HOSTS="127.0.0.1,localhost"
    ) as served:
        yield served


def pages_of(scanner: Scanner) -> list[str]:
    """The addresses of the back-office that its pages lead to, from the first on."""
    found, waiting = {"/admin/"}, ["/admin/"]
    while waiting and len(found) < 200:
        page = scanner.ask("GET", waiting.pop())
        for address in re.findall(r'href="(/admin/[^"#?]*)"', page.text):
            if address not in found and "logout" not in address:
                found.add(address)
                waiting.append(address)
    return sorted(found)


def is_list(path: str) -> bool:
    """Whether this is the dashboard, or the list of a table."""
    return path.count("/") in (2, 4)


def api_addresses(scanner: Scanner) -> list[str]:
    """Every GET of the API, with something in the place of its parameters."""
    document = json.loads(scanner.ask("GET", "/api/openapi.json").text)
    return [re.sub(r"\{\w+\}", "1", path) for path, operations in document["paths"].items() if "get" in operations]


def assert_passes(answer: Answer, path: str) -> None:
    """The checks of every answer."""
    assert {name: answer.headers.get(name) for name in EVERYWHERE} == EVERYWHERE, path
    assert answer.headers.get_all("Server") == ["promptadmin"], path
    assert not {"X-Powered-By", "Via", "X-AspNet-Version"} & set(answer.headers), path
    directives = policy(answer.headers["Content-Security-Policy"])
    assert directives["default-src"] == directives["frame-ancestors"] == ["'none'"], path
    assert "'unsafe-inline'" not in directives.get("script-src", []), path
    assert "Traceback (most recent call last)" not in answer.text, path
    assert "Index of /" not in answer.text, path
    assert answer.headers.get("Access-Control-Allow-Origin") not in ("*", FOREIGN), path
    if answer.text and answer.status != 304:
        assert "charset" in answer.headers["Content-Type"] or "json" in answer.headers["Content-Type"], path
    if answer.headers["Content-Type"].startswith("text/html"):
        assert not re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", answer.text), path
        assert not re.findall(r"\son(?:click|load|error|submit|change)=", answer.text), path


def test_every_address_for_strangers(site: Site) -> None:
    scanner = Scanner(site)
    for path in [*STRANGERS, "/nope", "/static/", "/static/promptadmin/", "/api/", "/admin/nope/", "/.git/config"]:
        answer = scanner.ask("GET", path, Origin=FOREIGN)
        assert answer.status < 500, path
        assert_passes(answer, path)


def test_every_address_of_the_api(site: Site) -> None:
    scanner = Scanner(site)
    for path in api_addresses(scanner):
        for headers in ({"Authorization": f"Bearer {TOKEN}"}, {"Authorization": f"Bearer {TOKEN}", "Origin": FOREIGN}):
            answer = scanner.ask("GET", path, **headers)
            assert answer.status != 500, path
            if answer.headers["Content-Type"] != "application/x-ndjson":
                assert_passes(answer, path)
        if "/health" not in path:
            cached = answer.headers.get("Cache-Control", "")
            assert "public" not in cached, path


def test_every_page_for_a_signed_in_member(site: Site) -> None:
    scanner = Scanner(site)
    assert scanner.sign_in().status == 302
    pages = pages_of(scanner)
    assert len(pages) > 20
    for path in pages:
        answer = scanner.ask("GET", path)
        assert answer.status in (200, 301, 302), path
        assert_passes(answer, path)
        assert "no-store" in answer.headers.get("Cache-Control", "") or answer.status in (301, 302), path
    for line in scanner.set_cookies:
        assert "SameSite=Lax" in line
        assert "HttpOnly" in line or line.startswith("csrftoken=")


def test_what_is_searched_for_is_never_markup(site: Site) -> None:
    scanner = Scanner(site)
    scanner.sign_in()
    for path in pages_of(scanner):
        names = ("q", "project", "period", "status", "e", "p", "o", "next", "_changelist_filters", "search")
        # A list may refuse the first of them, and not come to the next; other pages read none, or one.
        for asked in [(name,) for name in names] if is_list(path) else [names]:
            answer = scanner.ask("GET", f"{path}?{urlencode(dict.fromkeys(asked, PROBE))}")
            assert answer.status < 500, (path, asked)
            assert "<script>alert(1)" not in answer.text, (path, asked)
    for path in (f"/admin/{quote(PROBE)}/", f"/{quote(PROBE)}", f"/admin/login/?next={quote(PROBE)}"):
        assert "<script>alert(1)" not in scanner.ask("GET", path).text


@pytest.mark.parametrize(
    "there", ["//evil.example", FOREIGN, "/\\evil.example", "javascript:alert(1)", "///evil.example"]
)
def test_nobody_is_led_elsewhere(site: Site, there: str) -> None:
    assert Scanner(site).sign_in(then=there).headers["Location"] == "/admin/"
    asked = Scanner(site).ask("GET", f"/admin/login/?next={quote(there)}")
    assert asked.status == 200
    for path in ("//evil.example/admin", "//evil.example/..", "/admin//evil.example"):
        answer = Scanner(site).ask("GET", path)
        assert not re.match(r"(https?:)?[/\\]{2}(?!127\.0\.0\.1)", answer.headers.get("Location", "")), path


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "evil.example:80"]
)
def test_another_host_is_refused_and_believed_nowhere(site: Site, host: str) -> None:
    for path in STRANGERS:
        answer = Scanner(site).ask("GET", path, Host=host)
        assert answer.status == 400 or path in ("/health", "/api/health", STATIC), path
        assert "evil.example" not in str(answer.headers), path
    answer = Scanner(site).ask("GET", "/", X_Forwarded_Host="evil.example")
    assert "evil.example" not in answer.headers["Location"] + answer.text


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "DEBUG", "PROPFIND", "CONNECT"])
def test_methods_that_nobody_needs_are_refused(site: Site, method: str) -> None:
    for path in ("/api/projects", "/api/docs", "/", "/admin/login/", STATIC, "/health"):
        answer = Scanner(site).ask(method, path, Authorization=f"Bearer {TOKEN}", X_Secret="echoed")
        assert answer.status in (400, 401, 403, 404, 405), path
        assert "echoed" not in answer.text


@pytest.mark.parametrize(
    "tail",
    ["../settings.py", "..%2f..%2fsettings.py", "%2e%2e/%2e%2e/settings.py", "..\\settings.py", "%00", "....//x"],
)
def test_no_file_but_static_ones_is_served(site: Site, tail: str) -> None:
    for base in ("/static/", "/static/promptadmin/", "/api/", "/"):
        answer = Scanner(site).ask("GET", base + tail)
        assert answer.status in (301, 302, 400, 404), base
        assert "SECRET_KEY" not in answer.text


def test_no_header_can_be_put_in(site: Site) -> None:
    scanner = Scanner(site)
    injected = "%0d%0aX-Injected:%20yes"
    for path in (f"/{injected}", f"/admin{injected}", f"/admin/login/?next=/{injected}", f"/api/docs{injected}/"):
        answer = scanner.ask("GET", path, X_Request_ID="a b\tc")
        assert "X-Injected" not in answer.headers, path
        assert answer.status < 500, path


def test_a_foreign_page_gets_no_leave(site: Site) -> None:
    asked = {"Origin": FOREIGN, "Access_Control_Request_Method": "DELETE"}
    for path in ("/api/projects", "/api/history/all", "/admin/"):
        answer = Scanner(site).ask("OPTIONS", path, **asked)
        assert "Access-Control-Allow-Origin" not in answer.headers
        for origin in (FOREIGN, "null", "http://localhost.evil.example"):
            read = Scanner(site).ask("GET", path, Origin=origin, Authorization=f"Bearer {TOKEN}")
            assert "Access-Control-Allow-Origin" not in read.headers
