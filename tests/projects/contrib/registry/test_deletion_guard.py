"""Nobody takes a guarded label away by deleting its prompt: each door, each caller, each rule."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from projects.contrib.registry.models import LabelRule
from projects.models import Project, Prompt
from promptadmin.accounts.roles import EDITOR
from tests.projects.contrib.registry.naming import as_token, do, make_named, move
from tests.projects.contrib.registry.test_api import with_token
from tests.support.people import make_staff

pytestmark = pytest.mark.django_db

RULES: dict[str, dict[str, bool]] = {
    "none": {},
    "protected": {"is_protected": True},
    "second person": {"needs_second_person": True},
    "both": {"is_protected": True, "needs_second_person": True},
}
WHAT = ("prompt", "project")


def api_with(*scopes: str) -> Client:
    return with_token("read", "write", *scopes)


def by_api(client: Client, prompt: Prompt, what: str) -> None:
    project = f"/api/projects/{prompt.project_id}"
    client.delete(f"{project}/prompts/{prompt.id}" if what == "prompt" else project)


def by_admin(client: Client, prompt: Prompt, what: str) -> None:
    """Answers what the page asks: its hidden fields, and the project's name."""
    key = prompt.id if what == "prompt" else prompt.project_id
    address = f"/admin/projects/{what}/{key}/delete/"
    fields = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', client.get(address).content.decode())
    client.post(address, {name: html.unescape(value) for name, value in fields} | {"typed": Project.objects.get().name})


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
    assert (answer.status_code, "take the label away first" in answer.json()["detail"]) == (409, True)
    other = make_named("b")  # without the label nothing is in the way
    assert api_with().delete(f"/api/projects/{other.project_id}/prompts/{other.id}").status_code == 200


@pytest.mark.parametrize("rule", ["protected", "both"])
def test_no_way_around_by_a_name(rule: str) -> None:
    """A name that another prompt takes over, and a prompt that is made anew, have no label that wasn't allowed."""
    first = make_named("a", "one", "two")
    other = make_named("b", "other")
    move("a", "production", 1)
    LabelRule.objects.create(label="production", **RULES[rule])
    with as_token("read", "write"):
        do("give_name", prompt_id=first.id, name="old/a")
        do("give_name", prompt_id=other.id, name="a")
    assert do("resolve", name="old/a").text == "one"
    assert do("labels_of", prompt_id=do("find", name="a").prompt_id) == {}
    api_with().put("/api/prompts/new", {"text": "x", "labels": ["production"]}, "application/json")
    assert api_with().get("/api/prompts/new?label=production").status_code == 404
