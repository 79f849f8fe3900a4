"""Every address, with keys and parameters that nobody means well: no failure, and nothing changes."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib import admin as django_admin
from django.contrib.auth.models import User
from django.test import Client, RequestFactory

from optimizations.models import Optimization
from projects.models import Project, Prompt, PromptVersion
from promptadmin.accounts import tokens
from promptadmin.backoffice import urls
from tests.backoffice.hostile import KEYS, VALUES, addresses, patterns, stored
from tests.projects.making import make_project, make_prompt, make_run, make_version

assert urls  # its import registers the pages
pytestmark = pytest.mark.django_db(transaction=True)

TABLES = (Project, Prompt, PromptVersion, Optimization)


@pytest.fixture(autouse=True)
def quiet() -> Any:
    """Refusals are what these tests are about: their log would be long."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    client.raise_request_exception = False
    return client


def contents() -> list[Any]:
    return stored(TABLES)


def make_rows() -> None:
    project = make_project(name="p")
    prompt = make_prompt(project)
    make_version(prompt, 1)
    make_run(prompt, tags='["a"]', overall_score=0.5)


def test_no_key_in_an_address_of_the_back_office_fails(admin: Client) -> None:
    make_rows()
    before, failed = contents(), []
    for address in addresses("admin/", KEYS):
        if "logout" not in address and admin.get(address).status_code >= 500:
            failed.append(address)
    assert not failed, failed[:40]
    assert contents() == before


def test_no_key_in_an_address_that_is_posted_to_fails(admin: Client) -> None:
    make_rows()
    before, failed = contents(), []
    for address in addresses("admin/", ("%00", "_00", "9" * 40)):
        if any(word in address for word in ("logout", "backup", "operations/step")):
            continue
        posted = {"confirmed": "yes", "post": "yes", "content": "x", "prompt_ids": ["\0", "x"], "move": "\0:up"}
        if admin.post(address, posted).status_code >= 500:
            failed.append(address)
    assert not failed, failed[:40]
    assert contents() == before


def test_no_key_in_an_address_of_the_api_fails(client: Client) -> None:
    make_rows()
    client.raise_request_exception = False
    _, secret = tokens.create_token(name="t", scopes={"read", "write"})
    headers = {"Authorization": f"Bearer {secret}"}
    before, failed = contents(), []
    for address in addresses("api/", KEYS):
        if "%s" in address or address.endswith(("history/all", "/docs")):
            continue
        for method in ("GET", "PUT", "PATCH", "POST", "DELETE"):
            given: dict[str, Any] = {} if method == "GET" else {"data": "{}", "content_type": "application/json"}
            if "{" in address or (method == "DELETE" and "%" not in address):
                continue
            answer = client.generic(method, address, headers=headers, **given)
            if answer.streaming:
                answer.close()  # an export's file
            if answer.status_code >= 500 and answer.status_code != 501:  # no plugin here optimises
                failed.append((method, address[:200], answer.status_code))
    assert not failed, failed[:40]
    assert contents() == before


def parameters(address: str, model_admin: Any) -> set[str]:
    """The names that a list's address may give, from what its admin class declares."""
    request = RequestFactory().get(address)
    request.user = User(is_superuser=True, is_active=True, is_staff=True)
    names = {"q", "o", "p", "all", "e", "_to_field", "id__in"}
    for spec in model_admin.get_list_filter(request):
        field = spec if isinstance(spec, str) else spec[0] if isinstance(spec, tuple) else spec.parameter_name
        names |= {
            f"{field}{end}" for end in ("", "__id__exact", "__isnull", "__gte", "_from", "_to", "_from_0", "_to_0")
        }
    names |= {f"{field.name}__exact" for field in model_admin.model._meta.concrete_fields}
    return names | {"project_id", "prompt__id__exact", "since", "until"}


def read_parameters(address: str, model_admin: Any) -> set[str]:
    """Those of them, or their beginnings, whose values the list looks at."""
    request = RequestFactory().get(address)
    request.user = User(is_superuser=True, is_active=True, is_staff=True)
    filters = model_admin.get_changelist_instance(request).filter_specs
    of_filters = {name for item in filters for name in item.expected_parameters()}
    fields = {field.name for field in model_admin.model._meta.get_fields()}
    return of_filters | fields | {"q", "o", "p", "all", "e", "_to_field", "project_id", "since", "until"}


@pytest.mark.parametrize("model", list(django_admin.site._registry), ids=lambda model: model._meta.label_lower)
def test_no_parameter_of_a_list_fails(admin: Client, model: Any) -> None:
    make_rows()
    options, failed = model._meta, []
    address = f"/admin/{options.app_label}/{options.model_name}/"
    model_admin = django_admin.site._registry[model]
    read = read_parameters(address, model_admin)
    for name in sorted(parameters(address, model_admin)):
        # Of what the list doesn't read, it tells the name alone.
        for value in VALUES if {name, name.partition("__")[0]} & read else VALUES[-1:]:
            asked = f"{address}?{name}={quote(value)}"
            if admin.get(asked).status_code >= 500:
                failed.append(asked)
    assert not failed, failed[:40]


def test_no_parameter_of_another_page_fails(admin: Client) -> None:
    make_rows()
    prompt, project, run = Prompt.objects.get(), Project.objects.get(), Optimization.objects.get()
    pages = {
        "/admin/": ("project", "days"),
        "/admin/dashboard/panels/": ("project", "days"),
        "/admin/search/": ("s", "q", "page", "extended"),
        "/admin/login/": ("next",),
        "/admin/operations/": ("step", "p"),
        "/admin/projects/prompt/add/": ("project", "content", "_changelist_filters", "_to_field", "_popup"),
        "/admin/projects/project/add/": ("name", "description", "context_language"),
        "/admin/auth/user/add/": ("username", "groups"),
        "/admin/promptadmin/apitoken/add/": ("name", "expires_at", "can_read"),
        "/admin/webhooks/endpoint/add/": ("url", "events"),
        "/admin/optimizations/optimization/export/": ("q", "score_from", "created_from", "tag"),
        f"/admin/projects/prompt/{prompt.pk}/compare/": ("old", "new", "view"),
        f"/admin/projects/prompt/{prompt.pk}/change/": ("_changelist_filters", "_to_field"),
        f"/admin/projects/prompt/{prompt.pk}/history/": ("p",),
        f"/admin/projects/project/{project.pk}/change/": ("prompts", "_changelist_filters"),
        f"/admin/projects/project/{project.pk}/delete/": ("again", "_changelist_filters"),
        f"/admin/optimizations/optimization/{run.pk}/change/": ("_changelist_filters",),
        f"/admin/optimizations/optimization/compare/?run={run.pk}": ("run",),
        "/admin/autocomplete/?app_label=projects&model_name=prompt&field_name=project": ("term", "page"),
        "/admin/autocomplete/": ("app_label", "model_name", "field_name"),
    }
    failed = []
    for address, names in pages.items():
        for name in names:
            for value in VALUES:
                asked = f"{address}{'&' if '?' in address else '?'}{name}={quote(value)}"
                if admin.get(asked).status_code >= 500:
                    failed.append(asked)
    assert not failed, failed[:40]


def test_a_nul_in_an_address_is_told(admin: Client) -> None:
    for address in ("/admin/projects/project/?status=%00", "/admin/projects/project/%00/change/"):
        answer = admin.get(address)
        assert answer.status_code == 400
        assert "NUL character (%00)" in answer.content.decode()


def test_addresses_are_found() -> None:
    assert len(list(patterns("admin/"))) > 60
    assert len(list(patterns("api/"))) > 20
