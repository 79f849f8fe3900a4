"""Who may call the API, and what those who may not are told."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.utils import timezone
from ninja.throttling import SimpleRateThrottle
from pytest_django import Settings

from promptadmin.accounts import tokens
from promptadmin.api.auth import AddressThrottle, Throttle, TokenThrottle
from promptadmin.context import Caller
from promptadmin.models import ApiToken
from tests.support.token_names import token_name

pytestmark = pytest.mark.django_db

READ = "/api/projects"
ADMIN = "/api/history/all"


@pytest.fixture(autouse=True)
def no_earlier_failures() -> None:
    cache.clear()


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def make_token(*scopes: str, **kwargs: Any) -> str:
    return tokens.create_token(name=token_name(), scopes=scopes, **kwargs)[1]


def create(client: Client, **headers: str) -> int:
    return client.post(READ, {"name": "x"}, content_type="application/json", headers=headers).status_code


def test_nothing_but_health_is_open(client: Client) -> None:
    """Without a token or session every operation of the document answers 401, except health."""
    document = client.get("/api/openapi.json").json()
    for path, operations in document["paths"].items():
        for method in operations:
            answer = client.generic(method.upper(), path.replace("{", "").replace("}", ""))
            assert answer.status_code == (200 if path == "/api/health" else 401), (method, path)
    assert client.get(READ).headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("scopes", "read", "write", "admin"),
    [
        (("read",), 200, 403, 403),
        (("write",), 403, 201, 403),
        (("admin",), 403, 403, 200),
        (("read", "write"), 200, 201, 403),
        (tokens.SCOPES, 200, 201, 200),
    ],
)
def test_a_token_may_do_what_its_scopes_say(
    client: Client, scopes: tuple[str, ...], read: int, write: int, admin: int
) -> None:
    headers = bearer(make_token(*scopes))
    assert client.get(READ, headers=headers).status_code == read
    assert create(client, **headers) == write
    assert client.delete(ADMIN, headers={**headers, "X-Confirm-Delete": "yes"}).status_code == admin


def test_a_refusal_names_the_scope_that_is_missing(client: Client) -> None:
    answer = client.get(READ, headers=bearer(make_token("write")))
    assert "'read'" in answer.json()["detail"]


def test_revoked_expired_and_altered_tokens_are_refused(client: Client) -> None:
    token, secret = tokens.create_token(name="t", scopes=["read"], expires_at=timezone.now() + dt.timedelta(hours=1))
    assert client.get(READ, headers=bearer(secret)).status_code == 200
    assert client.get(READ, headers=bearer(secret[:-1] + ("a" if secret[-1] != "a" else "b"))).status_code == 401
    ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert client.get(READ, headers=bearer(secret)).status_code == 401
    ApiToken.objects.filter(pk=token.pk).update(expires_at=None)
    tokens.revoke_token("t")
    assert client.get(READ, headers=bearer(secret)).status_code == 401


def test_the_use_of_a_token_is_noted_once_a_minute(client: Client) -> None:
    secret = make_token("read")
    client.get(READ, headers=bearer(secret))
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    client.get(READ, headers=bearer(secret))
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=first - dt.timedelta(minutes=2))
    client.get(READ, headers=bearer(secret))
    again = ApiToken.objects.get().last_used_at
    assert again is not None
    assert again >= first


def test_a_secret_is_not_stored() -> None:
    secret = make_token("read")
    row = ApiToken.objects.values().get()
    assert not any(secret.split("_", 2)[2] in str(value) for value in row.values())


def test_auth_token_of_the_environment_has_every_scope(client: Client, settings: Settings) -> None:
    settings.API_AUTH_TOKEN = "as PromptForge had it"
    headers = bearer("as PromptForge had it")
    assert client.get(READ, headers=headers).status_code == 200
    assert create(client, **headers) == 201
    assert client.delete(ADMIN, headers={**headers, "X-Confirm-Delete": "yes"}).status_code == 200
    settings.API_AUTH_TOKEN = ""
    assert client.get(READ, headers=bearer("")).status_code == 401


def test_staff_sessions_write_only_with_a_csrf_token() -> None:
    get_user_model().objects.create_superuser("ada", password="x")
    client = Client(enforce_csrf_checks=True)
    client.force_login(get_user_model().objects.get())
    assert client.get(READ).status_code == 200
    answer = client.post(READ, {"name": "x"}, content_type="application/json")
    assert answer.status_code == 403
    assert "X-CSRFToken" in answer.json()["detail"]
    client.get("/admin/")
    assert create(client, **{"X-CSRFToken": client.cookies["csrftoken"].value}) == 201


def test_staff_may_do_through_the_api_what_their_role_may(client: Client) -> None:
    """Strangers and staff without a role nothing, viewers and operators read, editors write, and none clears it all."""
    user = get_user_model().objects.create_user("kim", password="x")
    client.force_login(user)
    assert client.get(READ).status_code == 401
    user.is_staff = True
    user.save()
    assert client.get(READ).status_code == 403
    for role, reads, writes in (("viewer", 200, 403), ("operator", 200, 403), ("editor", 200, 201)):
        user.groups.set([Group.objects.get(name=role)])
        assert (client.get(READ).status_code, create(client)) == (reads, writes), role
        assert client.delete(ADMIN, headers={"X-Confirm-Delete": "yes"}).status_code == 403


@pytest.mark.parametrize("kind", ["nothing", "wrong", "expired", "revoked", "basic", "no session", "no staff"])
def test_every_operation_tells_strangers_the_same_and_counts_them(kind: str) -> None:
    """Reads and writes alike: 401, and the limit of the address; nobody but signed-in staff is told about CSRF."""
    client = Client(enforce_csrf_checks=True)
    token, secret = tokens.create_token(name="t", scopes=tokens.SCOPES)
    headers = {} if kind in ("nothing", "no session", "no staff") else bearer(secret)
    if kind == "wrong":
        headers = bearer(secret + "x")
    elif kind == "basic":
        headers = {"Authorization": "Basic YWRtaW46YWRtaW4="}
    elif kind == "expired":
        ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now() - dt.timedelta(days=1))
    elif kind == "revoked":
        tokens.revoke_token("t")
    elif kind == "no session":
        client.cookies[django_settings.SESSION_COOKIE_NAME] = "none such"
    elif kind == "no staff":
        client.force_login(get_user_model().objects.create_user("kim", password="x"))
    counted = 0
    for method, path in operations(client):
        answer = client.generic(method, path, "{}", content_type="application/json", headers=headers)
        assert answer.status_code == 401, (method, path)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.json()["detail"].startswith("Not authenticated")
        counted += 1
        assert counted_by_address() == counted, (method, path)
        if counted == 50:
            cache.clear()
            counted = 0
    for method in ("GET", "POST"):
        answers = [client.generic(method, READ, headers=headers).status_code for _ in range(61)]
        assert answers[-1] == 429


def test_every_operation_tells_a_token_which_scope_it_lacks(settings: Settings) -> None:
    """403 that names it, counted like what the token is let in for."""
    client = Client(enforce_csrf_checks=True)
    for method, path in operations(client):
        for scope in tokens.SCOPES:
            reads = method == "GET" or path.endswith("/compile")
            needed = "admin" if path == ADMIN else "read" if reads else "write"
            if scope != needed:
                answer = client.generic(method, path, headers=bearer(make_token(scope)))
                assert (answer.status_code, f"'{needed}'" in answer.json()["detail"]) == (403, True), (method, path)
    assert counted_by_address() == 0
    settings.RATE_LIMIT_RPM = 5
    secret = make_token("read")
    assert [create(client, **bearer(secret)) for _ in range(6)] == [403] * 5 + [429]


def operations(client: Client) -> list[tuple[str, str]]:
    """Method and address of each operation that the document names, but for health, which is open."""
    paths = client.get("/api/openapi.json").json()["paths"]
    return [
        (method.upper(), path.replace("{", "").replace("}", ""))
        for path, found in paths.items()
        for method in found
        if path != "/api/health"
    ]


def counted_by_address() -> int:
    request = RequestFactory().get(READ)
    throttle = AddressThrottle()
    return len(throttle.cache.get(throttle.get_cache_key(request), []))


def test_a_secret_that_people_make_up_cannot_be_guessed_without_end(client: Client, settings: Settings) -> None:
    """Beyond the limit of its address a short AUTH_TOKEN counts as wrong, at health too; long ones and ours don't."""
    settings.API_AUTH_TOKEN = "hunter2"
    for number in range(30):
        assert client.get("/api/health", headers=bearer(f"guess {number}")).json() == {"status": "ok"}
        assert create(client, **bearer(f"guess {number}")) == 401
    assert client.get(READ, headers=bearer("hunter2")).status_code == 429
    assert create(client, **bearer("hunter2")) == 429
    assert client.get("/api/health", headers=bearer("hunter2")).json() == {"status": "ok"}
    assert client.get(READ, headers=bearer("hunter2"), REMOTE_ADDR="192.0.2.9").status_code == 200
    assert create(client, **bearer(make_token("write"))) == 201
    settings.API_AUTH_TOKEN = "0123456789abcdef0123"
    assert client.get(READ, headers=bearer(settings.API_AUTH_TOKEN)).status_code == 200


