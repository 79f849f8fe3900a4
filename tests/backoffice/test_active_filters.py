"""The filters in use stand above a list, each with its value in words and the address without it."""

from __future__ import annotations

import json
import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.projects.making import make_project, make_prompt, make_run
from tests.support.people import signed_in

pytestmark = pytest.mark.django_db

RUNS, PROMPTS = "/admin/optimizations/optimization/", "/admin/projects/prompt/"


def chips(client: Client, address: str) -> dict[str, str]:
    """Each chip's words, and the address that it leads to."""
    page = client.get(address).content.decode()
    [listed] = re.findall(r'<ul class="pa-chips".*?</ul>', page, re.DOTALL) or [""]
    found = re.findall(r'<a[^>]*href="([^"]*)"[^>]*>(.*?)</a>', listed, re.DOTALL)
    words = [(" ".join(re.sub(r"<.*?>", "", text).replace("close", "").split()), link) for link, text in found]
    return {
        text.removesuffix(" : take away").removesuffix(": take away").strip(): link.replace("&amp;", "&")
        for text, link in words
    }


def test_a_filter_whose_choices_are_the_values_of_its_column_has_a_chip() -> None:
    assert [*chips(signed_in("operator"), "/admin/promptadmin/logentry/?door=API")] == ["door: API", "Clear all"]


def test_each_filter_of_runs_has_a_chip_that_takes_it_away() -> None:
    make_run(None, model_used="model-a", tags='["one, two"]', status="error", project="Support")
    client = signed_in("viewer")
    assert chips(client, RUNS) == {}
    query = "?status=error&model=model-a&tag=one%2C+two&q=text&p=2&o=3&score_from=4&has_prompt=no&created_to=2026-03-20"
    found = chips(client, RUNS + query)
    assert [*found] == [
        "search: text",
        "status: error",
        "score, 0 to 10: from 4",
        "day: to 2026-03-20",
        "tag: one, two",
        "model: model-a",
        "prompt: without a prompt",
        "Clear all",
    ]
    assert found["tag: one, two"] == (
        "?status=error&model=model-a&q=text&o=3&score_from=4&has_prompt=no&created_to=2026-03-20"
    )
    assert found["Clear all"] == "?o=3"
    for address in found.values():
        assert client.get(RUNS + address).status_code == 200


def test_a_value_is_in_words() -> None:
    project = make_project(name="A <b>project</b>")
    make_prompt(project)
    client = Client()
    client.force_login(User.objects.create_superuser("ada"))
    assert [*chips(client, f"{PROMPTS}?project__id__exact={project.pk}&q=x")][
        1
    ] == "project: A &lt;b&gt;project&lt;/b&gt;"
    assert next(iter(chips(client, "/admin/auth/user/?is_staff__exact=1"))) == "staff status: yes"
    assert [*chips(client, "/admin/promptadmin/logentry/?action__exact=1&cid__exact=abc")][:2] == [
        "action: update",
        "cid: abc",
    ]
    assert next(iter(chips(client, f"{PROMPTS}?project__id__exact=no-such-project"))) == "project: no-such-project"
    assert next(iter(chips(client, "/admin/promptadmin/logentry/?door=API"))) == "door: API"  # a column without choices


def test_a_project_is_not_named_to_those_who_may_not_see_projects() -> None:
    assert not chips(signed_in(""), PROMPTS)


def test_runs_of_one_model_are_listed_and_tags_and_models_suggested() -> None:
    ours = make_run(None, model_used="model-a", title="ours", tags='["rare"]')
    for number in range(2):
        make_run(None, model_used="model-b", title=f"theirs {number}", tags=json.dumps(["common", '<b>"']))
    make_run(None, title="without", tags="no list")
    client = signed_in("viewer")
    page = client.get(f"{RUNS}?model=model-a").content.decode()
    assert ours.pk in page
    assert "theirs" not in page
    options = client.get(f"{RUNS}suggestions/model/").content.decode()
    assert re.findall(r'value="([^"]*)"', options) == ["model-b", "model-a"]
    options = client.get(f"{RUNS}suggestions/tag/").content.decode()
    assert re.findall(r'value="([^"]*)"', options) == ["common", "&lt;b&gt;&quot;", "rare"]
    assert client.get(f"{RUNS}suggestions/status/").status_code == 404
    assert signed_in("").get(f"{RUNS}suggestions/tag/").status_code == 403
