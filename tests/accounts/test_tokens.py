"""The commands and the rules around API tokens."""

from __future__ import annotations

import datetime as dt
import json
import re
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from promptadmin.accounts import tokens
from promptadmin.errors import Invalid, NotFound
from promptadmin.models import ApiToken

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command(*arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_a_made_token_is_found_listed_and_revoked() -> None:
    secret, note = run("create_api_token", "nightly", "--scope", "read", "--days", "2")
    assert "read" in note
    found = tokens.find_token(secret.strip())
    assert found is not None
    assert found.scopes == {"read"}
    assert found.expires_at is not None
    assert found.expires_at - timezone.now() > dt.timedelta(days=1, hours=23)

    listed = run("list_api_tokens")[0]
    assert "nightly: read; expires" in listed
    assert secret.strip() not in listed
    assert json.loads(run("list_api_tokens", "--json")[0])[0]["name"] == "nightly"

    assert "Revoked nightly" in run("revoke_api_token", "nightly")[0]
    assert tokens.find_token(secret.strip()) is None
    assert "revoked" in run("list_api_tokens")[0]


def test_the_default_scopes_are_read_and_write() -> None:
    run("create_api_token", "x")
    assert ApiToken.objects.get().scopes == {"read", "write"}


def test_a_token_may_promote_only_where_it_was_made_so() -> None:
    run("create_api_token", "x", "--scope", "read", "--scope", "promote")
    assert ApiToken.objects.get().scopes == {"read", "promote"}


def test_an_empty_list_says_how_to_make_one() -> None:
    assert "create_api_token" in run("list_api_tokens")[0]


def same_names() -> tuple[ApiToken, ApiToken]:
    """Two tokens of one name, as they could once be made."""
    first, _ = tokens.create_token(name="same", scopes=["read"])
    second, _ = tokens.create_token(name="other", scopes=["read"])
    ApiToken.objects.filter(pk=second.pk).update(name="same")
    return first, second


def test_the_name_of_a_token_in_use_is_refused_at_each_door() -> None:
    """A revoked and an expired token leave theirs to the next one."""
    token, _ = tokens.create_token(name="nightly", scopes=["read"])
    told = f"There is a token nightly ({token.prefix}…) already: choose another name, or revoke that one first."
    with pytest.raises(CommandError, match=re.escape(told)):
        run("create_api_token", " nightly ")
    browser = Client()
    browser.force_login(User.objects.create_superuser("root"))
    form = {"name": "nightly", "can_read": "on"}
    page = browser.post("/admin/promptadmin/apitoken/add/", form)
    assert page.context["adminform"].form.errors == {"name": [told]}
    assert ApiToken.objects.count() == 1
    tokens.revoke_token("nightly")
    assert browser.post("/admin/promptadmin/apitoken/add/", form).status_code == 302
    ApiToken.objects.filter(revoked_at=None).update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    secret = run("create_api_token", "nightly")[0].strip()
    assert "Revoked nightly" in run("revoke_api_token", "nightly")[0]
    assert tokens.find_token(secret) is None


def test_two_tokens_of_one_name_from_before_both_work() -> None:
    first, first_secret = tokens.create_token(name="one", scopes=["read"])
    second, second_secret = tokens.create_token(name="two", scopes=["write"])
    ApiToken.objects.update(name="same")
    assert [tokens.find_token(secret) for secret in (first_secret, second_secret)] == [first, second]
    with pytest.raises(CommandError, match="There is a token same"):
        run("create_api_token", "same")


def test_an_ambiguous_or_unknown_token_is_not_revoked() -> None:
    first, _ = same_names()
    for name in ("same", "nobody"):
        with pytest.raises(CommandError, match=first.prefix):
            call_command("revoke_api_token", name)
    assert not ApiToken.objects.exclude(revoked_at=None).exists()
    tokens.revoke_token(first.prefix)
    with pytest.raises(NotFound):
        tokens.revoke_token(first.prefix)


def test_a_token_needs_a_name_scopes_and_a_future() -> None:
    for name, scopes, expires_at in [
        (" ", ["read"], None),
        ("x", [], None),
        ("x", ["everything"], None),
        ("x", ["read"], timezone.now()),
    ]:
        with pytest.raises(Invalid):
            tokens.create_token(name=name, scopes=scopes, expires_at=expires_at)
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("text", ["", "pa", "pa__", "pa_x_", "xx_00000000_yyyy", "pa_00000000_y", "\x00", "pa_é_é"])
def test_texts_that_are_no_token_find_none(text: str) -> None:
    tokens.create_token(name="x", scopes=["read"])
    assert tokens.find_token(text) is None
