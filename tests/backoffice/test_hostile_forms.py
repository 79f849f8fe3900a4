"""Every form of the back-office, found from its site: nothing sent fails, and what is refused changes nothing."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib import admin as django_admin
from django.contrib.auth.models import Group, User
from django.forms import BaseForm
from django.test import Client, RequestFactory

from optimizations.models import Optimization
from projects.models import Project, Prompt, PromptVersion
from promptadmin.backoffice import urls
from promptadmin.contrib.webhooks.models import Delivery, Endpoint, Message
from promptadmin.models import ApiToken
from tests.backoffice.hostile import stored
from tests.projects.making import make_project, make_prompt, make_run, make_version

assert urls  # its import registers the pages
pytestmark = pytest.mark.django_db(transaction=True)

VALUES = ("\0", "x" * 200_000, "-1", "9" * 40, "nan", "1900-01-01")
TABLES = (
    Project,
    Prompt,
    PromptVersion,
    Optimization,
    User,
    Group,
    ApiToken,
    Endpoint,
    Message,
    Delivery,
    AccessAttempt,
)
MODELS = list(django_admin.site._registry)


@pytest.fixture(autouse=True)
def quiet() -> Any:
    """Refusals are what these tests are about: their log would be long."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def admin(client: Client, settings: Any) -> Client:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the others take their time
    client.force_login(User.objects.create_superuser("root"))
    client.raise_request_exception = False
    return client


@pytest.fixture(autouse=True)
def rows() -> None:
    """One row of each table."""
    prompt = make_prompt(make_project(name="p"))
    make_version(prompt, 1)
    make_run(prompt, tags='["a"]', overall_score=0.5)
    endpoint = Endpoint.objects.create(name="one", url="https://example.com/")
    message = Message.objects.create(message_id="m", event="run", body="{}")
    Delivery.objects.create(endpoint=endpoint, message=message)
    AccessAttempt.objects.create(username="u", ip_address="10.0.0.1", failures_since_start=9)
    ApiToken.objects.create(name="t", prefix="12345678")
    Group.objects.create(name="g")


def contents() -> list[Any]:
    """What is stored, without what signing in changes."""
    return stored(TABLES, but="last_login")


def request_of_root() -> Any:
    request = RequestFactory().get("/")
    request.user = User.objects.get(username="root")
    return request


def sent(form: BaseForm) -> dict[str, Any]:
    """What a browser sends of a form as it is shown; new rows have the least that is needed."""
    data: dict[str, Any] = {}
    for bound in form:
        value = bound.value()
        if hasattr(bound.field.widget, "widgets"):
            parts = bound.field.widget.decompress(value)
            data |= {f"{bound.html_name}_{number}": part or "" for number, part in enumerate(parts)}
        elif value is not None and value is not False:
            data[bound.html_name] = value
    return data


def forms_of(model: Any) -> list[tuple[str, dict[str, Any]]]:
    """The pages of a table with a form to add and to change a row, each with what it sends."""
    model_admin, request = django_admin.site._registry[model], request_of_root()
    base, row = f"/admin/{model._meta.app_label}/{model._meta.model_name}/", model._default_manager.first()
    found = []
    if model_admin.has_add_permission(request):
        found.append((f"{base}add/", sent(model_admin.get_form(request)())))
    if row is not None and model_admin.has_change_permission(request, row):
        form = model_admin.get_form(request, row, change=True)
        found.append((f"{base}{row.pk}/change/", sent(form(instance=row))))
    return found


def is_refused(answer: Any) -> bool:
    """Whether the answer isn't that of a form that was saved: a redirect."""
    return bool(answer.status_code < 300 or answer.status_code >= 400)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label_lower)
def test_no_value_of_a_field_fails(admin: Client, model: Any) -> None:
    failed, before = [], contents()
    for address, fields in forms_of(model):
        names = sorted({*fields, "_selected_action", "action"})
        for name in names:
            without = {key: value for key, value in fields.items() if key != name}
            for given in (without, *({**without, name: value} for value in VALUES)):
                answer = admin.post(address, given)
                after = contents()
                if answer.status_code >= 500:
                    failed.append((address, name, str(given.get(name))[:20], answer.status_code))
                elif is_refused(answer):
                    assert after == before, (address, name)
                before = after
    assert not failed, failed[:20]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label_lower)
def test_no_action_on_keys_that_are_none_fails(admin: Client, model: Any) -> None:
    """Each pair of these values of two fields is sent, not each triple."""
    address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    actions = {*django_admin.site._registry[model].get_actions(request_of_root()), "", "\0", "nothing"}
    before = contents()
    several: tuple[list[str], ...] = (["\0"], ["9" * 40, "nan"], [], ["-1", "\U0001f4a5", "x" * 3000])
    further = ({"index": "0"}, {"confirmed": "\0", "post": "\0", "after": "\0"})
    for action in sorted(actions):
        for place, across in enumerate(("0", "1", "9" * 40, "\0")):
            if across == "1" and action in ("revoke", "again", "replay_all"):  # they act on all rows, and may
                continue
            for number, keys in enumerate(several):
                more = further[(place + number) % 2]
                posted = {"action": action, "select_across": across, "_selected_action": keys, **more}
                answer = admin.post(address, posted)
                assert answer.status_code < 500, (action, across, keys, more)
    assert contents() == before


@pytest.mark.parametrize("page", ["export", "import", "process_import"])
@pytest.mark.parametrize("table", ["projects/project", "projects/prompt", "optimizations/optimization"])
def test_no_value_of_an_exchange_fails(admin: Client, table: str, page: str) -> None:
    before = contents()
    names = ("format", "keys", "resource", "import_file_name", "original_file_name", "import_file")
    usual = {"format": "2", "resource": "0"}
    for name in names:
        for value in VALUES:
            answer = admin.post(f"/admin/{table}/{page}/", {**usual, name: value})
            answer.close()  # or its place among the exports that are being sent stays taken
            assert answer.status_code < 500, (name, value[:20])
    assert contents() == before
