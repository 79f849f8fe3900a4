"""Nobody takes a guarded label away by deleting its prompt: each door, each caller, each rule."""

from __future__ import annotations

import datetime as dt
import html
import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from projects.contrib.registry.fetches import counter
from projects.contrib.registry.models import LabelRule, PromptFetch
from projects.contrib.registry.repository import RegistryRepository
from projects.models import Project, Prompt
from promptadmin.accounts.roles import EDITOR
from promptadmin.errors import Forbidden
from tests.projects.contrib.registry.naming import as_token, do, make_named, move
from tests.projects.contrib.registry.test_api import with_token
from tests.projects.making import make_prompt
from tests.support.people import make_staff

pytestmark = pytest.mark.django_db

RULES: dict[str, dict[str, bool]] = {
    "none": {},
    "protected": {"is_protected": True},
    "reason": {"needs_reason": True},
    "second person": {"needs_second_person": True},
    "both": {"is_protected": True, "needs_second_person": True},
}
WHAT = ("prompt", "project")


def api_with(*scopes: str) -> Client:
    return with_token("read", "write", *scopes)


def by_api(client: Client, prompt: Prompt, what: str) -> None:
    project = f"/api/projects/{prompt.project_id}"
    client.delete(f"{project}/prompts/{prompt.id}" if what == "prompt" else project)


def by_admin(client: Client, prompt: Prompt, what: str, **more: str) -> None:
    """Answers what the page asks: its hidden fields, and the project's name."""
    key = prompt.id if what == "prompt" else prompt.project_id
    address = f"/admin/projects/{what}/{key}/delete/"
    fields = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', client.get(address).content.decode())
    answers = {name: html.unescape(value) for name, value in fields}
    client.post(address, answers | {"typed": Project.objects.get().name, **more})


def staff(*permissions: str, superuser: bool = False) -> Client:
    user = User.objects.create_superuser("root") if superuser else make_staff(EDITOR)
    user.user_permissions.add(*Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


#: Caller → how they delete, and whether they may promote.
CALLERS: dict[str, tuple[Any, Any, bool]] = {
    "API, token that writes": (api_with, by_api, False),
    "API, token that promotes": (lambda: api_with("promote"), by_api, True),
    "admin, editor": (staff, by_admin, False),
    "admin, editor who may promote": (lambda: staff("promote_label"), by_admin, True),
    "admin, superuser": (lambda: staff(superuser=True), by_admin, True),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("what", WHAT)
def test_every_door_asks_the_rule(what: str, caller: str, rule: str) -> None:
    """Who may not promote is refused; a second person is asked for before, by taking the label away."""
    prompt = make_named("a", "one", "two")
    move("a", "production", 1)
    if RULES[rule]:
        LabelRule.objects.create(label="production", **RULES[rule])
    make, delete, may_promote = CALLERS[caller]
    delete(make(), prompt, what)
    allowed = not RULES[rule] or (rule == "protected" and may_promote)
    assert Prompt.objects.filter(id=prompt.id).exists() != allowed
    if not allowed:
        assert do("resolve", name="a").version == 1


def test_the_answer_says_what_is_needed() -> None:
    prompt = make_named("a")
    move("a", "production", 1)
    rule = LabelRule.objects.create(label="production", is_protected=True)
    path = f"/api/projects/{prompt.project_id}/prompts/{prompt.id}"
    answer = api_with().delete(path)
    assert (answer.status_code, "needs the scope 'promote'" in answer.json()["detail"]) == (403, True)
    rule.needs_second_person = True
    rule.save()
    answer = api_with("promote").delete(path)
    assert answer.status_code == 409
    assert "the consent of a second person: take the label away first" in answer.json()["detail"]
    other = make_named("b")  # without the label nothing is in the way
    assert api_with().delete(f"/api/projects/{other.project_id}/prompts/{other.id}").status_code == 200


@pytest.mark.parametrize("rule", ["protected", "both"])
def test_no_way_around_by_a_name(rule: str) -> None:
    """A prompt with a guarded label keeps its name, and its former ones; one that is made anew has no such label."""
    first = make_named("former", "one", "two")
    other = make_named("b", "other")
    do("give_name", prompt_id=first.id, name="a")
    move("a", "production", 1)
    LabelRule.objects.create(label="production", **RULES[rule])
    for prompt, name in ((first, "old/a"), (other, "former")):
        with as_token("read", "write"), pytest.raises(Forbidden, match="'promote'"):
            do("give_name", prompt_id=prompt.id, name=name)
    with as_token("read", "write"):
        do("give_name", prompt_id=first.id, name="A")  # the same but for the case
    assert do("resolve", name="former").text == "one"
    api_with().put("/api/prompts/new", {"text": "x", "labels": ["production"]}, "application/json")
    assert api_with().get("/api/prompts/new?label=production").status_code == 404


@pytest.mark.parametrize("what", WHAT)
def test_what_programs_fetched_lately_is_deleted_with_force_only(what: str) -> None:
    prompt = make_named("a", "one")
    RegistryRepository().fetch(name="a", label="latest")
    counter.write()
    project, api = f"/api/projects/{prompt.project_id}", api_with()
    address = f"{project}/prompts/{prompt.id}" if what == "prompt" else project
    refused = api.delete(address)
    assert refused.status_code == 409
    assert "was fetched in the last 7 days by" in refused.json()["detail"]
    by_admin(staff(), prompt, what)
    assert Prompt.objects.filter(id=prompt.id).exists()
    assert api.delete(f"{address}?force=true").status_code == 200


@pytest.mark.parametrize("what", WHAT)
def test_a_tick_on_the_page_is_force(what: str) -> None:
    prompt = make_named("a", "one")
    RegistryRepository().fetch(name="a", label="latest")
    counter.write()
    by_admin(staff(), prompt, what, force="yes")
    assert not Prompt.objects.filter(id=prompt.id).exists()


def test_fetches_of_long_ago_and_prompts_without_a_name_are_in_no_ones_way() -> None:
    prompt = make_named("a", "one")
    RegistryRepository().fetch(name="a", label="latest")
    counter.write()
    PromptFetch.objects.update(last_at=timezone.now() - dt.timedelta(days=8))
    plain = make_prompt(Project.objects.get())
    for one in (prompt, plain):
        assert api_with().delete(f"/api/projects/{one.project_id}/prompts/{one.id}").status_code == 200
