"""What an empty installation shows, the demo that comes and goes, and pages in place of those that can't be shown."""

from __future__ import annotations

import html
import json
import re
import shlex
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from optimizations.models import Optimization
from optimizations.tools.demo import PROMPTS
from optimizations.tools.loaded_demo import NAMES
from projects.models import Project, Prompt
from promptadmin.accounts import tokens
from tests.projects.making import make_project, make_prompt, make_run
from tests.support.people import signed_in

pytestmark = pytest.mark.django_db

PANELS, DEMO = "/admin/dashboard/panels/", "/admin/optimizations/optimization/demo/"


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def shown(client: Client, address: str = PANELS, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, address
    return html.unescape(answer.content.decode())


def test_an_empty_installation_shows_the_ways_in_and_no_zeros(admin: Client) -> None:
    page = shown(admin)
    assert "Three ways to begin" in page
    assert "Mean score" not in page
    assert "Running now" not in page
    for address in re.findall(r'<a class="pa-tool" href="([^"]*)"', page):
        assert admin.get(address).status_code == 200, address
    assert page.count('class="pa-tool"') == 5
    viewer = shown(signed_in("viewer"))
    assert "Three ways to begin" in viewer
    assert "optimization/import" not in viewer
    assert "demo" not in viewer
    make_run()
    page = shown(admin)
    assert "Three ways to begin" not in page
    assert "Mean score" in page


def test_the_command_to_copy_sends_a_run(admin: Client) -> None:
    """As a shell reads it, with the test client in the place of curl."""
    [command] = re.findall(r'<pre id="send-a-run"[^>]*>(.*?)</pre>', shown(admin), re.DOTALL)
    _, secret = tokens.create_token(name="t", scopes={"write"})
    words = shlex.split(command.replace("$TOKEN", secret))
    headers = dict(words[place + 1].split(": ", 1) for place, word in enumerate(words) if word == "--header")
    body = json.loads(words[words.index("--data") + 1])
    assert words[0] == "curl"
    assert words[-1] == "http://testserver/api/optimizations"
    answer = Client().post("/api/optimizations", body, content_type=headers.pop("Content-Type"), headers=headers)
    assert answer.status_code == 201, answer.content
    assert Optimization.objects.get().title == body["title"]


def test_the_demo_comes_and_goes_and_leaves_everything_else(admin: Client) -> None:
    kept = make_run(make_prompt(make_project(name="mine")), project="mine")
    page = admin.post(DEMO, {"confirmed": "load"}, follow=True).content.decode()
    assert f"runs in {len(PROMPTS)} projects" in page
    assert set(Project.objects.values_list("name", flat=True)) == {"mine", *NAMES.values()}
    runs = Optimization.objects.exclude(pk=kept.pk)
    assert runs.count() == 36
    assert not runs.filter(prompt__isnull=True).exists()
    assert not runs.filter(status="running").exists()
    assert "already" in admin.post(DEMO, {"confirmed": "load"}, follow=True).content.decode()
    assert Optimization.objects.count() == 37

    assert "The demo is loaded" in shown(admin)
    assert "Take the demo away" in shown(admin, DEMO)
    admin.post(DEMO, {"confirmed": "take away"})
    assert list(Optimization.objects.values_list("pk", flat=True)) == [kept.pk]
    assert Prompt.objects.count() == 1
    assert "demo" not in shown(admin)
    admin.post(DEMO, {"confirmed": "load"})
    assert Optimization.objects.count() == 37


def test_the_demo_takes_no_project_of_somebody(admin: Client) -> None:
    own = make_project(name=NAMES["Teaching"], description="ours")
    answer = admin.post(DEMO, {"confirmed": "load"}, follow=True).content.decode()
    assert "Nothing was done" in answer
    assert list(Project.objects.values_list("pk", flat=True)) == [own.pk]
    admin.post(DEMO, {"confirmed": "take away"})
    assert Project.objects.get().status == "active"


def test_the_demo_is_for_those_who_may_add_and_delete() -> None:
    for role, status in (("viewer", 403), ("operator", 403), ("editor", 200)):
        assert signed_in(role).get(DEMO).status_code == status, role


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("projects/project", "the first run that names one"),
        ("projects/prompt", "with an import"),
        ("projects/promptversion", "with each change of a prompt"),
        ("optimizations/optimization", "with a token"),
        ("promptadmin/apitoken", "lets a program use the API"),
        ("promptadmin/deletion", "can be restored"),
        ("axes/accessattempt", "each sign-in that fails"),
    ],
)
def test_an_empty_list_says_how_rows_come(admin: Client, table: str, told: str) -> None:
    assert told in shown(admin, f"/admin/{table}/")
    if table.startswith(("projects", "optim")):
        searched = shown(admin, f"/admin/{table}/?q=nothing")
        assert "Nothing found" in searched
        assert told not in searched


def test_what_cannot_be_shown_stands_in_the_frame_and_knows_the_way_back(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_frame(page: str) -> bool:
        return 'id="nav-sidebar"' in page and 'href="/admin/">Back to the dashboard' in page

    missing = shown(admin, "/admin/no/such/page/", 404)
    assert in_frame(missing)
    assert "Nothing is here" in missing
    refused = shown(signed_in("viewer"), "/admin/auth/user/", 403)
    assert in_frame(refused)
    assert "Not allowed" in refused
    assert Client().get("/admin/no/such/page/").status_code == 302  # a stranger signs in first

    def fail(*args: object) -> Callable[..., object]:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr("promptadmin.backoffice.site.Dashboard.of", fail)
    admin.raise_request_exception = False
    broken = shown(admin, "/admin/", 500)
    assert "its log says why" in broken
    assert '<a href="/admin/">' in broken
    assert "unforeseen" not in broken
