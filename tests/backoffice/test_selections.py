"""“Select all”, of every list with actions: what is asked about, confirmed and done are the same rows, once."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import Group, User
from django.test import Client

from optimizations.models import Optimization
from projects.contrib.registry.models import LabelRule, PromotionRequest, PromptName
from projects.models import Project, Prompt, PromptVersion
from promptadmin.backoffice import selection
from promptadmin.contrib.webhooks.models import Delivery, Endpoint, Message
from promptadmin.models import ApiToken
from tests.projects.making import make_project, make_prompt, make_run, make_version

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 260
RUNS, PROJECTS = "/admin/optimizations/optimization/", "/admin/projects/project/"


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def ask(client: Client, address: str, action: str, **fields: Any) -> str:
    """Tick one page's first row, choose all, and run the action."""
    listed = client.get(address).content.decode()
    [first, *_] = re.findall(r'name="_selected_action" value="([^"]*)"', listed)
    posted = {"action": action, "select_across": "1", "index": "0", "_selected_action": html.unescape(first), **fields}
    return str(client.post(address, posted, follow=True).content.decode())


def confirm(client: Client, address: str, asked: str, **fields: Any) -> str:
    """Send the form of a page that asks, as it is."""
    form = max(re.findall(r"(?s)<form method=\"post\".*?</form>", asked), key=lambda text: text.count('type="hidden"'))
    hidden = re.findall(r'<input type="hidden" name="([^"]*)"[^>]*? value="([^"]*)"', form)
    posted: dict[str, Any] = {}
    for name, value in hidden:
        posted.setdefault(name, []).append(html.unescape(value))
    return str(client.post(address, {**posted, **fields}, follow=True).content.decode())


@dataclass
class Case:
    """An action of a list: what is there before it, and how many rows it leaves as they were."""

    address: str
    action: str
    make: Callable[[int], Any]
    left: Callable[[], int]
    said: str
    question: bool = True
    fields: tuple[tuple[str, str], ...] = ()


def make_delivery(number: int) -> None:
    endpoint, _ = Endpoint.objects.get_or_create(name="one", url="https://example.com/")
    message = Message.objects.create(message_id=f"m{number}", event="run", body="{}")
    Delivery.objects.create(endpoint=endpoint, message=message, status="dead")


def make_attempt(number: int) -> None:
    AccessAttempt.objects.create(username=f"user{number}", ip_address="10.0.0.1", failures_since_start=9)


def make_request(number: int) -> None:
    """Somebody else wants another label of one prompt to point to its first version."""
    name = PromptName.objects.first()
    if name is None:
        prompt = make_prompt(make_project(name="p"))
        name = PromptName.objects.create(prompt=prompt, name="one", key="one")
    PromotionRequest.objects.create(
        prompt=name.prompt, label=f"label{number}", to_target="1", asked_by="user ana", asker="ana", reason=""
    )


