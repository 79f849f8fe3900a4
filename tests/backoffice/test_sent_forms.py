"""A form that is sent twice, as by a double click, is done once; one that was refused may be sent again."""

from __future__ import annotations

import datetime as dt
import html
import re
import threading
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from projects.models import Project, Prompt
from promptadmin.backoffice import resent_forms
from promptadmin.models import ApiToken, KeptAnswer
from tests.projects.making import make_project, make_prompt, make_run

pytestmark = pytest.mark.django_db

PROMPTS = "/admin/projects/prompt/add/"
PASSWORD = "correct horse battery 9"
#: What a form of each model that has one needs; a model that is missing here fails the test.
FILLED: dict[str, dict[str, Any]] = {
    "projects.project": {"name": "once"},
    "projects.prompt": {"project": "P", "content": "once"},
    "promptadmin.apitoken": {"name": "once", "can_read": "on"},
    "auth.user": {"username": "once", "password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"},
    "auth.group": {"name": "once"},
    "registry.labelrule": {"label": "once"},
    "webhooks.endpoint": {"name": "once", "url": "https://hooks.example.com/", "is_enabled": "on"},
}


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def hidden(client: Client, address: str) -> dict[str, str]:
    """The hidden fields of a page's forms, as a browser sends them."""
    page = client.get(address).content.decode()
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in found}


def test_every_form_that_adds_a_row_adds_one(client: Client, settings: Settings) -> None:
    settings.WEBHOOKS_HOSTS = ["hooks.example.com"]
    make_project(id="P")
    request = client.get("/admin/").wsgi_request
    pages = {
        model: reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")
        for model in apps.get_models()
        if admin.site.is_registered(model) and admin.site.get_model_admin(model).has_add_permission(request)
    }
    assert {model._meta.label_lower for model in pages} >= set(FILLED)
    for model, address in pages.items():
        before = model._default_manager.count()
        form = hidden(client, address) | FILLED[model._meta.label_lower] | {"_save": "Save"}
        first, second = (client.post(address, form) for _ in range(2))
        wrong = first.context["adminform"].form.errors if first.status_code == 200 else None
        assert (first.status_code, second.status_code) == (302, 302), (model, wrong)
        assert first["Location"] == second["Location"]
        assert model._default_manager.count() == before + 1, model
        assert "sent twice, and done once" in client.get(second["Location"]).content.decode()


def test_two_pages_are_two_forms_and_no_token_is_none(client: Client) -> None:
    """The same text from another page is another prompt; so is a request of a test's client, which has no token."""
    project = make_project()
    form = {"project": project.pk, "content": "again"}
    for _ in range(2):
        client.post(PROMPTS, hidden(client, PROMPTS) | form)
    for _ in range(2):
        client.post(PROMPTS, form)
    assert Prompt.objects.count() == 4


def test_what_was_refused_may_be_sent_again(client: Client) -> None:
    """An error of the form, of the repository, and a failure leave the form as new; so does a message of an error."""
    project = make_project()
    form = hidden(client, PROMPTS)
    assert client.post(PROMPTS, form | {"project": project.pk, "content": ""}).status_code == 200
    Project.objects.update(status="archived")
    assert client.post(PROMPTS, form | {"project": project.pk, "content": "text"}).status_code == 200
    Project.objects.update(status="active")
    assert not KeptAnswer.objects.exists()
    assert client.post(PROMPTS, form | {"project": project.pk, "content": "text"}).status_code == 302
    assert Prompt.objects.count() == 1


def test_a_popup_adds_one_too(client: Client) -> None:
    address = "/admin/projects/project/add/?_popup=1"
    form = hidden(client, address) | {"name": "in a popup", "_popup": "1"}
    answers = [client.post(address, form).content for _ in range(2)]
    assert Project.objects.count() == 1
    assert answers[0] == answers[1]
    assert b"in a popup" in answers[0]


def test_a_form_is_known_for_a_day(client: Client) -> None:
    form = hidden(client, PROMPTS) | {"project": make_project().pk, "content": "text"}
    client.post(PROMPTS, form)
    KeptAnswer.objects.update(created_at=timezone.now() - dt.timedelta(hours=24, seconds=1))
    client.post(PROMPTS, form)
    assert Prompt.objects.count() == 2


