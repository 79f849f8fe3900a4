"""Names, the ledger, requests and rules in the back-office."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from projects.contrib.registry.models import LabelEvent, LabelRule, PromotionRequest, PromptName
from promptadmin.models import LogEntry
from tests.projects.contrib.registry.naming import as_staff, make_named, move
from tests.support.people import make_staff

pytestmark = pytest.mark.django_db


def page(model: str, name: str = "changelist", *args: Any) -> str:
    return reverse(f"admin:registry_{model}_{name}", args=args)


@pytest.fixture
def root(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.mark.parametrize("model", ["promptname", "labelevent", "promotionrequest"])
def test_a_list_takes_the_same_queries_however_many_rows_it_has(root: Client, model: str) -> None:
    LabelRule.objects.create(label="canary", needs_second_person=True)
    counts = []
    for _ in range(2):
        for _ in range(5):
            name = make_named().pk
            called = PromptName.objects.get(prompt_id=name).name
            move(called, "production", 1)
            move(called, "canary", 1)
        with CaptureQueriesContext(connection) as queries:
            assert called in root.get(page(model)).content.decode()
        counts.append(sum(query["sql"].startswith("SELECT") for query in queries))
    assert counts[0] == counts[1]


def test_names_and_moves_are_shown(root: Client) -> None:
    make_named("support/refund", "one", "two")
    move("support/refund", "production", 2, "shorter")
    shown = root.get(page("promptname")).content.decode()
    assert "support/refund" in shown
    assert "production: 2" in shown
    shown = root.get(page("labelevent")).content.decode()
    assert "support/refund" in shown
    assert "shorter" in shown
    assert root.get(page("promptname", "add")).status_code == 403
    viewer = Client()
    viewer.force_login(make_staff("viewer"))
    assert viewer.get(page("promptname")).status_code == 200
    assert viewer.get(page("labelrule", "add")).status_code == 403


def test_a_rule_is_made_and_logged(root: Client) -> None:
    for wrong in ("latest", "A b", ""):
        assert root.post(page("labelrule", "add"), {"label": wrong}).status_code == 200
    assert not LabelRule.objects.exists()
    assert root.post(page("labelrule", "add"), {"label": "production", "needs_second_person": "on"}).status_code == 302
    rule = LabelRule.objects.get()
    assert (rule.label, rule.is_protected, rule.needs_reason, rule.needs_second_person) == (
        *("production", False, False, True),
    )
    assert LogEntry.objects.latest("pk").changes["label"] == ["None", "production"]


@pytest.mark.parametrize("action", ["approve", "reject"])
def test_a_second_person_decides(root: Client, action: str) -> None:
    make_named("a", "one")
    LabelRule.objects.create(label="production", needs_second_person=True)
    with as_staff("ana"):
        asked = move("a", "production", 1).request
    sent = {"action": action, "_selected_action": [asked.id]}
    ana = Client()
    user = User.objects.get(username="ana")
    user.is_staff = user.is_superuser = True
    user.save()
    ana.force_login(user)
    answer = ana.post(page("promotionrequest"), sent, follow=True)
    assert "Somebody else than the one who has asked decides" in answer.content.decode()
    assert "1 " in root.post(page("promotionrequest"), sent, follow=True).content.decode()
    assert PromotionRequest.objects.get().decided_by == "user root"
    assert LabelEvent.objects.count() == (action == "approve")
    viewer = Client()
    viewer.force_login(make_staff("viewer"))
    assert 'value="approve"' not in viewer.get(page("promotionrequest")).content.decode()
