"""What a limited caller reaches: others' rows change nothing of any answer, and no write of theirs gets there.

Every operation of the API's document is asked, before and after there is a project that the caller doesn't reach.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.test import Client
from django.urls import reverse

from optimizations.models import Optimization
from optimizations.repository import OptimizationRepository
from projects.api.inputs import PROJECT_ID, PROMPT_ID, RUN_ID
from projects.contrib.comments.models import Comment
from projects.contrib.registry.api.schemas import LABEL, NAME
from projects.contrib.registry.fetches import counter
from projects.contrib.registry.models import Label, PromotionRequest, PromptName
from projects.contrib.registry.repository import RegistryRepository
from projects.models import MemberRole, Project, ProjectMember, Prompt, PromptVersion
from projects.repository import ProjectRepository
from promptadmin.accounts import tokens
from promptadmin.errors import Invalid
from promptadmin.models import ApiToken, Deletion
from tests.api.documented_operations import JSON, Documented, documented
from tests.projects.contrib.registry.naming import do, move
from tests.projects.making import make_project, make_prompt
from tests.support.people import make_staff
from tests.support.token_names import token_name

pytestmark = pytest.mark.django_db

#: Stands in every text of what the caller doesn't reach.
SECRET = "zebra"
MINE = "Mine"
TABLES = (Comment, Project, Prompt, PromptVersion, Optimization, PromptName, Label, PromotionRequest)


def make_rows(project: Project, name: str, word: str, prompt_id: str | None = None, run_id: str | None = None) -> None:
    """A named prompt of two versions with labels, a fetch, a request, and two runs, one of which is linked to none."""
    prompt = make_prompt(project, f"{word} one", **({"id": prompt_id} if prompt_id else {}))
    do("give_name", prompt_id=prompt.id, name=name, description=f"{word} described", tags=[word])
    do("save", name=name, text=f"{word} two", reason=f"{word} reason")
    move(name, LABEL, 1, f"{word} move")
    if LABEL != "production":
        move(name, "production", 2, f"{word} move")
    asked = {"prompt_id": prompt.id, "label": "canary", "to_target": "1", "reason": f"{word} asks"}
    PromotionRequest.objects.create(asked_by="user kim", asker="user 7", **asked)
    runs = OptimizationRepository()
    given = {"project": project.name, "status": "running", "title": f"{word} title", "tags": [word]}
    runs.record_run({"id": run_id, "raw_prompt": f"{word} two", "prompt_id": prompt.id, **given})
    loose = runs.record_run({"raw_prompt": f"{word} loose", **given})
    Optimization.objects.filter(id=loose["id"]).update(prompt=None, overall_score=0.5, strategy=word)
    number = 1 if word == SECRET else 1000
    Comment.objects.create(pk=number, prompt=prompt, text=word, author="user 7", by="user kim")
    RegistryRepository().fetch(name=name)
    counter.write()


def make_theirs() -> None:
    make_rows(make_project(id=PROJECT_ID, name=SECRET, description=SECRET), NAME, SECRET, PROMPT_ID, RUN_ID)


@pytest.fixture(autouse=True)
def mine() -> Project:
    project = make_project(name=MINE)
    make_rows(project, "mine/hello", "mine")
    return project


def by_token(**limits: list[str]) -> Client:
    secret = tokens.create_token(name=token_name(), scopes=tokens.SCOPES, limits=limits)[1]
    return Client(headers={"Authorization": f"Bearer {secret}"})


def by_project() -> Client:
    return by_token(projects=[MINE])


def by_prefix() -> Client:
    return by_token(prefixes=["mine/"])


CALLERS = {"project": by_project, "prefix": by_prefix}


def answer(client: Client, operation: Documented, **headers: str) -> tuple[int, bytes]:
    found = operation.send(client, **headers)
    body = b"".join(found.streaming_content) if found.streaming else found.content
    return found.status_code, body


def without_progress(found: tuple[int, bytes]) -> tuple[int, bytes]:
    """How much of the installation is indexed for searches is told to all."""
    return found[0], re.sub(rb'"indexed":{[^}]*}', b"", found[1])


@pytest.fixture(params=CALLERS)
def limited(request: pytest.FixtureRequest) -> Client:
    return CALLERS[request.param]()


def test_rows_out_of_reach_change_no_answer(limited: Client) -> None:
    reads = documented("GET")
    before = {operation.name: answer(limited, operation) for operation in reads}
    make_theirs()
    for operation in reads:
        found = answer(limited, operation)
        assert SECRET.encode() not in found[1].lower(), operation.name
        if operation.name not in ("get_health", "get_openapi"):
            assert found == before[operation.name], operation.name


@pytest.mark.parametrize(
    "address",
    [
        "/api/search?q=zebra",
        "/api/history?search=zebra",
        "/api/history?project=zebra",
        f"/api/history?project_id={PROJECT_ID}",
        "/api/history?per_page=1&sort=overall_score",
        "/api/history?cursor=",
        "/api/history?include_archived=false",
        "/api/history/stats?project=zebra",
        "/api/prompts?prefix=support",
        "/api/prompts?search=zebra",
        f"/api/bundle?label={LABEL}",
        "/api/bundle?label=latest",
        f"/api/prompts/{NAME}?version=1",
        f"/api/prompts/{NAME}?label=latest",
        f"/api/prompts/{NAME}?at=2099-01-01T00:00:00Z",
        "/api/optimizations/export?project=zebra",
        "/api/promotion-requests?state=open",
        f"/api/label-events?label={LABEL}",
    ],
)
def test_what_filters_ask_for_is_not_there_either(limited: Client, address: str) -> None:
    asked = Documented("", "GET", address, "", JSON)
    before = answer(limited, asked)
    make_theirs()
    assert without_progress(answer(limited, asked)) == without_progress(before)
    assert before[0] in (200, 404)


def rows() -> dict[str, list[Any]]:
    return {
        model.__name__: [row for row in map(repr, model._base_manager.order_by("pk").values_list()) if is_theirs(row)]
        for model in TABLES
    }


def is_theirs(row: str) -> bool:
    return any(text in row for text in (PROJECT_ID, PROMPT_ID, RUN_ID, SECRET))


def test_no_write_gets_at_rows_out_of_reach(limited: Client) -> None:
    make_theirs()
    before, writes = rows(), documented("POST", "PUT", "PATCH", "DELETE")
    assert len(writes) > 25
    for operation in writes:
        with transaction.atomic():
            status, body = answer(limited, operation, X_Confirm_Delete="yes")
            assert rows() == before, operation.name
            assert SECRET.encode() not in body, operation.name
            assert status != 500, operation.name
            transaction.set_rollback(True)


def make_their_members(*members: User) -> None:
    for user in (User.objects.create_user("owner"), *members):
        ProjectMember.objects.create(project_id=PROJECT_ID, user=user, role=MemberRole.EDITOR)


def client_of(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def test_a_project_with_members_is_not_there_for_other_staff() -> None:
    """In the API, which answers as before, and where nothing of theirs is changed."""
    staff = make_staff("editor")
    before = {operation.name: answer(client_of(staff), operation) for operation in documented("GET")}
    make_theirs()
    make_their_members()
    for operation in documented("GET"):
        found = answer(client_of(staff), operation)
        assert SECRET.encode() not in found[1].lower(), operation.name
        if operation.name not in ("get_health", "get_openapi"):
            assert found == before[operation.name], operation.name
    there = rows()
    for operation in documented("POST", "PUT", "PATCH", "DELETE"):
        with transaction.atomic():
            status, body = answer(client_of(staff), operation, X_Confirm_Delete="yes")
            assert rows() == there, operation.name
            assert SECRET.encode() not in body, operation.name
            assert status != 500, operation.name
            transaction.set_rollback(True)
    member = User.objects.create_user("member", is_staff=True)
    member.groups.set(staff.groups.all())
    ProjectMember.objects.create(project_id=PROJECT_ID, user=member, role=MemberRole.VIEWER)
    address = f"/api/projects/{PROJECT_ID}/prompts/{PROMPT_ID}"
    assert client_of(member).get(address).status_code == 200
    refused = client_of(member).put(address, {"content": "other"}, JSON)
    assert (refused.status_code, "is a viewer of this project" in refused.json()["detail"]) == (403, True)
    ProjectMember.objects.filter(user=member).update(role=MemberRole.EDITOR)
    assert client_of(member).put(address, {"content": "other"}, JSON).status_code == 200
    assert client_of(User.objects.create_superuser("root")).get(address).status_code == 200


def test_no_page_shows_other_staff_a_project_with_members() -> None:
    """Every list of the back-office, and every page of a row of theirs; also what was deleted, and the change log."""
    make_theirs()
    make_their_members()
    gone = make_prompt(Project.objects.get(id=PROJECT_ID), f"{SECRET} gone")
    ProjectRepository().delete_prompt(prompt_id=gone.id)
    staff = make_staff("editor")
    staff.groups.add(*Group.objects.filter(name__in=["operator", "viewer"]))
    client, root = client_of(staff), client_of(User.objects.create_superuser("root"))
    addresses = ["/admin/", "/admin/search/?s=zebr", "/admin/registry/promptname/live/"]
    seen_by_root = 0
    admin.autodiscover()
    for model, model_admin in admin.site._registry.items():
        names = {pattern.name for pattern in model_admin.get_urls()}
        options = f"{model._meta.app_label}_{model._meta.model_name}"
        addresses += [reverse(f"admin:{options}_changelist")] if f"{options}_changelist" in names else []
        for row in model._base_manager.all()[:50]:
            if is_theirs(repr(row.__dict__)) and model is not Deletion:
                addresses.append(reverse(f"admin:{options}_change", args=[quote(row.pk)]))
    for address in addresses:
        shown = client.get(address, follow=True).content.decode().lower()
        assert SECRET not in shown, address
        seen_by_root += SECRET in root.get(address, follow=True).content.decode().lower()
    assert seen_by_root > 12


def test_who_does_not_reach_all_makes_no_token_that_does() -> None:
    make_theirs()
    make_their_members()
    operator = make_staff("operator")
    client = client_of(operator)
    for projects, count in (("", 0), (PROJECT_ID, 0), (MINE, 1)):
        client.post("/admin/promptadmin/apitoken/add/", {"name": "n", "can_read": "on", "projects": projects})
        assert ApiToken.objects.count() == count
    token = ApiToken.objects.get()
    assert tokens.shown_limits(token) == {"projects": [MINE]}


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"projects": ["nowhere"]}, "There is no project nowhere"),
        ({"prefixes": ["/support"]}, "No name begins with"),
        ({"labels": ["latest"]}, "can't be moved"),
        ({"labels": ["No"]}, "A label is"),
    ],
)
def test_limits_that_mean_nothing_are_refused(limits: dict[str, list[str]], words: str) -> None:
    with pytest.raises(Invalid, match=words):
        tokens.create_token(name="n", scopes=["read"], limits=limits)


def test_refusals_name_the_limit() -> None:
    client = by_project()
    refusals = {
        "only these projects": client.post("/api/projects", {"name": "New"}, JSON),
        "and these runs": client.post("/api/optimizations", {"raw_prompt": "x", "project": "New"}, JSON),
        "in a project": client.post("/api/optimizations", {"raw_prompt": "x"}, JSON),
        "and not all": client.delete("/api/history/all", headers={"X-Confirm-Delete": "yes"}),
    }
    for what, refused in refusals.items():
        assert refused.status_code == 403, what
        assert "is limited to the projects “Mine”" in refused.json()["detail"], what
    assert not Project.objects.filter(name="New").exists()
    assert refusals["in a project"].json()["detail"].endswith("“Mine”: a run must name one of them as its project")
    run = Optimization.objects.filter(prompt__project__name=MINE).earliest("pk")
    refused = client.put(f"/api/optimizations/{run.pk}/tags", {"project": ""}, JSON)
    assert refused.json()["detail"].endswith("“Mine”: a run must name one of them as its project")
    two = by_token(projects=[MINE, make_project(name="Other").id])
    refused = two.put("/api/prompts/elsewhere/new", {"text": "x"}, JSON)
    assert refused.status_code == 403
    assert refused.json()["detail"].endswith("”: a new prompt must name one of them as its project")
    assert two.put("/api/prompts/elsewhere/new", {"text": "x", "project": "Other"}, JSON).status_code == 201
    client = by_prefix()
    refused = client.post("/api/optimizations", {"raw_prompt": "x"}, JSON)
    assert refused.status_code == 403
    assert refused.json()["detail"].endswith("begin with mine/: a run must name one of them as its prompt_id")
    refused = client.put("/api/prompts/other/new", {"text": "x"}, JSON)
    assert (refused.status_code, "names begin with mine/" in refused.json()["detail"]) == (403, True)
    assert client.patch("/api/prompts/mine/hello", {"name": "other/hello"}, JSON).status_code == 403
    project = Project.objects.get(name=MINE).id
    assert client.get(f"/api/projects/{project}").status_code == 200
    for refused in (
        client.put(f"/api/projects/{project}", {"name": "Other"}, JSON),
        client.delete(f"/api/projects/{project}"),
        client.post(f"/api/projects/{project}/prompts", {"content": "without a name"}, JSON),
    ):
        assert refused.status_code == 403
    client = by_token(labels=["staging"])
    refused = client.put("/api/prompts/mine/hello/labels/production", {"version": 2}, JSON)
    assert (refused.status_code, "is limited to the labels staging" in refused.json()["detail"]) == (403, True)
    assert client.put("/api/prompts/mine/hello/labels/staging", {"version": 2}, JSON).status_code == 200


def test_within_its_limits_a_token_works_as_any() -> None:
    """A new prompt of a token of one project is made there, and one of a prefix in the folder's project."""
    assert by_project().put("/api/prompts/any/name", {"text": "x"}, JSON).status_code == 201
    assert Prompt.objects.get(content="x").project_id == Project.objects.get(name=MINE).id
    client = by_prefix()
    assert client.put("/api/prompts/mine/new", {"text": "y", "labels": ["production"]}, JSON).status_code == 201
    assert client.get("/api/prompts/mine/new").json()["text"] == "y"
    assert [item["name"] for item in client.get("/api/prompts").json()["items"]] == ["mine/hello", "mine/new"]
    run = client.post("/api/optimizations", {"raw_prompt": "y", "prompt_id": Prompt.objects.get(content="y").id}, JSON)
    assert run.status_code == 201