def test_monitors_without_a_token_are_not_counted(client: Client) -> None:
    assert {client.get(path).status_code for _ in range(40) for path in ("/health", "/api/health")} == {200}
    assert counted_by_address() == 0


def test_open_mode_is_for_this_machine_only(client: Client, settings: Settings) -> None:
    settings.API_AUTH = False
    assert client.get(READ).status_code == 200
    assert create(client) == 201
    assert client.get(READ, REMOTE_ADDR="192.0.2.7").status_code == 401


def test_wrong_tokens_are_counted_by_address(client: Client) -> None:
    """After 60 in a minute the address waits, a right token at the same address doesn't."""
    answers = [client.get(READ, headers=bearer(f"wrong {i}")) for i in range(61)]
    assert [answer.status_code for answer in answers] == [401] * 60 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert client.get(READ, headers=bearer("wrong"), REMOTE_ADDR="192.0.2.8").status_code == 401
    assert client.get(READ, headers=bearer(make_token("read"))).status_code == 200


def test_requests_without_a_token_are_counted_too(client: Client) -> None:
    answers = [client.get(READ).status_code for _ in range(61)]
    assert answers == [401] * 60 + [429]


@pytest.mark.parametrize("hours", [-1, 1])
@pytest.mark.parametrize("kind", [AddressThrottle, TokenThrottle])
def test_a_clock_that_is_set_makes_nobody_wait_for_longer_than_a_minute(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, kind: type[Throttle], hours: int
) -> None:
    settings.RATE_LIMIT_RPM = settings.ANONYMOUS_RPM = 60
    request = RequestFactory().get(READ)
    request.auth = Caller("token", frozenset(), token=object())  # type: ignore[attr-defined]  # as ninja does
    wall_clock = time.time

    def ask() -> tuple[bool, float]:
        throttle = kind()
        return throttle.allow_request(request), throttle.wait() or 60

    assert [ask()[0] for _ in range(61)] == [True] * 60 + [False]
    for module, name in ((time, "time"), (SimpleRateThrottle, "timer")):  # ninja holds the wall clock itself
        monkeypatch.setattr(module, name, staticmethod(lambda: wall_clock() + hours * 3600))
    admitted, wait = ask()
    assert admitted == (hours > 0)  # set forward, its cache has forgotten the counter
    assert wait <= 60
    assert not [ask()[0] for _ in range(61)][-1]
    monkeypatch.setattr(Throttle, "timer", staticmethod(lambda: time.monotonic() + 61))
    assert ask()[0]


