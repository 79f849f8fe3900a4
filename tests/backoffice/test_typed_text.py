"""What somebody typed is not lost: each refusal leads back to the form, or gives the text back."""

from __future__ import annotations

import html
import re
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client, RequestFactory
from pytest_django import Settings

from projects.models import Prompt
from projects.repository import ProjectRepository
from promptadmin.db.infrastructure_errors import BUSY, FULL, Fault
from promptadmin.http import error_responses
from promptadmin.models import KeptAnswer
from tests.projects.making import make_project, make_prompt
from tests.support.people import make_staff, signed_in

pytestmark = pytest.mark.django_db

OWN = "http://testserver"
PASSWORD = "correct horse"
TEXT = "An hour of work\n<b>& more</b>"
SESSION = "/admin/session/"


@pytest.fixture
def careful() -> Client:
    """A browser that sends where its forms come from."""
    client = Client(enforce_csrf_checks=True, headers={"Origin": OWN})
    client.force_login(User.objects.create_superuser("root"))
    return client


def hidden(page: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in found}


# ------------------------------------------------------------ signing in
@pytest.mark.parametrize(
    ("query", "end"),
    [
        ("", "/admin/"),
        ("?next=", "/admin/"),
        ("?next=//evil.example/", "/admin/"),
        ("?next=https://evil.example/", "/admin/"),
        ("?next=javascript:alert(1)", "/admin/"),
        ("?next=/admin/projects/prompt/%3Fq%3Dx", "/admin/projects/prompt/?q=x"),
    ],
)
def test_signing_in_ends_where_somebody_wanted_to_be(query: str, end: str) -> None:
    """At the start, where they didn't say, or named another site; whoever is signed in already goes there at once."""
    make_staff("editor")
    client = Client()
    for _ in range(2):
        answer = client.post(f"/admin/login/{query}", {"username": "editor", "password": PASSWORD})
        assert (answer.status_code, answer["Location"]) == (302, end)
    assert client.get(end).status_code == 200
    answer = client.get(f"/admin/login/{query}")
    assert (answer.status_code, answer["Location"]) == (302, end)


@pytest.mark.parametrize("address", ["/admin/login/", "/admin/login/?next=/admin/login/"])
def test_the_page_to_sign_in_leads_nobody_in_a_circle(address: str) -> None:
    assert signed_in("viewer").get(address)["Location"] == "/admin/"


def test_after_the_end_of_a_session_one_comes_back_to_the_form() -> None:
    """Whence it was sent: the address that takes it may take nothing else. Not to another site's page."""
    client = Client()
    form = "/admin/projects/project/x/change/?prompts=2"
    for address in ("/admin/projects/project/x/reorder/", "/admin/operations/backup/", "/admin/projects/prompt/add/"):
        answer = client.post(address, {}, headers={"Referer": f"{OWN}{form}"})
        assert answer["Location"] == f"/admin/login/?next={quote(form, safe='/')}"
        for other in ("", "https://evil.example/admin/x", f"{OWN}//evil.example/", f"{OWN}/api/docs"):
            answer = client.post(address, {}, headers={"Referer": other})
            assert answer["Location"] == f"/admin/login/?next={address}"


def test_scripts_are_told_that_a_session_is_over() -> None:
    """A redirection to the page to sign in would count as a success: an order of prompts was said to be stored."""
    project = make_project()
    answer = Client().post(f"/admin/projects/project/{project.pk}/reorder/", headers={"Accept": "application/json"})
    assert answer.status_code == 401
    assert "sign in" in answer.json()["detail"]


# ------------------------------------------------------------ refusals
def test_an_expired_form_is_sent_again_with_its_text(careful: Client) -> None:
    project = make_project()
    page = careful.get("/admin/projects/prompt/add/").content.decode()
    form = hidden(page) | {"project": project.pk, "content": TEXT, "_save": "Save"}
    careful.cookies["csrftoken"] = "n" * 32  # as after signing in in another tab
    headers = {"Referer": f"{OWN}/admin/projects/prompt/add/"}
    refused = careful.post("/admin/projects/prompt/add/", form, headers=headers)
    shown = refused.content.decode()
    assert refused.status_code == 403
    assert html.escape(TEXT) in shown
    assert "<b>" not in shown
    assert 'href="/admin/projects/prompt/add/"' in shown
    assert "form-action 'self'" in refused["Content-Security-Policy"]
    again = hidden(shown)
    assert again["_form"] == form["csrfmiddlewaretoken"]
    assert again.items() >= {"project": project.pk, "content": TEXT, "_save": "Save"}.items()
    for _ in range(2):
        assert careful.post("/admin/projects/prompt/add/", again).status_code == 302
    assert Prompt.objects.get().content == TEXT
    state = careful.get(SESSION, {"form": form["csrfmiddlewaretoken"][:16]}).json()
    assert list(state["forms"].values()) == ["done"]


def test_another_sites_form_is_shown_nothing_and_sent_no_more(careful: Client) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "https://testserver"}):
        refused = careful.post("/admin/projects/prompt/add/", {"content": TEXT}, headers=headers)
        assert refused.status_code == 403
        assert "An hour" not in refused.content.decode()
        assert "<form" not in refused.content.decode()
        careful.get("/admin/login/")


def test_secrets_stand_on_no_page(careful: Client) -> None:
    careful.get("/admin/auth/user/add/")
    form = {"username": "kim", "password1": "very secret 1", "password2": "very secret 2", "api_key": "very secret 3"}
    shown = careful.post("/admin/auth/user/add/", form).content.decode()
    assert "kim" in shown
    assert "very secret" not in shown
    assert "Send it again" not in shown