def test_programs_that_send_the_cookies_token_are_asked_for_seconds_only(client: Client) -> None:
    """The same at once is a double click; the same later, or after something else, is meant."""
    project = make_project()
    client.get(PROMPTS)
    token = {"csrfmiddlewaretoken": client.cookies["csrftoken"].value}
    one, other = ({"project": project.pk, "content": text, **token} for text in ("one", "other"))
    for form in (one, one):
        client.post(PROMPTS, form)
    assert Prompt.objects.count() == 1
    for form in (other, one):
        client.post(PROMPTS, form)
    assert Prompt.objects.count() == 3
    KeptAnswer.objects.update(created_at=timezone.now() - dt.timedelta(seconds=4))
    client.post(PROMPTS, one)
    assert Prompt.objects.count() == 4


def test_a_version_is_restored_once_and_nobody_is_told_of_somebody_else(client: Client) -> None:
    prompt = make_prompt(make_project(), "second", version=2)
    prompt.versions.create(version=1, content="first")
    address = f"/admin/projects/prompt/{prompt.pk}/restore/1/"
    form = hidden(client, address)
    for _ in range(2):
        answer = client.post(address, form, follow=True).content.decode()
        assert "Somebody has edited" not in answer
    prompt.refresh_from_db()
    assert (prompt.version, prompt.content) == (3, "first")


def test_moving_a_prompt_back_and_forth_is_no_repetition(client: Client) -> None:
    """The order's script sends the same form each time, with another order."""
    project = make_project()
    one, two = (make_prompt(project, order_index=number).pk for number in range(2))
    address = f"/admin/projects/project/{project.pk}/reorder/"
    form = hidden(client, f"/admin/projects/project/{project.pk}/change/")
    token = form["csrfmiddlewaretoken"]
    for order in ([two, one], [one, two], [two, one]):
        client.post(address, {"csrfmiddlewaretoken": token, "prompt_ids": order})
        assert list(Prompt.objects.order_by("order_index").values_list("pk", flat=True)) == order


def test_a_file_is_exported_as_often_as_somebody_asks(client: Client) -> None:
    make_run()
    address = "/admin/optimizations/optimization/export/"
    form = hidden(client, address) | {"format": "0", "resource": "0"}
    files = [b"".join(client.post(address, form)) for _ in range(2)]
    assert files[0] == files[1]
    assert not KeptAnswer.objects.exists()


def test_what_is_still_in_work_is_not_begun_again(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after the end of a server that was in the middle of it: nobody knows, so the user is to look."""
    monkeypatch.setattr(resent_forms, "LONGEST_WAIT", 0.1)
    form = hidden(client, PROMPTS) | {"project": make_project().pk, "content": "text"}
    client.post(PROMPTS, form)
    KeptAnswer.objects.update(status=resent_forms.IN_WORK_STATUS)
    answer = client.post(PROMPTS, form)
    assert answer.status_code == 409
    assert "Look whether it is done" in answer.content.decode().replace("&#x27;", "'")
    assert Prompt.objects.count() == 1


def test_a_token_of_somebody_else_is_another_form(client: Client) -> None:
    request = RequestFactory().post("/", {"csrfmiddlewaretoken": "x" * 64})
    digests = []
    for user in User.objects.create_user("one"), User.objects.create_user("two"):
        request.user = user
        sent = resent_forms._Sent.of(request)
        assert sent is not None
        digests.append(sent.digest)
    assert digests[0] != digests[1]


@pytest.mark.django_db(transaction=True)
def test_the_second_of_two_at_once_waits_for_the_first(client: Client) -> None:
    """Two clicks 30 ms apart, on whichever engine: one prompt, and both are led to its list."""
    form = hidden(client, PROMPTS) | {"project": make_project().pk, "content": "text", "_save": "Save"}
    cookies, answers, begin = client.cookies, [], threading.Barrier(4)

    def click() -> None:
        one = Client()
        one.cookies.load(cookies.output(header="", sep=";"))
        begin.wait()
        answers.append(one.post(PROMPTS, form))
        connection.close()

    clicks = [threading.Thread(target=click) for _ in range(4)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()
    assert Prompt.objects.count() == 1
    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(302, answers[0]["Location"])] * 4


def test_a_secret_is_shown_once_however_often_its_form_is_sent(client: Client) -> None:
    address = "/admin/promptadmin/apitoken/add/"
    form = hidden(client, address) | {"name": "job", "can_read": "on"}
    for _ in range(2):
        client.post(address, form)
    assert ApiToken.objects.count() == 1
    page = client.get("/admin/promptadmin/apitoken/").content.decode()
    assert "not shown again" in page
    assert not [row for row in KeptAnswer.objects.values_list("headers", "body") if "job" in str(row)]
