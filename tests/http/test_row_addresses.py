"""Addresses of rows: whatever a row's key is, each link leads to it; and no new row gets a key that has no address."""

from __future__ import annotations

import asyncio
import html
import json
import re
from collections import defaultdict
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pytest
from django.contrib.admin.utils import unquote as unquote_key
from django.contrib.auth.models import User
from django.test import Client
from django.urls import resolve
from pytest_django import Settings

from optimizations.contrib.mcp.server import build_server
from optimizations.files.lines import read_lines
from optimizations.models import Optimization
from projects.files.lines import read_projects, read_prompts, read_versions
from projects.models import Project, Prompt, PromptVersion
from promptadmin.audit import Change, record
from promptadmin.http import keys
from promptadmin.http.keys import row_page, words_of_addresses
from tests.projects.making import make_project, make_prompt, make_run, make_version

pytestmark = pytest.mark.django_db(transaction=True)

ODD = [
    "project_24", "scene_3D_render", "_", "_.", "_5F", "a/b", "/", "a/change", "add", "all", ".", "..", "", " ", "?x=1",
    "#end", "100%", "%2F", "tab\there", "two\nlines", "back\\slash", "'\"<b>&", "é日本", "a" * 90,
]  # fmt: skip
MODELS = (Project, Prompt, PromptVersion, Optimization)
WORDS = {"all", "stats", "bulk-delete", "check-duplicate", "export", "import", "reorder"}
UNNAMEABLE = [*sorted(WORDS), ".", "..", "", " ", " a", "a ", "a/b", "a\nb", "a\x7f", "a\x85", "a\u2028"]


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.fixture
def api(settings: Settings) -> Client:
    settings.API_AUTH_TOKEN = "secret"
    return Client(headers={"Authorization": "Bearer secret"})


def make_rows(key: str) -> None:
    """A row of each table with this key, linked to each other, with an entry of each in the change log."""
    project = make_project(id=key, name=f"named {key}")
    prompt = make_prompt(project, id=key, version=2)
    run = make_run(prompt, id=key, project=project.name, status="error")
    version = make_version(prompt, 1, id=key, optimization_id=key)
    for row in (project, prompt, run, version):
        model: Any = type(row)
        record(Change(model=model, key=key, title="named", before=None, after={"name": "n"}), using="default")


def links_of(page: str) -> set[str]:
    return set(map(html.unescape, re.findall(r'(?:href|action|hx-get)="(/admin/[^"]*)"', page)))


def test_every_link_of_the_back_office_leads_to_its_row(admin: Client) -> None:
    """From the lists, the change log and the start page, and from each row's page to those of its own and of others."""
    for key in ODD:
        make_rows(key)
    lists = [f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in MODELS]
    waiting = {*lists, "/admin/", "/admin/dashboard/panels/", "/admin/promptadmin/logentry/"}
    waiting |= {f"/admin/optimizations/optimization/?project_id={quote(key)}" for key in ODD}
    seen: set[str] = set()
    named: dict[str, set[str]] = defaultdict(set)
    shown: set[tuple[type, str]] = set()
    while waiting:
        link = waiting.pop()
        seen.add(link)
        address = unquote(urlsplit(link).path)
        assert not {".", "..", ""} & set(address.split("/")[1:-1]), f"browsers change {link}"
        match = resolve(address)
        if "object_id" in match.kwargs:
            named[str(match.url_name)].add(unquote_key(match.kwargs["object_id"]))
        answer = admin.get(link)
        assert answer.status_code == 200, f"{link} is {answer.status_code}, to {answer.get('Location')}"
        row = answer.context.get("original") if answer.context else None
        if row is not None:
            shown.add((type(row), row.pk))
            assert row.pk == unquote_key(match.kwargs["object_id"])
        found = links_of(answer.content.decode())
        named_only = {link for link in found if re.search(r"/(history|delete|archive|restore|reorder|compare)/", link)}
        for link in named_only:
            match = resolve(unquote(urlsplit(link).path))
            if "object_id" in match.kwargs:  # the form that compares runs names none in its address
                named[str(match.url_name)].add(unquote_key(match.kwargs["object_id"]))
        followed = {link for link in found - named_only if "/change/" in link and "logentry" not in link}
        waiting |= followed - seen
    assert shown == {(model, key) for model in MODELS for key in ODD}
    for name in ("project_archive", "project_delete", "project_reorder", "prompt_compare", "prompt_restore"):
        assert named.pop(f"projects_{name}") == set(ODD), name
    assert all(keys == set(ODD) for keys in named.values()), named


@pytest.mark.parametrize("key", ODD)
def test_every_page_of_a_row_answers(admin: Client, key: str) -> None:
    """Those that its own page links to: its history, and what asks before something is done."""
    make_rows(key)
    for model, page in [*((model, "history") for model in MODELS), (Project, "archive"), (Project, "delete")]:
        assert admin.get(row_page(model, key, page)).status_code == 200
    assert admin.get(row_page(Prompt, key, "delete")).status_code == 200
    assert admin.get(row_page(Prompt, key, "restore", 1)).status_code == 200
    assert admin.get(f"{row_page(Prompt, key, 'compare')}?old=1&new=2").status_code == 200
    back = admin.get(row_page(Prompt, key, "compare"))
    assert back["Location"] == row_page(Prompt, key)


