"""Two installations below paths of one host, behind nginx with the site of `deploy/`: each stays below its path."""

from __future__ import annotations

import html
import http.client
import json
import re
import runpy
import socket
import ssl
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import pytest

from tests.support.browsing import Answer, Browser
from tests.support.nginx import HOST, nginx_before
from tests.support.ports import free_port
from tests.support.processes import REPOSITORY
from tests.support.servers import Site, serving
from tests.support.services import needs_nginx

pytestmark = needs_nginx
ORIGIN = f"https://{HOST}"
PREFIX, OTHER = "/prompts", "/more/prompts"
TOKEN, METRICS_TOKEN = "below", "a-token-for-the-tests-of-prefixes"
PLUGINS = "projects,optimizations,registry,clients,lint,mcp,webhooks"
#: Anything in quotes or in brackets that looks like an address of ours as it is without a prefix.
OUTSIDE = re.compile(r"""(?<=["'(])/(?:admin|api|static|oidc|plugins|health|metrics|v1)(?=[/"')?#])[^"')\s]*""")
LINK = re.compile(r"""\s(?:href|src|action|formaction|hx-get|hx-post|data-session|data-url|data-login)="([^"#]+)""")
NAME = "support/answers"


@dataclass(frozen=True)
class Host:
    """The installations by their prefixes, and the port of nginx before them."""

    sites: dict[str, Site]
    directory: Path
    secure: int


class TlsBrowser(Browser):
    """One for which the host is nginx on this machine."""

    def __init__(self, host: Host) -> None:
        context = ssl.create_default_context(cafile=str(host.directory / "fullchain.pem"))

        class Connection(http.client.HTTPSConnection):
            def connect(self) -> None:
                raw = socket.create_connection(("127.0.0.1", host.secure), 60)
                self.sock = context.wrap_socket(raw, server_hostname=HOST)

        class Handler(urllib.request.HTTPSHandler):
            def https_open(self, request: urllib.request.Request) -> Any:
                return self.do_open(Connection, request)

        super().__init__(ORIGIN, Handler())
        self.host = host

    def enter(self, prefix: str) -> Answer:
        site = self.host.sites[prefix]
        return self.sign_in(f"{prefix}/admin/", site.user, site.password)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, adopted_demo: bytes) -> Iterator[Host]:
    """Both have the same secret key, as where one environment is used for all."""
    directory = tmp_path_factory.mktemp("host")
    variables: dict[str, Any] = {
        "AUTH_TOKEN": TOKEN,
        "PROMPTADMIN_HTTPS": "1",
        "PROMPTADMIN_SECRET_KEY": "the-same-secret-key-for-both-installations-of-this-host",
        "PROMPTADMIN_PLUGINS": PLUGINS,
        "PROMPTADMIN_ALLOWED_HOSTS": f"{HOST},127.0.0.1",
        "PROMPTADMIN_TRUSTED_PROXIES": "127.0.0.1",
        "PROMPTADMIN_METRICS_TOKEN": METRICS_TOKEN,
    }

    def options(prefix: str) -> tuple[Path, str]:
        place = directory / prefix.replace("/", "_")
        place.mkdir()
        (place / "x.db").write_bytes(adopted_demo)
        return place, f"sqlite:///{place / 'x.db'}"

    secure = free_port()
    with (
        serving(*options(PREFIX), "--mcp", "--no-upkeep", PROMPTADMIN_PATH_PREFIX=f"{PREFIX}/", **variables) as one,
        serving(*options(OTHER), "--no-upkeep", PROMPTADMIN_PATH_PREFIX=OTHER, **variables) as other,
    ):
        sites = {PREFIX: one, OTHER: other}
        ports = {prefix: urlsplit(site.address).port or 0 for prefix, site in sites.items()}
        with nginx_before(directory, plain=free_port(), secure=secure, below=ports):
            yield Host(sites, directory, secure)


@pytest.fixture
def browser(host: Host) -> TlsBrowser:
    return TlsBrowser(host)


def shape(address: str) -> tuple[tuple[str, ...], bool]:
    """What pages of the same kind have in common: their addresses, but for keys and filters."""
    parts = urlsplit(address)
    words = tuple(word if re.fullmatch(r"[a-z_-]+", word) else "*" for word in parts.path.split("/"))
    return words, bool(parts.query)


