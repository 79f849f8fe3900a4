"""Passwords can't be guessed without end, nobody locks out others, and sessions end."""

from __future__ import annotations

import datetime as dt

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from promptadmin.accounts import session_limits
from promptadmin.plugins.steps import JobResult
from tests.support.people import make_staff, signed_in

pytestmark = pytest.mark.django_db
HERE, THERE = "192.0.2.1", "192.0.2.2"
PASSWORD = "correct horse"


@pytest.fixture(autouse=True)
def few_failures(settings: Settings) -> None:
    settings.AXES_FAILURE_LIMIT = 3


@pytest.fixture
def ada() -> User:
    return make_staff("viewer")


def try_password(password: str, address: str = HERE, name: str = "viewer", **headers: str) -> tuple[int, Client]:
    client = Client()
    answer = client.post(
        "/admin/login/?next=/admin/",
        {"username": name, "password": password},
        REMOTE_ADDR=address,
        headers=headers,
    )
    return answer.status_code, client


def lock_out(address: str = HERE) -> None:
    assert [try_password("wrong", address)[0] for _ in range(3)] == [200, 200, 429]


def test_guessing_ends_and_the_right_password_waits_too(ada: User) -> None:
    """After the last failure that is allowed not even the right password is tried, and the page says how to go on."""
    lock_out()
    answer = Client().post("/admin/login/", {"username": "viewer", "password": PASSWORD}, REMOTE_ADDR=HERE)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "900"
    text = answer.content.decode()
    assert "15 minutes" in text
    assert "axes_reset_username" in text


def test_a_lockout_is_for_one_name_at_one_address(ada: User) -> None:
    """Guessing at a name from elsewhere keeps its owner out of nothing, nor others at the guesser's address."""
    User.objects.create_user("kim", password=PASSWORD, is_staff=True)
    lock_out()
    assert try_password(PASSWORD, THERE)[0] == 302
    assert try_password(PASSWORD, HERE, "kim")[0] == 302


