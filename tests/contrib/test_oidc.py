"""Signing in through a provider: a real one in a process of its own, and a real server."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.apps import apps
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from promptadmin.conf import oidc
from promptadmin.conf.environment import Environment
from promptadmin.conf.oidc import OpenIdProvider
from promptadmin.contrib.oidc.models import Identity
from promptadmin.contrib.oidc.provider import SignInFailed
from tests.support.browsing import Answer, Browser
from tests.support.oidc_provider import Provider, providing
from tests.support.processes import Scratch
from tests.support.servers import Site, serving

SECRET = "the-key-of-the-server-with-a-provider-for-its-tests"
ENVIRONMENT: dict[str, Any] = {
    "PROMPTADMIN_SECRET_KEY": SECRET,
    "PROMPTADMIN_SESSION_COOKIE": "session",
    "PROMPTADMIN_PLUGINS": "projects,optimizations,registry,oidc",
    "PROMPTADMIN_OIDC_CLIENT_ID": "promptadmin",
    "PROMPTADMIN_OIDC_CLIENT_SECRET": "a-secret-of-the-client",
    "PROMPTADMIN_OIDC_TITLE": "Example login",
    "PROMPTADMIN_OIDC_ROLES": "prompt-team=editor,everybody=viewer,/staff/ops=operator",
}
NO_ROLE = "none of your groups there has a role here"


@dataclass
class Office:
    site: Site
    provider: Provider
    database: Path

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database, timeout=30)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def roles(self, name: str) -> tuple[bool, list[str]]:
        """Whether a user is staff, and the roles of theirs."""
        [(key, is_staff)] = self.rows("SELECT id, is_staff FROM auth_user WHERE username = ?", name)
        groups = "SELECT name FROM auth_group JOIN auth_user_groups g ON g.group_id = auth_group.id WHERE g.user_id = ?"
        return bool(is_staff), sorted(role for (role,) in self.rows(groups, key))

    def session(self, browser: Member) -> dict[str, Any]:
        [(data,)] = self.rows(
            "SELECT session_data FROM django_session WHERE session_key = ?", browser.cookies("/")["session"]
        )
        with override_settings(SECRET_KEY=SECRET):
            found: dict[str, Any] = SessionStore().decode(data)
        return found

    def renewal_was_due(self, browser: Member, seconds_ago: float) -> None:
        """As if the browser had been left alone for so long."""
        session = self.session(browser) | {"oidc_id_token_expiration": time.time() - seconds_ago}
        with override_settings(SECRET_KEY=SECRET):
            data = SessionStore().encode(session)
        key = browser.cookies("/")["session"]
        self.rows("UPDATE django_session SET session_data = ? WHERE session_key = ?", data, key)


class Member(Browser):
    """Somebody who has an account at the provider."""

    def __init__(self, office: Office, subject: str) -> None:
        super().__init__(office.site.address)
        self.office, self.subject = office, subject

    def leave(self, then: str = "/admin/") -> Answer:
        """From the page to sign in to the provider's."""
        page = self.ask(f"/admin/login/?{urlencode({'next': then})}")
        [link] = re.findall(r'href="(/oidc/authenticate/[^"]*)"', page.text)
        assert "Sign in with Example login" in page.words
        return self.ask(unescape(link))

    def come_back(self, asked: str) -> Answer:
        """Type a name at the provider, and be sent back."""
        there = self.ask(asked, {"sub": self.subject})
        assert there.status == 302, there.text
        return self.ask(there.leads_to)

    def enter(self, then: str = "/admin/") -> Answer:
        return self.come_back(self.leave(then).leads_to)

    def renew(self, page: Answer) -> Answer:
        """Follow a page that goes to the provider by itself, and back."""
        [there] = re.findall(r'http-equiv="refresh" content="0; url=([^"]+)"', page.text)
        assert "prompt=none" in there
        return self.ask(self.ask(unescape(there)).leads_to)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, new_file: bytes) -> Iterator[Office]:
    directory = tmp_path_factory.mktemp("office")
    database = directory / "x.db"
    database.write_bytes(new_file)
    with (
        providing() as provider,
        serving(
            directory, f"sqlite:///{database}", "--no-upkeep", PROMPTADMIN_OIDC_ISSUER=provider.issuer, **ENVIRONMENT
        ) as site,
    ):
        yield Office(site, provider, database)


