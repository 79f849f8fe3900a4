"""Who may call what: every operation of the API, for every kind of caller, derived from the scope that it declares."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from promptadmin.accounts import tokens
from promptadmin.api.auth import ALL_SCOPES, OpenAuth, StaffAuth, TokenAuth
from promptadmin.http.methods import READING_METHODS
from promptadmin.urls import api
from tests.support.people import make_staff
from tests.support.token_names import token_name

pytestmark = pytest.mark.django_db

SHARED = "as PromptForge had it"
OPEN = {"get_health"}
ROLE_SCOPES = {
    "viewer": {"read"},
    "editor": {"read", "write"},
    "operator": {"read"},
    "": set(),
    "superuser": ALL_SCOPES,
}
FEWEST_OPERATIONS = 35


@dataclass(frozen=True)
class Door:
    """One operation: its id, its method and path, and the scope that it asks for; None for one that is open."""

    id: str
    method: str
    path: str
    scope: str | None


def doors() -> Iterator[Door]:
    """Every operation that the API answers to, also those that its document leaves out."""
    for router in api._get_bound_routers():
        for path, view in router.path_operations.items():
            for operation in view.operations:
                callbacks = operation.auth_callbacks or ()
                for method in operation.methods:
                    name = operation.operation_id or operation.view_func.__name__
                    yield Door(
                        name,
                        method,
                        re.sub("/+", "/", f"/api/{router.prefix}/{path}").rstrip("/"),
                        declared_scope(name, method, callbacks),
                    )


def declared_scope(name: str, method: str, callbacks: Any) -> str | None:
    """The scope of an operation's ways in. Fails for one that is open or has ways in of its own."""
    if not callbacks:
        assert name in OPEN, f"{name} declares no scope: give it auth=access(), or name it in OPEN"
        return None
    assert {type(way) for way in callbacks} == {TokenAuth, StaffAuth, OpenAuth}, f"{name} has ways in of its own"
    scopes = {way.scope for way in callbacks if isinstance(way, TokenAuth | StaffAuth)}
    assert len(scopes) == 1, f"{name}: {scopes}"
    return scopes.pop() or ("read" if method in READING_METHODS else "write")


def ask(door: Door, client: Client, **headers: str) -> int:
    """The status of a request that has nothing but the caller right: it can change nothing."""
    path = door.path.replace("{", "no-such-").replace("}", "")
    body = "" if door.method in READING_METHODS else "["
    answer = client.generic(door.method, path, body, "application/json", headers=headers)
    if answer.streaming:
        assert list(answer) is not None  # a stream that nobody reads leaves its session open
    return int(answer.status_code)


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def callers(settings: Settings) -> dict[str, tuple[Client, dict[str, str], frozenset[str] | None]]:
    """Each kind of caller: its client, its headers, and its scopes; None for one that is nobody."""
    settings.API_AUTH_TOKEN = SHARED
    found: dict[str, tuple[Client, dict[str, str], frozenset[str] | None]] = {}
    for scopes in (("read",), ("write",), ("admin",), tokens.SCOPES):
        live, secret = tokens.create_token(name=token_name(), scopes=scopes)
        found[f"token {'+'.join(scopes)}"] = (Client(), bearer(secret), frozenset(scopes))
    revoked, secret = tokens.create_token(name="revoked", scopes=tokens.SCOPES)
    tokens.revoke_token(revoked.prefix)
    found["revoked token"] = (Client(), bearer(secret), None)
    expired, secret = tokens.create_token(name="expired", scopes=tokens.SCOPES)
    type(expired).objects.filter(pk=expired.pk).update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    found["expired token"] = (Client(), bearer(secret), None)
    found["unknown token"] = (Client(), bearer("pa_00000000_x"), None)
    found["known prefix, other secret"] = (Client(), bearer(f"pa_{live.prefix}_{'x' * 43}"), None)
    found["empty token"] = (Client(), bearer(""), None)
    found["other scheme"] = (Client(), {"Authorization": f"Basic {SHARED}"}, None)
    found["nothing"] = (Client(), {}, None)
    found["made-up session"] = (Client(), {"Cookie": "sessionid=abcdefghijklmnopqrstuvwxyz012345"}, None)
    found["AUTH_TOKEN"] = (Client(), bearer(SHARED), ALL_SCOPES)
    for role, granted in ROLE_SCOPES.items():
        client = Client()
        client.force_login(User.objects.create_superuser("root") if role == "superuser" else make_staff(role))
        found[f"staff: {role or 'no role'}"] = (client, {}, frozenset(granted))
    customer = Client()
    customer.force_login(User.objects.create_user("customer"))
    found["signed in, but not staff"] = (customer, {}, None)
    return found


def test_every_operation_declares_a_scope() -> None:
    """The table below is made of all of them; each has an id, which is its own."""
    known = list(doors())
    assert len(known) >= FEWEST_OPERATIONS
    assert len({(door.method, door.path) for door in known}) == len(known)
    assert {door.id for door in known if door.scope is None} == OPEN
    assert {door.scope for door in known} == {None, "read", "write", "admin"}


def test_every_operation_for_every_caller(
    callers: dict[str, tuple[Client, dict[str, str], frozenset[str] | None]],
) -> None:
    """401 for nobody, 403 without the scope, and anything else with it: the request itself is then what is refused."""
    wrong = []
    for door in doors():
        for name, (client, headers, scopes) in callers.items():
            cache.clear()  # or strangers would be asked to wait
            status = ask(door, client, **headers)
            if door.scope is None:
                is_right = status == 200
            elif scopes is None:
                is_right = status == 401
            elif door.scope not in scopes:
                is_right = status == 403
            else:
                is_right = status in (200, 400, 404, 409, 412, 422, 428, 501)
            if not is_right:
                wrong.append(f"{door.method} {door.path} ({door.scope}) as {name}: {status}")
    assert not wrong, "\n".join(wrong)


def test_an_operation_without_a_scope_is_noticed() -> None:
    """The table's own check, on operations such as a plugin might add."""
    with pytest.raises(AssertionError, match="declares no scope"):
        declared_scope("get_everything", "GET", [])
    with pytest.raises(AssertionError, match="ways in of its own"):
        declared_scope("get_everything", "GET", [lambda request: True])