def test_an_address_that_makes_up_names_is_locked_out_before_anything_is_hashed(
    ada: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the names are: 429 in words; others, and who is signed in, go on; it ends by itself."""
    settings.LOCKOUT_ADDRESS_FAILURES = 5
    signed_in_before = try_password(PASSWORD)[1]
    assert [try_password("x", name=f"name {number}")[0] for number in range(5)] == [200] * 5
    hashed: list[str] = []
    original = MD5PasswordHasher.encode

    def encode(self: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return original(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", encode)
    answer = Client().post("/admin/login/", {"username": "new", "password": "x"}, REMOTE_ADDR=HERE)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "900")
    assert f"axes_reset_ip {HERE}" in answer.content.decode()
    assert try_password(PASSWORD)[0] == 429
    assert hashed == []
    assert AccessAttempt.objects.count() == 5  # what is refused doesn't prolong it, nor fill the table
    assert signed_in_before.get("/admin/", REMOTE_ADDR=HERE).status_code == 200
    assert try_password(PASSWORD, THERE)[0] == 302
    settings.TRUSTED_PROXIES = [HERE]
    assert try_password(PASSWORD, **{"X-Forwarded-For": THERE})[0] == 302
    assert try_password(PASSWORD, **{"X-Forwarded-For": HERE})[0] == 429
    settings.TRUSTED_PROXIES = []
    AccessAttempt.objects.update(attempt_time=timezone.now() - dt.timedelta(minutes=16))
    assert try_password(PASSWORD)[0] == 302


def test_a_clock_that_was_put_back_prolongs_no_lockout(ada: User, settings: Settings) -> None:
    settings.LOCKOUT_ADDRESS_FAILURES = 3
    lock_out()
    AccessAttempt.objects.update(attempt_time=timezone.now() + dt.timedelta(days=30))
    assert try_password(PASSWORD)[0] == 302


def test_a_session_that_was_taken_over_guesses_no_password(ada: User) -> None:
    """The page that changes the password tries as many old ones as signing in does."""
    client = try_password(PASSWORD)[1]
    new = "a longer sentence 7"
    form = {"old_password": "wrong", "new_password1": new, "new_password2": new}
    assert [client.post("/admin/password_change/", form).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = client.post("/admin/password_change/", {**form, "old_password": PASSWORD})
    assert (refused.status_code, 0 < int(refused.headers["Retry-After"]) <= 900) == (429, True)
    assert client.get("/admin/password_change/").status_code == 200
    cache.clear()
    assert client.post("/admin/password_change/", {**form, "old_password": PASSWORD}).status_code == 302


def test_another_browser_or_a_made_up_address_changes_nothing(ada: User, settings: Settings) -> None:
    """The count goes by what a guesser can't choose; behind a trusted proxy by the address that the proxy gives."""
    for agent in ("one", "two", "three"):
        status = try_password("wrong", **{"User-Agent": agent, "X-Forwarded-For": f"198.51.100.{len(agent)}"})[0]
    assert status == 429
    settings.TRUSTED_PROXIES = [HERE]
    assert try_password(PASSWORD, **{"X-Forwarded-For": "198.51.100.7"})[0] == 302
    for address in ("198.51.100.8", f"1.1.1.1, {'198.51.100.8'}", "198.51.100.8"):
        status = try_password("wrong", **{"X-Forwarded-For": address})[0]
    assert status == 429
    assert try_password("wrong", **{"X-Forwarded-For": "no address"})[0] == 429  # the proxy's own, locked out above


def test_a_lockout_ends_by_itself_however_often_it_is_tried(ada: User) -> None:
    lock_out()
    AccessAttempt.objects.update(attempt_time=timezone.now() - dt.timedelta(minutes=14))
    assert try_password("wrong")[0] == 429
    AccessAttempt.objects.update(attempt_time=timezone.now() - dt.timedelta(minutes=16))
    assert try_password(PASSWORD)[0] == 302


def test_signing_in_forgets_the_failures_before(ada: User) -> None:
    for _ in range(3):
        assert try_password("wrong")[0] == 200
        assert try_password(PASSWORD)[0] == 302
    assert not AccessAttempt.objects.exists()


def test_what_was_typed_is_not_kept(ada: User) -> None:
    try_password("my other password")
    row = str(AccessAttempt.objects.values().get())
    assert "my other password" not in row
    assert "viewer" in row


def test_operators_see_and_lift_lockouts(ada: User) -> None:
    """On the page, which viewers don't have, and by the command."""
    lock_out()
    assert Client().get("/admin/axes/accessattempt/").status_code == 302
    viewer = Client()
    viewer.force_login(ada)
    assert viewer.get("/admin/axes/accessattempt/").status_code == 403
    operator = signed_in("operator")
    assert "viewer" in operator.get("/admin/axes/accessattempt/").content.decode()
    form = {"action": "delete_selected", "_selected_action": AccessAttempt.objects.get().pk, "post": "yes"}
    assert operator.post("/admin/axes/accessattempt/", form).status_code == 302
    assert try_password(PASSWORD)[0] == 302
    lock_out()
    call_command("axes_reset_username", "viewer")
    assert try_password(PASSWORD)[0] == 302


# ------------------------------------------------------------ sessions
def in_admin(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def age(client: Client, **seconds: int) -> None:
    session = client.session
    for name, value in seconds.items():
        session[name] -= value
    session.save()


def test_a_session_ends_after_an_absence_and_after_a_day(ada: User) -> None:
    """Being busy keeps it, but not longer than its whole life; the API ends with it."""
    for ending in ({"seen_at": 3600}, {"signed_in_at": 12 * 3600}):
        client = try_password(PASSWORD)[1]
        age(client, seen_at=3500, signed_in_at=3500)
        assert in_admin(client)
        age(client, **ending)
        assert client.get("/api/projects").status_code == 401
        assert not in_admin(client)


def test_a_busy_session_is_written_once_a_minute(ada: User) -> None:
    client = try_password(PASSWORD)[1]
    before = Session.objects.get().session_data
    assert in_admin(client)
    assert Session.objects.get().session_data == before
    age(client, seen_at=61)
    assert in_admin(client)
    assert client.session["seen_at"] - client.session["signed_in_at"] < 61


def test_a_session_from_before_the_clock_was_set_back_ends_no_later_for_it(ada: User) -> None:
    client = try_password(PASSWORD)[1]
    age(client, seen_at=-3600, signed_in_at=-3600)
    assert in_admin(client)
    assert client.session["seen_at"] < client.session["signed_in_at"] - 3000


def test_a_session_of_an_earlier_release_goes_on_from_now(ada: User) -> None:
    client = try_password(PASSWORD)[1]
    session = client.session
    del session["seen_at"], session["signed_in_at"]
    session.save()
    assert in_admin(client)
    assert {"seen_at", "signed_in_at"} <= set(client.session.keys())


def test_a_new_password_ends_other_sessions_and_keeps_this_one_under_another_key(ada: User) -> None:
    here, elsewhere = try_password(PASSWORD)[1], try_password(PASSWORD)[1]
    key = here.session.session_key
    new = "a longer sentence 7"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert here.post("/admin/password_change/", form).status_code == 302
    assert in_admin(here)
    assert here.session.session_key != key
    assert not in_admin(elsewhere)


def test_signing_in_gives_a_new_key_and_out_removes_it(ada: User) -> None:
    """A key that somebody planted in the browser before is worth nothing afterwards."""
    client = Client()
    client.get("/admin/login/")
    planted = client.session
    planted["x"] = 1
    planted.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = str(planted.session_key)
    client.post("/admin/login/", {"username": "viewer", "password": PASSWORD})
    assert client.session.session_key != planted.session_key
    key = client.session.session_key
    client.post("/admin/logout/")
    assert not Session.objects.filter(pk=key).exists()


def test_nobody_who_is_dismissed_stays_signed_in(ada: User) -> None:
    client = try_password(PASSWORD)[1]
    User.objects.update(is_active=False)
    assert not in_admin(client)


@pytest.mark.parametrize("password", ["elevenchars", "lovelace@example", "1q2w3e4r5t6y", "123456789012345"])
def test_weak_passwords_are_refused(ada: User, password: str) -> None:
    """Too short, too like the name, too common, nothing but digits."""
    User.objects.update(email="lovelace@example.org")
    client = try_password(PASSWORD)[1]
    form = {"old_password": PASSWORD, "new_password1": password, "new_password2": password}
    assert client.post("/admin/password_change/", form).status_code == 200
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)


def test_expired_sessions_are_removed_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_limits, "SESSIONS_IN_A_PIECE", 2)
    now = timezone.now()
    for number, days in enumerate((-3, -2, -1, 1)):
        expires = now + dt.timedelta(days=days)
        Session.objects.create(session_key=f"key{number}", session_data="", expire_date=expires)
    assert session_limits.remove_expired("default") == JobResult(2, 1)
    assert session_limits.remove_expired("default") == JobResult(1, 0)
    assert Session.objects.get().session_key == "key3"