@pytest.fixture
def member(office: Office, request: pytest.FixtureRequest) -> Member:
    """A member of the team, whom no other test knows."""
    subject = re.sub(r"\W+", "-", request.node.name)
    office.provider.set_user(
        subject, preferred_username=subject, email=f"{subject}@example.com", groups=["prompt-team"]
    )
    return Member(office, subject)


def test_a_member_signs_in_with_the_role_of_their_group(office: Office, member: Member) -> None:
    asked = member.leave("/admin/projects/prompt/?q=a").leads_to
    query = parse_qs(urlsplit(asked).query)
    assert asked.startswith(f"{office.provider.issuer}/oauth2/authorize?")
    assert query["redirect_uri"] == [f"{office.site.address}/oidc/callback/"]
    assert (query["code_challenge_method"], query["scope"]) == (["S256"], ["openid profile email"])
    assert min(len(query[name][0]) for name in ("state", "nonce", "code_challenge")) >= 32
    there = member.ask(asked, {"sub": member.subject}).leads_to
    back = member.ask(there)
    assert (back.status, back.headers["Location"]) == (302, "/admin/projects/prompt/?q=a")
    assert member.ask("/admin/projects/prompt/?q=a").status == 200
    assert office.roles(member.subject) == (True, ["editor"])
    [(email, password)] = office.rows("SELECT email, password FROM auth_user WHERE username = ?", member.subject)
    assert (email, password[:1]) == (f"{member.subject}@example.com", "!")
    # The same answer once more, as from a browser's history: nobody is signed in by it, nor out.
    assert member.ask(there).headers["Location"] == "/admin/login/"
    assert member.ask("/admin/").status == 200
    directives = member.ask("/admin/login/").headers["Content-Security-Policy"]
    assert "form-action 'self';" in f"{directives};"
    assert office.provider.issuer not in directives


def test_who_loses_the_group_loses_the_role_when_the_session_is_renewed(office: Office, member: Member) -> None:
    member.enter()
    office.renewal_was_due(member, 1)
    asked = member.ask("/admin/session/", Accept="application/json")  # by a script, which isn't sent there
    assert json.loads(asked.text)["user"]
    page = member.ask("/admin/projects/project/")
    assert "no-store" in page.headers["Cache-Control"]
    token = office.session(member)["_auth_user_hash"]
    assert member.renew(page).leads_to == f"{office.site.address}/admin/projects/project/"
    assert office.session(member)["_auth_user_hash"] == token
    assert member.ask("/admin/projects/project/").status == 200

    office.provider.set_user(member.subject, preferred_username=member.subject, groups=["others"])
    office.renewal_was_due(member, 1)
    back = member.renew(member.ask("/admin/projects/project/"))
    assert back.headers["Location"] == "/admin/login/"
    assert NO_ROLE in member.ask("/admin/login/").words
    assert member.ask("/admin/projects/project/").status == 302
    assert office.roles(member.subject) == (False, [])
    logged = office.rows("SELECT by, door FROM promptadmin_logentry WHERE object_repr = ?", member.subject)
    assert set(logged) == {("Example login", "sign-in")}
    assert member.enter().headers["Location"] == "/admin/login/"


def test_who_has_another_group_has_another_role_at_the_next_sign_in(office: Office, member: Member) -> None:
    member.enter()
    member.sign_out("/admin/")
    office.provider.set_user(member.subject, groups=["everybody", "/staff/ops", 7], preferred_username="renamed")
    assert member.enter().headers["Location"] == "/admin/"
    assert office.roles(member.subject) == (True, ["operator", "viewer"])
    assert member.ask("/admin/projects/project/add/").status == 403
    member.sign_out("/admin/")
    office.provider.set_user(member.subject, groups="everybody")
    member.enter()
    assert office.roles(member.subject) == (True, ["viewer"])