def test_a_forwarded_address_counts_only_from_a_trusted_proxy(client: Client, settings: Settings) -> None:
    def ask(number: int) -> int:
        return client.get(READ, headers={**bearer("wrong"), "X-Forwarded-For": f"198.51.100.{number}"}).status_code

    assert [ask(number) for number in range(61)][-1] == 429
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    assert {ask(number) for number in range(61)} == {401}


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1"])
def test_pages_of_other_origins_may_not_write(client: Client, origin: str) -> None:
    assert create(client, **bearer(make_token("write")), Origin=origin) == 403


@pytest.mark.parametrize("origin", ["http://localhost:5199", "http://testserver"])
def test_the_frontend_and_our_own_pages_may(client: Client, origin: str) -> None:
    assert create(client, **bearer(make_token("write")), Origin=origin) == 201


def test_the_frontend_may_ask_across_origins(client: Client) -> None:
    headers = {
        "Origin": "http://localhost:5199",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "x-confirm-delete, authorization",
    }
    answer = client.options(READ, headers=headers)
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:5199"
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Origin" not in client.options(READ, headers={**headers, "Origin": "http://x"}).headers


def test_programs_pass_by_what_only_browsers_need(client: Client, admin_client: Client) -> None:
    """A token alone opens no session; beside a wrong token, the cookie of signed-in staff still counts."""
    answer = client.get(READ, headers=bearer(make_token("read")))
    assert answer.status_code == 200
    assert not hasattr(answer.wsgi_request, "session")
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert admin_client.get(READ, headers=bearer("pa_none_such")).status_code == 200
    assert client.get(READ, headers=bearer("pa_none_such")).status_code == 401
