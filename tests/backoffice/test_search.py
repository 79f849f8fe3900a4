"""The search over the whole back-office: ranked, marked, only what somebody may see, and the newest before a text."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from optimizations.apps import OptimizationsConfig
from tests.projects.making import make_project, make_prompt, make_run
from tests.support.people import signed_in

pytestmark = pytest.mark.django_db

SEARCH = "/admin/search/"


def hits(client: Client, text: str) -> list[tuple[str, str, str]]:
    """Kind, title and address of each hit."""
    page = client.get(SEARCH, {"s": text}).content.decode()
    found = re.findall(r'<a href="([^"]+)" data-title="([^"]*)" data-description="([^"]*)"', page)
    return [(kind, title, address) for address, title, kind in found]


def note(client: Client, text: str) -> str:
    page = client.get(SEARCH, {"s": text}).content.decode()
    [said] = re.findall(r'<p id="command-results-note" role="status">(.*?)</p>', page, re.DOTALL)
    return " ".join(re.sub("<.*?>", "", said).split())


def with_permissions(*codenames: str) -> Client:
    user = User.objects.create_user("some", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def test_words_from_the_middle_of_a_prompt_find_it_with_the_words_marked() -> None:
    project = make_project(name="Refunds")
    prompt = make_prompt(
        project, "Dear colleague, " + "please wait. " * 40 + "Return the <money> at once. " + "Bye. " * 90
    )
    make_prompt(project, "Another text about money")
    client = signed_in("viewer")
    [(kind, title, address)] = hits(client, "money at onc")
    assert (kind, address) == ("prompt", f"/admin/projects/prompt/{prompt.pk}/change/")
    assert client.get(address).status_code == 200
    page = client.get(SEARCH, {"s": "money at onc"}).content.decode()
    assert "the &lt;<mark>money</mark>&gt; <mark>at</mark> <mark>onc</mark>e" in page
    assert "Refunds, version 1" in page
    assert note(client, "money at onc") == "1 found."
    assert title


def test_projects_by_name_and_pages_come_before_texts() -> None:
    project = make_project(name="Prompts of old")
    prompt = make_prompt(project, "of prompts and other things")
    found = hits(signed_in("viewer"), "prompts")
    assert [kind for kind, *_ in found[:2]] == ["page", "project"]
    assert found[0][1] == "Prompts"
    assert ("prompt", "of prompts and other things", f"/admin/projects/prompt/{prompt.pk}/change/") in found
    assert not [hit for hit in hits(signed_in("editor"), "users") if hit[0] == "page"]


def test_runs_are_ranked_with_prompts() -> None:
    run = make_run(None, title="A pelican on a bicycle", raw_prompt="draw a pelican on a bicycle")
    prompt = make_prompt(make_project(), "a bicycle, and later " + "other animals " * 400 + "a pelican")
    found = hits(signed_in("viewer"), "pelican bicycle")
    assert [address for *_, address in found] == [
        f"/admin/optimizations/optimization/{run.pk}/change/",
        f"/admin/projects/prompt/{prompt.pk}/change/",
    ]


def test_without_a_text_it_shows_what_changed_last() -> None:
    client = signed_in("viewer")
    assert note(client, "") == "There is nothing yet."
    now = timezone.now()
    project = make_project(name="Old", updated_at=now - dt.timedelta(days=3))
    make_prompt(project, "The newest", updated_at=now)
    make_run(None, title="In between", created_at=now - dt.timedelta(days=1))
    assert [title for _, title, _ in hits(client, " ")] == ["The newest", "In between", "Old"]
    assert note(client, "") == "What changed last. Type words to search."


def test_nothing_found_is_said() -> None:
    client = signed_in("viewer")
    make_prompt(make_project(), "something")
    assert note(client, "<b>nothing") == (
        "Nothing found for “&lt;b&gt;nothing”. All words must be there; each is found by its beginning, too."
    )
    for text in ("%00", '"', "*", "\x00", "x" * 5000, "ß*"):
        assert client.get(SEARCH, {"s": text}).status_code in (200, 400)


@pytest.mark.parametrize(
    ("codenames", "kinds"),
    [
        ((), set()),
        (("view_prompt",), {"prompt"}),
        (("view_optimization",), {"run"}),
        (("view_project",), {"project"}),
        (("view_project", "view_prompt", "view_optimization"), {"project", "prompt", "run"}),
    ],
)
def test_nobody_finds_what_they_may_not_see(codenames: tuple[str, ...], kinds: set[str]) -> None:
    project = make_project(name="Pelican")
    prompt = make_prompt(project, "a pelican")
    make_run(prompt, title="pelican", project="Pelican")
    client = with_permissions(*codenames)
    for text in ("pelican", ""):
        assert {kind for kind, *_ in hits(client, text)} == kinds
        if "view_project" not in codenames:
            assert "Pelican" not in client.get(SEARCH, {"s": text}).content.decode()
    client.logout()
    assert client.get(SEARCH, {"s": "pelican"}).status_code == 302


def test_a_finder_that_fails_hides_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    make_prompt(make_project(), "a pelican")
    finders = (f"{__name__}.broken", *OptimizationsConfig.finders)
    monkeypatch.setattr(OptimizationsConfig, "finders", finders)
    assert [kind for kind, *_ in hits(signed_in("viewer"), "pelican")] == ["prompt"]


def broken(user: object, text: str) -> list[object]:
    raise RuntimeError("on purpose")