def links_of(page: Answer, address: str) -> Iterator[str]:
    """The addresses that a page leads to, loads, or sends forms to, on its own host."""
    for found in LINK.findall(page.text):
        target = urljoin(f"{ORIGIN}{address}", html.unescape(found))
        if target.startswith(ORIGIN):
            yield target.removeprefix(ORIGIN)


def test_every_page_and_file_of_the_back_office_is_below_the_prefix(browser: TlsBrowser) -> None:
    """From the first page on, one of each kind; what forms are sent to isn't asked for."""
    assert browser.enter(PREFIX).headers["Location"] == f"{PREFIX}/admin/"
    waiting = [f"{PREFIX}/admin/", f"{PREFIX}/admin/dashboard/panels/"]
    kinds: set[tuple[tuple[str, ...], bool]] = set()
    problems: list[Any] = []
    asked = 0
    while waiting:
        address = waiting.pop()
        page = browser.ask(address)
        asked += 1
        kind = page.headers.get("Content-Type", "").partition(";")[0]
        if page.status in (301, 302):
            assert urljoin(f"{ORIGIN}{address}", page.headers["Location"]).startswith(f"{ORIGIN}{PREFIX}/"), address
        elif page.status not in (200, 405):  # 405: a form is sent there
            problems.append((address, page.status, ""))
        found: list[str] = []
        if kind == "text/html":
            found = [*links_of(page, address), *OUTSIDE.findall(html.unescape(page.text))]
        elif kind == "text/css":
            found = [urljoin(address, name) for name in re.findall(r"""url\(["']?((?!data:)[^"')]+)""", page.text)]
        problems += [(address, "leads out", target) for target in found if not target.startswith(f"{PREFIX}/")]
        for target in found:
            if shape(target) not in kinds and "/logout/" not in target and target.startswith(f"{PREFIX}/"):
                kinds.add(shape(target))
                waiting.append(target)
    assert problems == []
    assert asked > 60, asked
    words = {word for kind in kinds for word in kind[0]}
    assert {"static", "project", "prompt", "optimization", "operations", "docs", "change", "history"} <= words


def test_the_api_its_document_and_its_page_are_below_the_prefix(browser: TlsBrowser) -> None:
    document = json.loads(browser.ask(f"{PREFIX}/api/openapi.json").text)
    assert document["servers"] == [{"url": PREFIX}]
    assert all(path.startswith("/api/") for path in document["paths"])
    own = json.loads((REPOSITORY / "docs" / "openapi.json").read_text())
    assert set(own["paths"]) <= set(document["paths"])
    page = browser.ask(f"{PREFIX}/api/docs")
    assert f"{PREFIX}/api/openapi.json" in page.text
    assert {browser.ask(address).status for address in links_of(page, f"{PREFIX}/api/docs")} == {200}
    bearer: dict[str, Any] = {"Authorization": f"Bearer {TOKEN}"}
    for prefix in (PREFIX, OTHER):
        assert browser.ask(f"{prefix}/api/projects", **bearer).status == 200
        led = browser.ask(f"{prefix}/api/projects/?search=a", **bearer)
        assert (led.status, led.headers["Location"]) == (307, f"{prefix}/api/projects?search=a")
        for probe in ("livez", "readyz", "health", "api/health", "api/apps/promptforge/health"):
            assert browser.ask(f"{prefix}/{probe}").status == 200, probe
        assert (
            "promptadmin_build_info" in browser.ask(f"{prefix}/metrics", Authorization=f"Bearer {METRICS_TOKEN}").text
        )
        assert browser.ask(f"{prefix}/").headers["Location"] == f"{prefix}/admin/"
        assert browser.ask(f"{prefix}/api/nothing").text == '{"detail":"Not Found"}'
    assert browser.ask("/api/projects", **bearer).status == 404  # nginx's own: nobody is there


