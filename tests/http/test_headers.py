"""What Mozilla's Observatory asks of headers and cookies, on every kind of answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from csp.decorators import csp_update
from csp.middleware import CSPMiddleware
from django.contrib.admin import site
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.test import Client, RequestFactory
from pytest_django import Settings

from promptadmin.accounts import tokens
from promptadmin.http.csp import DOCUMENTATION, PAGES, STRICT
from promptadmin.http.refused_forms import POLICY as REFUSALS
from promptadmin.ops import health
from tests.support.people import make_staff, signed_in
from tests.support.processes import REPOSITORY, Scratch

pytestmark = pytest.mark.django_db

STATIC = "/static/promptadmin/admin.css"
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-XSS-Protection": "1; mode=block",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "promptadmin",
}


def policy(text: str) -> dict[str, list[str]]:
    return {name: sources for name, *sources in (part.split() for part in text.split(";"))}


@pytest.fixture
def token() -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.create_token(name='t', scopes=tokens.SCOPES)[1]}"}


@pytest.mark.parametrize(
    ("path", "status", "expected"),
    [
        ("/admin/", 200, PAGES),
        ("/admin/projects/project/", 200, PAGES),
        ("/admin/nope/", 404, PAGES),
        ("/", 302, STRICT),
        (STATIC, 200, STRICT),
        ("/nope", 404, STRICT),
        ("/health", 200, STRICT),
        ("/api/docs", 200, DOCUMENTATION),
        ("/api/openapi.json", 200, STRICT),
        ("/api/projects", 200, STRICT),
        ("/api/projects/nope", 404, STRICT),
        ("/api/history?per_page=0", 422, STRICT),
        ("/api/optimizations/export", 200, STRICT),
    ],
)
def test_headers_of_every_kind_of_answer(path: str, status: int, expected: dict[str, list[str]]) -> None:
    answer = signed_in_superuser().get(path)
    answer.close()
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in EVERYWHERE} == EVERYWHERE
    assert policy(answer.headers["Content-Security-Policy"]) == expected


def signed_in_superuser() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def test_refusals_and_failures_have_them_too(
    client: Client, token: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """401, 403, 429, 400 for a wrong host, and 500, inside the API and outside."""

    def fail(request: object) -> None:
        raise RuntimeError("made by this test")

    answers = [client.get("/api/projects") for _ in range(61)]
    found = {answer.status_code: answer for answer in answers}
    found[403] = client.post("/api/projects", headers={"Origin": "https://evil.example"})
    found[400] = client.get("/admin/", headers={"Host": "evil.example"})
    client.raise_request_exception = False
    monkeypatch.setattr(health, "_health", fail)
    found[500] = client.get("/health")
    answers = [
        *found.values(),
        client.get("/api/health"),
        client.get("/api/projects", headers={"Host": "evil.example"}),
    ]
    assert set(found) == {401, 429, 403, 400, 500}
    for answer in answers:
        assert {name: answer.headers.get(name) for name in EVERYWHERE} == EVERYWHERE, answer.status_code
        is_page = answer.status_code == 500 and answer.headers["Content-Type"].startswith("text/html")
        expected = REFUSALS if is_page else STRICT
        assert policy(answer.headers["Content-Security-Policy"]) == expected, answer.status_code
        assert "Traceback" not in answer.content.decode()


def test_the_policies_forbid_what_an_attack_needs() -> None:
    """No inline script, no other host, no frame, no base, whichever page; evaluation in the back-office alone."""
    for directives in (STRICT, REFUSALS, DOCUMENTATION, PAGES):
        assert directives["default-src"] == ["'none'"]
        assert directives["frame-ancestors"] == directives["base-uri"] == ["'none'"]
        sources = {name: set(values) for name, values in directives.items()}
        assert "'unsafe-inline'" not in sources.get("script-src", set()) | sources.get("style-src", set())
        assert not any(re.search(r"[*/]|https?:", value) for values in sources.values() for value in values)
    assert [name for name, values in PAGES.items() if "'unsafe-eval'" in values] == ["script-src"]
    assert "'unsafe-eval'" not in DOCUMENTATION["script-src"]
    assert REFUSALS.keys() - STRICT.keys() == {"style-src"}  # no script, no image, no connection
    assert all(set(REFUSALS[name]) <= {*STRICT.get(name, ()), *PAGES[name]} for name in REFUSALS)


def test_the_themes_colours_are_all_in_our_stylesheet() -> None:
    """A release of the theme that needs another colour is noticed."""
    colours = import_module("unfold.settings").CONFIG_DEFAULTS["COLORS"]
    text = (REPOSITORY / "promptadmin/static/promptadmin/colours.css").read_text()
    wanted = {f"--color-{name}-{weight}" for name, weights in colours.items() for weight in weights}
    assert wanted == set(re.findall(r"(--color-[\w-]+):", text))


def test_cookies_are_kept_from_scripts_other_sites_and_plain_http(client: Client, settings: Settings) -> None:
    """Pages need to read the CSRF token; the session is nobody's but the browser's."""
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    make_staff("viewer")
    answer = client.post("/admin/login/", {"username": "viewer", "password": "correct horse"})
    session, csrf = answer.cookies[settings.SESSION_COOKIE_NAME], answer.cookies["csrftoken"]
    assert (session["httponly"], session["samesite"], session["secure"]) == (True, "Lax", True)
    assert (csrf["samesite"], csrf["secure"]) == ("Lax", True)


def test_plain_http_is_for_development(client: Client, settings: Settings) -> None:
    """Behind TLS everything else is sent on, and browsers are told to remember."""
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True
    answer = Client().get("/admin/login/")
    assert (answer.status_code, answer.headers["Location"]) == (301, "https://testserver/admin/login/")
    secure = Client().get("/admin/login/", secure=True)
    assert secure.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"


def test_the_documented_production_environment_leaves_no_warning(scratch: Scratch) -> None:
    """`check --deploy` is silent with the variables that docs/settings.md gives."""
    text = (REPOSITORY / "docs/settings.md").read_text().split("## Production")[1].split("```")[1]
    variables = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    assert "PROMPTADMIN_HTTPS" in variables
    done = scratch.manage("check", "--deploy", "--fail-level", "WARNING", **variables)
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "System check identified no issues (2 silenced).\n",
        "",
    )


def test_staff_pages_are_not_kept_by_caches() -> None:
    """A page that was shown to a member of staff is no other's to see, not even after the back button."""
    answer = signed_in("viewer").get("/admin/projects/project/")
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_page_of_a_plugin_may_ask_for_more(rf: RequestFactory) -> None:
    """As docs/plugins.md says it: in the back-office more than its pages may, elsewhere more than nothing."""
    images = "https://images.example.com"

    @csp_update({"img-src": [images]})
    def view(request: HttpRequest) -> HttpResponseBase:
        return HttpResponse()

    def sent_by(page: Callable[[HttpRequest], Any]) -> dict[str, list[str]]:
        request = rf.get("/")
        request.user = User.objects.get(username="boss")
        answer: Any = CSPMiddleware(page)(request)
        return policy(answer["Content-Security-Policy"])

    User.objects.create_superuser("boss")
    assert sent_by(site.admin_view(view)) == {**PAGES, "img-src": [*PAGES["img-src"], images]}
    assert sent_by(view) == {**STRICT, "img-src": [images]}