@pytest.mark.parametrize("key", ODD)
def test_a_run_with_an_odd_key_can_be_deleted(admin: Client, api: Client, key: str) -> None:
    """In the back-office and by the API's bulk operation, whatever its key is."""
    for delete in (delete_in_back_office, delete_in_bulk):
        make_run(id=key)
        make_run(id="stays")
        delete(admin, api, key)
        assert list(Optimization.objects.values_list("id", flat=True)) == ["stays"]
        Optimization.objects.all().delete()


def delete_in_back_office(admin: Client, api: Client, key: str) -> None:
    page = admin.get(row_page(Optimization, key, "delete"))
    assert page.status_code == 200
    fields = {"action": "delete_runs", "confirmed": "yes", "_selected_action": key}
    assert admin.post("/admin/optimizations/optimization/", fields).status_code == 302


def delete_in_bulk(admin: Client, api: Client, key: str) -> None:
    answer = api.post("/api/history/bulk-delete", {"ids": [key]}, content_type="application/json")
    assert answer.json()["deleted_ids"] == [key]


@pytest.mark.parametrize(
    "key", ["a/b", "a/cancel/b", "?x=1", "#end", "100%", "%2F", "two\nlines", " ", "project_24", "a//b"]
)
def test_the_api_names_keys_with_slashes(api: Client, key: str) -> None:
    """Each operation on a run finds it by its key, percent-encoded or not."""
    make_run(id=key, status="running")
    for said in {quote(key, safe=""), quote(key, safe="/")}:
        assert api.get(f"/api/optimize/{said}").json()["id"] == key
        tagged = api.put(f"/api/optimizations/{said}/tags", {"add": ["t"]}, content_type="application/json")
        assert tagged.json()["id"] == key
        changed = api.patch(f"/api/optimizations/{said}", {"title": "T"}, content_type="application/json")
        assert changed.json()["title"] == "T"
        assert api.post(f"/api/optimize/{said}/retry").status_code == 501
    assert api.post(f"/api/optimize/{said}/cancel").json()["status"] == "cancelled"
    assert api.delete(f"/api/history/{said}").json()["id"] == key


def test_deleting_all_runs_keeps_its_meaning(api: Client) -> None:
    """An old run with the id `all` goes by the bulk operation; its own address is that of all runs."""
    for key in ("all", "b", "c"):
        make_run(id=key)
    assert api.delete("/api/history/all").status_code == 400
    assert Optimization.objects.count() == 3


@pytest.mark.parametrize("key", ["a/b", "..", "/etc", "%2F", "project_24", "?x#y"])
def test_resources_of_mcp_name_any_key(key: str) -> None:
    """Percent-encoded, as RFC 6570 expands their templates."""
    make_run(make_prompt(make_project(id=key, name="N")), id=key)
    server = build_server()
    for address in ("promptforge://optimizations/{}", "promptforge://projects/{}/context"):
        (found,) = asyncio.run(server.read_resource(address.format(quote(key, safe=""))))
        assert json.loads(found.content)["id"] == key


# ---------------------------------------------------------------- new rows


def test_the_words_are_those_of_the_routes() -> None:
    """A route that adds a word is told by this test, so that a person decides about rows that have it as a key."""
    assert words_of_addresses() == WORDS


def test_a_route_of_a_plugin_adds_its_word(monkeypatch: pytest.MonkeyPatch) -> None:
    routes = ["runs/<key:run_id>/tags", "runs/latest", "runs/<int:other>/all", "projects"]
    monkeypatch.setattr(keys, "_routes", lambda: iter(routes))
    words_of_addresses.cache_clear()
    try:
        assert words_of_addresses() == {"latest"}
    finally:
        words_of_addresses.cache_clear()


@pytest.mark.parametrize("key", UNNAMEABLE)
def test_no_door_takes_a_key_that_no_address_names(api: Client, key: str) -> None:
    """Recording is 422 and so is importing; the readers of files, for all doors, refuse the row by its column."""
    said = {"id": key, "raw_prompt": "x"}
    assert api.post("/api/optimizations", said, content_type="application/json").status_code == 422
    assert Optimization.objects.count() == 0
    readers: list[tuple[Any, dict[str, Any]]] = [
        (read_projects, {"name": "n"}),
        (read_prompts, {"project_id": "p", "content": "c"}),
        (read_versions, {"prompt_id": "p", "version": 1, "content": "c"}),
    ]
    for read, values in readers:
        lines, errors = read([(1, {"id": key, **values})])
        assert (lines, [error.field for error in errors]) == ([], ["id"])
    lines, errors = read_lines(json.dumps(said).encode())
    assert (lines, [error.field for error in errors]) == ([], ["id"])
    imported = api.post("/api/optimizations/import", json.dumps(said), content_type="application/x-ndjson")
    assert imported.status_code == 422


def test_an_import_makes_no_prompt_that_no_address_names(api: Client) -> None:
    """A run may name a prompt that is there, whatever its key is."""
    make_prompt(make_project(name="old"), id="reorder")
    lines = '{"id":"1","raw_prompt":"x","prompt_id":"reorder"}\n'
    answer = api.post("/api/optimizations/import", lines, content_type="application/x-ndjson")
    assert (answer.status_code, answer.json()["imported"]) == (200, 1)
    lines = '{"id":"2","raw_prompt":"x","prompt_id":"export","prompt_project":"old"}\n'
    answer = api.post("/api/optimizations/import", lines, content_type="application/x-ndjson")
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", 1, "prompt_id"])
    assert Prompt.objects.count() == 1