def test_doors_of_other_clients_and_mcp_are_below_the_prefix(browser: TlsBrowser) -> None:
    """Names with slashes arrive, encoded or not."""
    bearer: dict[str, Any] = {"Authorization": f"Bearer {TOKEN}"}
    for name in ("no/such", "no%2Fsuch", "no%2fsuch"):
        ours = browser.ask(f"{PREFIX}/api/prompts/{name}", **bearer)
        langfuse = browser.ask(f"{PREFIX}/api/public/v2/prompts/{name}", **bearer)
        assert (ours.status, json.loads(ours.text)) == (404, {"detail": "Prompt not found: no/such"})
        assert (langfuse.status, json.loads(langfuse.text)["message"]) == (404, "Prompt not found: no/such")
    assert browser.ask(f"{PREFIX}/v1/projects", **bearer).headers["Content-Type"].startswith("application/json")
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize"}
    given = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    for token, status in ((TOKEN, 200), ("wrong", 401)):
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        headers["Accept"] = "application/json, text/event-stream"
        body = json.dumps({**hello, "params": given}).encode()
        answer = browser.send(urllib.request.Request(f"{ORIGIN}{PREFIX}/plugins/mcp/", body, headers))
        assert answer.status == status, answer.text


def test_programs_to_copy_have_the_prefix(browser: TlsBrowser) -> None:
    """What pages show, and a program that is given that address."""
    given = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}

    def change(method: str, path: str, value: Any) -> Any:
        data = json.dumps(value).encode()
        answer = browser.send(urllib.request.Request(f"{ORIGIN}{PREFIX}{path}", data, given, method=method))
        assert answer.status in (200, 201), answer.text
        return json.loads(answer.text)

    saved = change("PUT", f"/api/prompts/{quote(NAME, safe='')}", {"text": "Answer {{question}}."})
    browser.enter(PREFIX)
    page = html.unescape(browser.ask(f"{PREFIX}/admin/projects/prompt/{saved['prompt']['id']}/change/").text)
    shown = set(re.findall(rf"{ORIGIN}[^\s\"<]*", page))
    assert shown
    assert all(address.startswith(f"{ORIGIN}{PREFIX}") for address in shown)
    read = [address for address in shown if "/api/" in address]
    assert read
    for address in read:
        assert browser.ask(address, Authorization=f"Bearer {TOKEN}").status == 200, address
    assert f"{ORIGIN}{PREFIX}" in shown  # what the client in Python is given
    client_class = runpy.run_path(str(REPOSITORY / "clients/python/promptadmin_client.py"))["PromptClient"]
    client = client_class(f"{ORIGIN}{PREFIX}", token=TOKEN)
    client._opener = browser.opener  # which knows that the host is here
    assert client.get(NAME, "latest").text == "Answer {{question}}."


def test_two_installations_of_a_host_keep_their_sign_ins_apart(browser: TlsBrowser) -> None:
    for prefix in (PREFIX, OTHER):
        assert browser.enter(prefix).status == 302
    own, other = browser.cookies(f"{PREFIX}/admin/"), browser.cookies(f"{OTHER}/admin/")
    assert len(own) == len(other) == 2
    assert set(own).isdisjoint(other)
    for prefix in (PREFIX, OTHER):
        assert browser.ask(f"{prefix}/admin/").status == 200
    assert {cookie.path for cookie in browser.jar} == {f"{PREFIX}/", f"{OTHER}/"}
    browser.sign_out(f"{OTHER}/admin/")
    assert browser.ask(f"{OTHER}/admin/").headers["Location"] == f"{OTHER}/admin/login/?next={OTHER}/admin/"
    assert browser.ask(f"{PREFIX}/admin/").status == 200
    saved = browser.submit(f"{PREFIX}/admin/projects/project/add/", name="Below a path", description="")
    assert saved.headers["Location"].startswith(f"{PREFIX}/admin/")
    told = [cookie for cookie in browser.jar if cookie.name.startswith("messages_")]
    assert [cookie.path for cookie in told] == [f"{PREFIX}/"]


@pytest.mark.parametrize("path", ["/readyz", "/livez", f"{PREFIX}/readyz", f"{PREFIX}/livez"])
def test_probes_may_ask_the_server_itself_with_or_without_the_prefix(path: str, host: Host) -> None:
    parts = urlsplit(host.sites[PREFIX].address)
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)) as connection:
        connection.request("GET", path, headers={"Host": "10.1.2.3"})
        assert connection.getresponse().status == 200