def test_a_stale_page_to_sign_in_is_loaded_anew() -> None:
    """Whoever has signed in in another tab goes on; a browser without cookies, and a wrong proxy, are told so."""
    client = Client(enforce_csrf_checks=True)
    form = {"username": "viewer", "password": PASSWORD}
    address = "/admin/login/?next=/admin/projects/prompt/"
    assert "sent no cookie" in client.post(address, form, headers={"Origin": OWN}).content.decode()
    client.get(address)
    answer = client.post(address, form, headers={"Origin": OWN})
    assert (answer.status_code, answer["Location"]) == (302, address)
    assert "PROMPTADMIN_TRUSTED_ORIGINS" in client.post(address, form, headers={"Origin": "https://x"}).content.decode()


@pytest.mark.parametrize("fault", [BUSY, FULL, error_responses.FAILED])
def test_faults_give_the_text_back(fault: Fault) -> None:
    request = RequestFactory().post("/admin/projects/prompt/add/", {"content": TEXT}, headers={"Origin": OWN})
    answer = error_responses.answer(request, fault)
    assert answer.status_code == fault.status
    assert html.escape(TEXT) in answer.content.decode()
    assert hidden(answer.content.decode())["content"] == TEXT


def test_a_failure_gives_the_text_back_and_it_may_be_sent_again(
    careful: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project()
    form = hidden(careful.get("/admin/projects/prompt/add/").content.decode())
    form |= {"project": project.pk, "content": TEXT}
    careful.raise_request_exception = False
    with monkeypatch.context() as broken:
        broken.setattr(ProjectRepository, "add_prompt", lambda *args, **kwargs: 1 / 0)
        answer = careful.post("/admin/projects/prompt/add/", form)
    assert answer.status_code == 500
    assert html.escape(TEXT) in answer.content.decode()
    assert not KeptAnswer.objects.exists()
    assert careful.post("/admin/projects/prompt/add/", hidden(answer.content.decode())).status_code == 302
    assert Prompt.objects.get().content == TEXT


def test_what_can_no_longer_be_changed_gives_the_text_back(careful: Client) -> None:
    prompt = make_prompt(make_project(status="archived"), "stored")
    address = f"/admin/projects/prompt/{prompt.pk}/change/"
    token = hidden(careful.get("/admin/projects/prompt/").content.decode())["csrfmiddlewaretoken"]
    answer = careful.post(address, {"csrfmiddlewaretoken": token, "content": TEXT})
    assert answer.status_code == 403
    assert html.escape(TEXT) in answer.content.decode()


# ------------------------------------------------------------ what scripts ask
def test_the_state_of_a_session_and_its_two_ends(settings: Settings) -> None:
    """Asking keeps it from its end by absence, and not from the end of its whole length."""
    client = Client()
    assert client.get(SESSION).json() == {"user": None}
    user = make_staff("viewer")
    client.post("/admin/login/", {"username": "viewer", "password": PASSWORD})
    state = client.get(SESSION).json()
    assert state["user"] == str(user.pk)
    assert settings.SESSION_IDLE_SECONDS - 5 <= state["idle_seconds"] <= settings.SESSION_IDLE_SECONDS
    assert settings.SESSION_COOKIE_AGE - 5 <= state["whole_seconds"] <= settings.SESSION_COOKIE_AGE
    session = client.session
    session["seen_at"] -= 3000
    session["signed_in_at"] -= settings.SESSION_COOKIE_AGE - 100
    session.save()
    state = client.get(SESSION).json()
    assert 90 <= state["idle_seconds"] == state["whole_seconds"] <= 100
    session = client.session
    session["signed_in_at"] -= 100
    session.save()
    assert client.get(SESSION).json() == {"user": None}
    assert client.post(SESSION).status_code in (302, 405)
    assert "no-store" in client.get(SESSION)["Cache-Control"]


def test_what_became_of_a_form_is_told_to_its_user_alone(careful: Client) -> None:
    """Done, or unsure where the next page has a warning; nothing of what was refused, nor of others' forms."""
    form = hidden(careful.get("/admin/projects/prompt/add/").content.decode())
    key = form["csrfmiddlewaretoken"][:16]
    assert careful.get(SESSION, {"form": key}).json()["forms"] == {}
    careful.post("/admin/projects/prompt/add/", form | {"project": make_project().pk, "content": "text"})
    assert careful.get(SESSION, {"form": [key, "another"]}).json()["forms"] == {key: "done"}
    assert signed_in("editor").get(SESSION, {"form": key}).json()["forms"] == {}
    gone = careful.post("/admin/projects/prompt/nope/change/", form | {"content": TEXT})
    assert gone.status_code == 302
    assert careful.get(SESSION, {"form": key}).json()["forms"] == {key: "unsure"}


def test_a_database_that_is_busy_gives_the_text_back(careful: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlite3

    def busy(*args: object, **kwargs: object) -> None:
        error = sqlite3.OperationalError("database is locked")
        error.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise OperationalError("database is locked") from error

    form = hidden(careful.get("/admin/projects/prompt/add/").content.decode()) | {"content": TEXT}
    monkeypatch.setattr("promptadmin.backoffice.resent_forms.write_session", busy)
    careful.raise_request_exception = False
    answer = careful.post("/admin/projects/prompt/add/", form | {"project": make_project().pk})
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert html.escape(TEXT) in answer.content.decode()
    assert "Send it again" in answer.content.decode()
