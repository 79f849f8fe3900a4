"""The pages of names and labels in the back-office."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from projects.contrib.registry.models import LabelEvent, LabelRule, PromotionRequest, PromptFetch
from projects.contrib.registry.repository import RegistryRepository
from projects.models import Prompt
from promptadmin.db.sessions import read_session
from promptadmin.errors import NotFound
from promptadmin.http.keys import row_page
from tests.projects.contrib.registry.naming import do, make_named, move
from tests.projects.making import make_project, make_prompt
from tests.support.people import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor() -> Client:
    return signed_in("editor")


def address(name: str, *args: Any) -> str:
    return reverse(f"admin:registry_{name}", args=args)


def shown(client: Client, path: str, status: int = 200, **given: Any) -> str:
    answer = client.get(path, given)
    assert answer.status_code == status, path
    return " ".join(answer.content.decode().split())


def sent(client: Client, path: str, **given: Any) -> str:
    """What the next page says."""
    answer = client.post(path, given, follow=True)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


@pytest.mark.parametrize("page", ["name", "promote"])
def test_pages_of_a_prompt_that_is_missing_lead_to_the_start(editor: Client, page: str) -> None:
    assert editor.get(address(page, "gone"))["Location"] == reverse("admin:index")
    assert "doesn’t exist" in sent(editor, address(page, "gone"))


def test_a_prompt_gets_a_name_and_another_one(editor: Client) -> None:
    prompt = make_prompt(make_project(), "Answer {{customer}}.")
    page = row_page(Prompt, prompt.pk)
    assert "Give it a name…" in shown(editor, page)
    given = {"kind": "text", "template_format": "mustache", "description": "What to answer", "tags": "support, refund"}
    assert "at either end" in sent(editor, address("name", prompt.pk), name="/refund", **given)
    said = sent(editor, address("name", prompt.pk), name="support/refund", **given)
    assert "The prompt is called support/refund." in said
    for fact in ("What to answer", "refund", ">customer<", "/api/prompts/support/refund?label=latest"):
        assert fact in said
    assert "support/refund" in shown(editor, reverse("admin:projects_prompt_changelist"))
    assert "value=&quot;support" not in shown(editor, address("name", prompt.pk))
    sent(editor, address("name", prompt.pk), name="Support/Money", **given)
    with read_session():
        assert RegistryRepository().find("support/refund").name == "Support/Money"
        assert RegistryRepository().find("support/refund").tags == ["support", "refund"]
    assert ">Support/Money" in "".join(shown(editor, page).split())


def test_a_version_is_promoted_and_the_move_undone(editor: Client) -> None:
    prompt = make_named("a", "one", "two")
    promote = address("promote", prompt.pk)
    assert "points to nothing now" in shown(editor, promote)
    said = sent(editor, promote, label="production", version=1, seen="", reason="first")
    assert "“production” points to v1 now." in said
    page = shown(editor, promote, label="production", version=2)
    assert "<del>one</del>" in page
    assert "<ins>two</ins>" in page
    assert "Somebody has moved this label meanwhile" in sent(editor, promote, label="production", version=2, seen="")
    assert "has no version 9" in sent(editor, promote, label="production", version=9, seen="1")
    said = sent(editor, promote, label="production", version=2, seen="1", reason="shorter")
    assert "because <bdi>“shorter”</bdi>" in said
    first, last = LabelEvent.objects.order_by("id")
    assert last.moved_by == "user editor"
    assert "moved this label meanwhile" in sent(editor, address("undo", prompt.pk), label="production", event=first.pk)
    said = sent(editor, address("undo", prompt.pk), label="production", event=last.pk)
    assert "“production” points to v1 now." in said
    assert "undo: shorter" in said
    PromptFetch.objects.create(
        prompt_id=prompt.pk, label="production", version=1, token="token shop", day="2026-11-28", last_at=timezone.now()
    )
    remove: dict[str, Any] = {"label": "production", "version": 1, "seen": "1", "remove": "yes"}
    assert "fetched in the last 7 days by token shop" in sent(editor, promote, **remove)
    assert "points to nothing now" in sent(editor, promote, **remove, force="on")


def test_rules_hold(editor: Client) -> None:
    prompt = make_named("a", "one")
    LabelRule.objects.create(label="staging", needs_reason=True)
    LabelRule.objects.create(label="production", is_protected=True)
    promote = address("promote", prompt.pk)
    assert "needs a reason" in sent(editor, promote, label="staging", version=1, seen="")
    assert "you need the permission to promote" in shown(editor, promote, label="production")
    assert "is protected" in sent(editor, promote, label="production", version=1, seen="", reason="now")
    assert not LabelEvent.objects.exists()


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_a_second_person_decides_what_waits_for_them(editor: Client, decision: str) -> None:
    prompt = make_named("a", "one", "two")
    move("a", "production", 1)
    LabelRule.objects.create(label="production", needs_second_person=True, is_protected=True)
    promote = address("promote", prompt.pk)
    assert "wants a second person" in shown(editor, promote)
    said = sent(editor, promote, label="production", version=2, seen="1", reason="shorter")
    assert "until somebody else approves v2" in said
    assert "asked by <bdi>editor</bdi>" in said
    asked = PromotionRequest.objects.get()
    panels = reverse("admin:dashboard_panels")
    look = address("request", asked.pk)
    assert look not in shown(editor, panels)
    assert look not in shown(editor, address("live"))
    assert "Approve" not in shown(editor, look)
    assert "Somebody else than the one who has asked decides" in sent(editor, look, **{decision: "yes"})

    second = signed_in("operator")
    assert look not in shown(second, panels)
    user = second.get(panels).wsgi_request.user
    user.user_permissions.set(  # type: ignore[union-attr]
        Permission.objects.filter(codename__in=["change_promptname", "change_label", "promote_label"])
    )
    assert look in shown(second, panels)
    assert look in shown(second, address("live"))
    assert "<ins>two</ins>" in shown(second, look)
    sent(second, look, **{decision: "yes"})
    with read_session():
        found = RegistryRepository().resolve(name="a", label="production")
    assert found.version == (2 if decision == "approve" else 1)
    assert look not in shown(second, panels)
    assert "by <bdi>operator</bdi>" in shown(second, look)


def test_what_is_live_is_what_the_resolver_says_at_each_moment(editor: Client) -> None:
    times = [timezone.now()]
    moves: dict[str, list[Any]] = {"b/x": [1, 2, None], "b/y": [{1: 9, 2: 1}, 2], "c": [1]}
    for name, targets in moves.items():
        make_named(name, "one", "two")
        for target in targets:
            move(name, "production", target, f"to {target}")
            times.append(timezone.now())
    for at in [*times, None]:
        with read_session():
            repository = RegistryRepository()
            page = repository.list_live(label="production", at=at)
            assert [named.name for named, _ in page.items] == sorted(named.name for named, _ in page.items)
            live = {named.name: move.to_target for named, move in page.items}
            for name in ("b/x", "b/y", "c"):
                try:
                    found = repository.resolve(name=name, label="production", at=at).version
                    assert live[name].choose(name, "production", None) == found  # type: ignore[union-attr]
                except NotFound:
                    assert name not in live
    with read_session():
        assert [named.name for named, _ in repository.list_live(label="production", prefix="b/").items] == ["b/y"]
        first = repository.list_live(label="production", limit=1)
        assert first.next_cursor == "b/y"
        rest = repository.list_live(label="production", limit=1, after=first.next_cursor)
        assert ([named.name for named, _ in rest.items], rest.next_cursor) == (["c"], None)
    now = shown(editor, address("live"))
    assert now.count("/promote/?label=production") == 2
    past = shown(editor, address("live"), at=(times[0] - dt.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M"))
    assert "No prompt had the label" in past
    assert "written as in" in shown(editor, address("live"), at="yesterday")
    assert "v1 90 %, v2 10 %" in shown(editor, row_page(Prompt, do("find", name="b/y").prompt_id))


def test_viewers_see_and_change_nothing() -> None:
    prompt = make_named("a", "one")
    move("a", "production", 1)
    viewer = signed_in("viewer")
    page = shown(viewer, row_page(Prompt, prompt.pk))
    assert "production" in page
    for offered in ("Promote", "Undo", "Rename…"):
        assert offered not in page
    assert "What is live" in page
    assert "/promote/" not in shown(viewer, address("live"))
    for name in ("name", "promote"):
        shown(viewer, address(name, prompt.pk), 403)
    assert viewer.post(address("undo", prompt.pk)).status_code == 403
    nobody = signed_in()
    shown(nobody, address("live"), 403)


def test_a_box_that_fails_leaves_a_notice(editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError

    prompt = make_named("a", "one")
    monkeypatch.setattr("projects.contrib.registry.pages.box.box", fail)
    monkeypatch.setattr("projects.contrib.registry.pages.box.names_of", fail)
    page = shown(editor, row_page(Prompt, prompt.pk))
    assert "This box can’t be shown" in page
    assert "Versions" in page
    assert "one" in shown(editor, reverse("admin:projects_prompt_changelist"))


def test_a_label_is_split_and_its_shares_are_shown(editor: Client) -> None:
    prompt = make_named("a", "one", "two", "three")
    promote = address("promote", prompt.pk)
    page = shown(editor, promote, label="production", split="1: 90, 3: 10")
    assert "Then: v1 90 %, v3 10 %" in page or "Split it so" in page
    assert "written as in" in shown(editor, promote, label="production", split="a lot")
    assert "twice" in shown(editor, promote, label="production", split="1: 90, 1: 10")
    assert "Weights are whole numbers" in shown(editor, promote, label="production", split="1: 0")
    assert "has no version 9" in sent(editor, promote, label="production", version=3, split="9: 1, 1: 1", seen="")
    given = {"label": "production", "version": 3, "split": "1: 90, 3: 10", "reason": "to try it"}
    said = sent(editor, promote, **given, seen="")
    assert "points to v1 90 %, v3 10 % now" in said
    table = said[said.index('aria-label="Versions"') :]
    assert "<bdi>production</bdi> 10 %" in table
    assert "<bdi>production</bdi> 90 %" in table
    assert "It points there already" in shown(editor, promote, label="production", split="1: 90, 3: 10")
    assert do("labels_of", prompt_id=prompt.pk)["production"].by_version == {1: 90, 3: 10}


def test_usage_stands_in_the_box(editor: Client) -> None:
    prompt = make_named("a", "one")
    assert "No program fetched it by name in the last 30 days" in shown(editor, row_page(Prompt, prompt.pk))
    now = timezone.now()
    for days, token, count in ((0, "token shop", 30), (2, "token shop", 10), (2, "token ci", 5), (40, "token old", 99)):
        PromptFetch.objects.create(
            prompt_id=prompt.pk,
            label="production" if token == "token shop" else "",
            version=1,
            token=token,
            day=(now - dt.timedelta(days=days)).date(),
            count=count,
            last_at=now - dt.timedelta(days=days),
        )
    page = shown(editor, row_page(Prompt, prompt.pk))
    assert "45 fetches in 30 days" in page
    assert "token old" not in page
    assert "by number" in page
    assert "up to 30 a day" in page


def test_chats_are_compared_message_by_message(editor: Client) -> None:
    first = "system:\nYou help {{shop}}.\n\nuser:\n{{question}}"
    second = "system:\nYou help customers.\n\nassistant:\nHello\n\nuser:\n{{question}}"
    do("save", name="chat", text=first, kind="chat")
    do("save", name="chat", text=second, kind="chat")
    move("chat", "production", 1)
    prompt = Prompt.objects.get(pk=do("find", name="chat").prompt_id)
    compared = shown(editor, f"{row_page(Prompt, prompt.pk, 'compare')}", old=1, new=2)
    promoted = shown(editor, address("promote", prompt.pk), label="production", version=2)
    for page in (compared, promoted):
        parts = page[page.index('class="parts"') :]
        assert "<bdi>system</bdi>" in parts
        assert '<bdi>assistant</bdi> <span class="diff-added">added' in parts
        assert '<bdi>user</bdi> <span class="text-subtle">unchanged' in parts
        assert "<ins>customers</ins>" in parts
    unified = shown(editor, f"{row_page(Prompt, prompt.pk, 'compare')}", old=1, new=2, view="unified")
    assert 'class="parts"' not in unified
    plain = make_named("plain", "one", "two")
    assert 'class="parts"' not in shown(editor, row_page(Prompt, plain.pk, "compare"), old=1, new=2)