CASES = [
    Case(
        PROJECTS, "archive_selected", lambda n: make_project(name=f"p{n:03}"),
        lambda: Project.objects.filter(status="active").count(), "Archived 260 projects",
    ),
    Case(
        f"{PROJECTS}?status=archived", "restore_selected", lambda n: make_project(name=f"p{n:03}", status="archived"),
        lambda: Project.objects.filter(status="archived").count(), "Restored 260 projects",
    ),
    Case(
        PROJECTS, "delete_selected_projects", lambda n: make_prompt(make_project(name=f"p{n:03}")),
        lambda: Project.objects.exclude(status="deleted").count() + Prompt.objects.count(), "Deleted 260 projects",
    ),
    Case(
        f"{RUNS}?project=p", "tag", lambda n: make_run(None, project="p"),
        lambda: Optimization.objects.exclude(tags='["new"]').count(), "Changed 260 runs", fields=(("add", "new"),),
    ),
    Case(
        f"{RUNS}?project=p", "move", lambda n: make_run(None, project="p"),
        lambda: Optimization.objects.exclude(project="q").count(), "Changed 260 runs", fields=(("project", "q"),),
    ),
    Case(
        RUNS, "mark_stale", lambda n: make_run(None, status="running"),
        lambda: Optimization.objects.filter(status="running").count(), "Marked 260 runs",
    ),
    Case(
        RUNS, "delete_runs", lambda n: make_run(None), Optimization.objects.count, "Deleted 260 runs",
    ),
    Case(
        "/admin/promptadmin/apitoken/", "revoke", lambda n: ApiToken.objects.create(name=f"t{n}", prefix=f"{n:08}"),
        lambda: ApiToken.objects.filter(revoked_at=None).count(), "Revoked 260 tokens", question=False,
    ),
    Case(
        "/admin/webhooks/delivery/", "again", make_delivery,
        lambda: Delivery.objects.exclude(status="pending").count(), "260 deliveries", question=False,
    ),
    Case(
        "/admin/registry/promotionrequest/", "approve", make_request,
        lambda: PromotionRequest.objects.exclude(state="approved").count(), "260 approved", question=False,
    ),
    Case(
        "/admin/registry/promotionrequest/", "reject", make_request,
        lambda: PromotionRequest.objects.exclude(state="rejected").count(), "260 rejected", question=False,
    ),
    Case(
        "/admin/registry/labelrule/", "delete_selected", lambda n: LabelRule.objects.create(label=f"label{n}"),
        LabelRule.objects.count, "Deleted 260 label rules",
    ),
    Case(
        "/admin/axes/accessattempt/", "delete_selected", make_attempt, AccessAttempt.objects.count, "Deleted 260",
    ),
    Case(
        "/admin/auth/user/?is_staff__exact=0", "delete_selected", lambda n: User.objects.create_user(f"u{n}"),
        lambda: User.objects.filter(is_staff=False).count(), "Deleted 260 users",
    ),
    Case(
        "/admin/auth/group/?q=g", "delete_selected", lambda n: Group.objects.create(name=f"g{n}"),
        lambda: Group.objects.filter(name__startswith="g").count(), "Deleted 260 roles",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.address.split('/')[3]}-{case.action}")
def test_an_action_on_all_is_done_to_all(admin: Client, case: Case) -> None:
    for number in range(MANY):
        case.make(number)
    answered = ask(admin, case.address, case.action)
    if case.question:
        assert str(MANY) in answered or f"and {MANY - selection_named(case)} more" in answered
        assert case.left() >= MANY
        answered = confirm(admin, case.address, answered, **dict(case.fields))
    assert case.said in answered
    assert case.left() == 0


def selection_named(case: Case) -> int:
    """How many rows the question names."""
    return 200 if "project/" in case.address else 20


def test_every_action_of_every_list_is_tried() -> None:
    from django.contrib import admin as django_admin
    from django.test import RequestFactory

    request = RequestFactory().get("/")
    request.user = User(is_superuser=True, is_active=True, is_staff=True)
    # The next test's, one that makes rows for each message, one that changes none, and three that ask for more.
    others = {"export_selected", "replay_all", "compare", "move_selected", "copy_selected", "tag_selected"}
    for model, model_admin in django_admin.site._registry.items():
        if model._meta.app_label == "dummy":
            continue
        tried = {case.action for case in CASES if f"/{model._meta.model_name}/" in case.address}
        actions = set(model_admin.get_actions(request)) if model is not Endpoint else {"replay_all"}
        assert actions - others <= tried, model


@pytest.mark.parametrize("many", [60, 600])
@pytest.mark.parametrize("table", ["projects/project", "projects/prompt", "projects/promptversion", RUNS[7:-1]])
def test_an_export_of_all_has_all_that_pass(admin: Client, table: str, many: int) -> None:
    prompt, other = make_prompt(make_project(name="zz"), "kept"), make_run(None, project="other")
    for number in range(many):
        if table.endswith("/project"):
            make_project(name=f"p{number:04}", description="needle")
        elif table.endswith("/prompt"):
            make_prompt(prompt.project, f"needle {number}")
        elif table.endswith("version"):
            make_version(prompt, number + 1, f"needle {number}")
        else:
            make_run(None, project="needle", raw_prompt="needle")
    address = f"/admin/{table}/?q=needle"
    asked = ask(admin, address, "export_selected")
    [target] = re.findall(r'<form action="([^"]*export[^"]*)"', asked)
    keys = re.findall(r'name="keys" value="([^"]*)"', asked)
    file = admin.post(html.unescape(target), {"format": "2", "keys": keys})
    assert file.headers["Content-Disposition"].endswith('.jsonl"')
    lines = b"".join(file.streaming_content).splitlines()  # type: ignore[attr-defined]
    assert len(lines) == many
    assert all(b"needle" in line for line in lines)
    assert other.pk


def test_rows_that_came_meanwhile_are_asked_about_once(admin: Client) -> None:
    for number in range(60):
        make_prompt(make_project(name=f"p{number}"))
    asked = ask(admin, PROJECTS, "delete_selected_projects")
    make_project(name="late")
    again = confirm(admin, PROJECTS, asked)
    assert "look at the numbers once more" in again
    assert "Delete 61" in again
    assert Project.objects.filter(status="deleted").count() == 0
    make_project(name="later")
    assert "Deleted 62 projects" in confirm(admin, PROJECTS, again)


def test_more_than_a_request_does_go_on_with_the_next_one(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "ROWS_A_TRANSACTION", 7)
    monkeypatch.setattr(selection, "ACTION_ROWS", 21)
    for _ in range(50):
        make_run(None, project="p", tags='["old"]')
    address = f"{RUNS}?tag=old"
    asked = ask(admin, address, "tag")
    said = []
    for _ in range(3):
        asked = confirm(admin, address, asked, remove="old")
        said += re.findall(r"Changed (\d+) runs", asked)
    assert said == ["21", "21", "8"]
    assert not Optimization.objects.exclude(tags="[]").exists()


def test_what_stops_halfway_says_how_far_it_came(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from optimizations.repository import OptimizationRepository
    from promptadmin.errors import Conflict

    monkeypatch.setattr(selection, "ROWS_A_TRANSACTION", 10)
    for _ in range(25):
        make_run(None)
    calls = []
    delete = OptimizationRepository.delete_runs

    def refuse_the_third(self: Any, ids: Any) -> Any:
        calls.append(ids)
        if len(calls) == 3:
            raise Conflict("Not these.")
        return delete(self, ids)

    monkeypatch.setattr(OptimizationRepository, "delete_runs", refuse_the_third)
    asked = ask(admin, RUNS, "delete_runs")
    answered = confirm(admin, RUNS, asked)
    assert "Deleted 20 runs" in answered
    assert "are as they were. Not these." in answered
    assert Optimization.objects.count() == 5


def test_a_list_by_score_selects_the_runs_that_it_shows(admin: Client) -> None:
    for _ in range(60):
        make_run(None, overall_score=0.5)
    unscored = make_run(None)
    address = f"{RUNS}?o=-3"
    assert "Select all 60 runs" in admin.get(address).content.decode()
    confirm(admin, address, ask(admin, address, "delete_runs"))
    assert list(Optimization.objects.values_list("pk", flat=True)) == [unscored.pk]
    assert PromptVersion.objects.count() == 0