def test_who_has_no_role_becomes_no_user(office: Office, member: Member) -> None:
    office.provider.set_user(member.subject, preferred_username=member.subject)
    assert member.enter().headers["Location"] == "/admin/login/"
    assert NO_ROLE in member.ask("/admin/login/").words
    assert office.rows("SELECT id FROM auth_user WHERE username = ?", member.subject) == []


def test_a_name_that_somebody_has_is_nobody_elses(office: Office, member: Member) -> None:
    """Neither a local user's nor another account's: only the provider's own id tells who somebody is."""
    office.provider.set_user(
        member.subject, preferred_username=office.site.user, email="admin@example.com", groups=["everybody"]
    )
    assert member.enter().headers["Location"] == "/admin/"
    assert office.roles(f"{office.site.user}-2") == (True, ["viewer"])
    assert office.rows("SELECT count(*) FROM auth_user WHERE is_superuser") == [(1,)]


def test_who_is_deactivated_here_stays_out(office: Office, member: Member) -> None:
    member.enter()
    office.rows("UPDATE auth_user SET is_active = 0 WHERE username = ?", member.subject)
    assert member.ask("/admin/").status == 302
    assert member.enter().headers["Location"] == "/admin/login/"
    assert "deactivated" in member.ask("/admin/login/").words


def test_a_session_that_is_never_renewed_ends(office: Office, member: Member) -> None:
    """Forms and scripts go on for as long as somebody may be away, so that nobody loses what they type."""
    member.enter()
    fields = {"csrfmiddlewaretoken": member.form_token("/admin/projects/project/add/"), "name": member.subject}
    office.renewal_was_due(member, 600)
    assert (
        member.ask("/admin/projects/project/add/", fields | {"description": ""}).headers["Location"] != "/admin/login/"
    )
    office.renewal_was_due(member, 3601)
    assert json.loads(member.ask("/admin/session/", Accept="application/json").text)["user"] is None


def test_who_signed_out_at_the_provider_is_signed_out_here(office: Office, member: Member) -> None:
    member.enter()
    office.provider.forget_sign_in()
    office.renewal_was_due(member, 1)
    assert member.renew(member.ask("/admin/")).headers["Location"] == "/admin/login/"
    assert "You have to sign in there again" in member.ask("/admin/login/").words
    assert member.ask("/admin/").status == 302


@pytest.mark.parametrize("query", ["code=x&state=made-up", "error=access_denied&state=x", "error=login_required", ""])
def test_an_answer_to_no_question_ends_no_session(query: str, office: Office) -> None:
    browser = Browser(office.site.address)
    browser.sign_in("/admin/", office.site.user, office.site.password)
    assert browser.ask(f"/oidc/callback/?{query}").headers["Location"] == "/admin/login/"
    assert browser.ask("/admin/").status == 200


def test_while_the_provider_is_away_a_local_superuser_gets_in(office: Office, member: Member) -> None:
    member.enter()
    waiting = Member(office, "waiting")
    asked = waiting.leave().leads_to
    answer = waiting.ask(asked, {"sub": "waiting"}).leads_to
    office.renewal_was_due(member, 1)
    office.provider.stop()
    try:
        local = Browser(office.site.address)
        began = time.monotonic()
        assert local.sign_in("/admin/", office.site.user, office.site.password).headers["Location"] == "/admin/"
        assert local.ask("/admin/auth/user/").status == 200
        assert time.monotonic() - began < 5
        assert waiting.ask(answer).headers["Location"] == "/admin/login/"
        said = waiting.ask("/admin/login/").words
        assert "Example login can't be reached" in said
        assert "Who has a password here can sign in with it" in said
        assert "prompt=none" in member.ask("/admin/").text  # whose browser can't get there until the provider is back
    finally:
        office.provider.start()


def test_the_doctor_looks_at_provider_roles_and_the_way_in_without(office: Office) -> None:
    def examine(**changed: str) -> dict[str, list[str]]:
        variables = {**ENVIRONMENT, "PROMPTADMIN_OIDC_ISSUER": office.provider.issuer, **changed}
        scratch = Scratch(office.database.parent)
        done = scratch.manage("doctor", "--json", DATABASE_URL=f"sqlite:///{office.database}", **variables)
        found: dict[str, list[str]] = {}
        for one in json.loads(done.stdout)["findings"]:
            found.setdefault(one["id"], []).append(one["severity"])
        return {name: levels for name, levels in found.items() if "O00" in name}

    assert examine() == {"O001": ["ok"], "O002": ["ok"], "O003": ["ok"]}
    wrong = examine(PROMPTADMIN_OIDC_ROLES="a=editors", PROMPTADMIN_OIDC_ISSUER=f"{office.provider.issuer}/elsewhere")
    assert wrong == {"O001": ["error"], "O002": ["error"], "O003": ["ok"]}


TOKEN = {"iss": "https://login.example.com", "aud": "promptadmin", "sub": "1", "exp": 1}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, ""),
        ({"aud": ["other", "promptadmin"], "azp": "promptadmin"}, ""),
        ({"iss": "https://evil.example"}, "issued by"),
        ({"aud": "other"}, "another application"),
        ({"aud": ["promptadmin", "other"], "azp": "other"}, "another application"),
        ({"sub": ""}, "whose it is"),
        ({"exp": None}, ""),
    ],
)
def test_a_token_that_is_not_ours(changed: dict[str, Any], words: str) -> None:
    from promptadmin.contrib.oidc.backend import check_token

    with override_settings(OIDC=read()):
        if not words:
            check_token(TOKEN | changed)
        else:
            with pytest.raises(SignInFailed, match=words):
                check_token(TOKEN | changed)


def read(**changed: str) -> OpenIdProvider | None:
    variables = {**ENVIRONMENT, "PROMPTADMIN_OIDC_ISSUER": "https://login.example.com/", **changed}
    return OpenIdProvider.read(Environment(variables), is_on=True)


def test_groups_and_roles_are_read() -> None:
    found = read(PROMPTADMIN_OIDC_ROLES="cn=a=editor, cn=a=viewer,/b = viewer")
    assert found is not None
    assert found.roles == {"cn=a": ["editor", "viewer"], "/b": ["viewer"]}
    assert found.issuer == "https://login.example.com"
    assert OpenIdProvider.read(Environment({}), is_on=False) is None


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PROMPTADMIN_OIDC_ISSUER", "", "isn't set"),
        ("PROMPTADMIN_OIDC_CLIENT_ID", "", "isn't set"),
        ("PROMPTADMIN_OIDC_CLIENT_SECRET", " ", "isn't set"),
        ("PROMPTADMIN_OIDC_ROLES", "", "isn't set"),
        ("PROMPTADMIN_OIDC_ROLES", "editor", "use the form group=role"),
        ("PROMPTADMIN_OIDC_ROLES", "=editor", "use the form group=role"),
        ("PROMPTADMIN_OIDC_ISSUER", "login.example.com", "use the address"),
        ("PROMPTADMIN_OIDC_ISSUER", "http://login.example.com", "use the address"),
        ("PROMPTADMIN_OIDC_ISSUER", "https://login.example.com/?a=b", "use the address"),
        ("PROMPTADMIN_OIDC_SCOPES", "email", "'openid' must be one"),
        ("PROMPTADMIN_OIDC_ALGORITHM", "HS256", "use one of"),
        ("PROMPTADMIN_OIDC_RENEW_MINUTES", "0", "whole number"),
    ],
)
def test_a_wrong_setting_says_which_and_what_to_do(name: str, value: str, words: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"{name}.*{words}"):
        read(**{name: value})


def test_without_its_package_the_plugin_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oidc, "find_spec", lambda name: None)
    with pytest.raises(ImproperlyConfigured, match=r"pip install 'promptadmin\[oidc\]'"):
        read()


def test_no_migration_is_missing(scratch: Scratch) -> None:
    variables = {**ENVIRONMENT, "PROMPTADMIN_OIDC_ISSUER": "https://login.example.com"}
    done = scratch.manage("makemigrations", "--check", "--dry-run", "oidc", **variables)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_server_without_the_plugin_does_not_ask_for_its_table() -> None:
    """Importing its model isn't enough for Django to take it for one of the platform's."""
    assert Identity not in apps.get_models()
