"""Who may move which label: protected labels, reasons, second persons, undo, and what is told of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User

from projects.contrib.registry.models import LabelEvent, LabelRule, PromotionRequest
from projects.contrib.registry.repository import RegistryRepository
from promptadmin.contrib.webhooks.models import Endpoint, Message
from promptadmin.errors import Conflict, Forbidden, Invalid, NotFound
from promptadmin.models import LogEntry
from tests.projects.contrib.registry.naming import as_staff, as_token, do, make_named, move

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def prompt() -> Any:
    return make_named("a", "one", "two")


def guard(label: str = "production", **rule: bool) -> None:
    LabelRule.objects.create(label=label, **rule)


def targets() -> list[tuple[str | None, str | None]]:
    return list(LabelEvent.objects.order_by("position", "id").values_list("from_target", "to_target"))


@pytest.mark.parametrize("label", ["", "Production", "a b", "x" * 37, "latest", "a/b", "ä"])
def test_what_can_be_no_label_is_refused(label: str) -> None:
    with pytest.raises(Invalid):
        move("a", label, 1)


def test_a_label_points_only_to_versions_that_there_are() -> None:
    with pytest.raises(Invalid, match="a has no version 3: its current version is 2"):
        move("a", "production", 3)
    with pytest.raises(Invalid, match="no version 7"):
        move("a", "production", {1: 1, 7: 1})
    with pytest.raises(NotFound, match="a has no label 'production'"):
        move("a", "production", None)
    assert not LabelEvent.objects.exists()


def test_moves_undo_and_taking_away_are_events() -> None:
    move("a", "production", 1, "first")
    assert move("a", "production", 1).event is None
    move("a", "production", {1: 3, 2: 1})
    move("a", "production", 2, "better")
    undone = do("undo_move", name="a", label="production")
    assert (str(undone.target), undone.event.reason) == ('{"1": 3, "2": 1}', "undo: better")
    move("a", "production", None)
    do("undo_move", name="a", label="production")
    split = '{"1": 3, "2": 1}'
    assert targets() == [(None, "1"), ("1", split), (split, "2"), ("2", split), (split, None), (None, split)]
    with pytest.raises(NotFound, match="never had a label 'staging'"):
        do("undo_move", name="a", label="staging")


def test_a_move_says_who_through_which_door_and_why() -> None:
    with as_staff("ana"):
        move("a", "production", 1, "it works")
    event = LabelEvent.objects.get()
    assert (event.moved_by, event.door, event.reason, event.approved_by) == ("user ana", "admin", "it works", None)
    entry = LogEntry.objects.latest("pk")
    assert (entry.object_repr, entry.changes, entry.note) == ("a: production", {"target": [None, "1"]}, "it works")


def test_a_protected_label_needs_the_scope_or_the_permission() -> None:
    guard(is_protected=True)
    with as_token("read", "write", "admin"), pytest.raises(Forbidden, match="needs the scope 'promote'"):
        move("a", "production", 1)
    with as_token("read", "write"):
        move("a", "staging", 1)
    with as_staff("ana"), pytest.raises(Forbidden):
        move("a", "production", 1)
    with as_token("write", "promote"):
        move("a", "production", 1)
    User.objects.get(username="ana").user_permissions.add(Permission.objects.get(codename="promote_label"))
    with as_staff("ana"):
        move("a", "production", 2)
    with as_staff("ben"), pytest.raises(Forbidden):
        do("undo_move", name="a", label="production")
    with as_staff("ben"), pytest.raises(Forbidden):
        move("a", "production", None)
    with as_staff("ben"), pytest.raises(Forbidden):
        do("save", name="a", text="three", labels=["production"])
    move("a", "staging", None)
    assert sorted(targets(), key=str) == [("1", "2"), ("1", None), (None, "1"), (None, "1")]


def test_a_reason_may_be_required() -> None:
    guard(needs_reason=True)
    for reason in ("", " \n"):
        with pytest.raises(Invalid, match="A move of 'production' needs a reason"):
            move("a", "production", 1, reason)
    move("a", "production", 1, "because")
    with pytest.raises(Invalid, match="at most 2,000"):
        move("a", "production", 2, "x" * 2001)


def test_a_second_person_approves_and_the_move_is_the_askers() -> None:
    guard(is_protected=True, needs_second_person=True)
    with as_staff("ana"):
        asked = move("a", "production", 2, "tested")
        again = move("a", "production", 2, "tested")
    assert (asked.event, again.request.id) == (None, asked.request.id)
    with as_staff("ana", superuser=True), pytest.raises(Forbidden, match="Somebody else"):
        do("approve", request_id=asked.request.id)
    with as_staff("eve"), pytest.raises(Forbidden, match="protected"):
        do("approve", request_id=asked.request.id)
    with as_staff("ben", superuser=True):
        approved = do("approve", request_id=asked.request.id)
    assert (str(approved.target), approved.request.state) == ("2", "approved")
    event = LabelEvent.objects.get()
    assert (event.moved_by, event.approved_by, event.reason) == ("user ana", "user ben", "tested")
    with as_staff("ben"), pytest.raises(Conflict, match="was approved by user ben already"):
        do("reject", request_id=asked.request.id)
    with pytest.raises(NotFound):
        do("approve", request_id=asked.request.id + 1)


def test_a_person_is_the_same_with_a_session_and_with_their_tokens() -> None:
    guard(needs_second_person=True)
    with as_staff("ana") as ana:
        asked = move("a", "production", 2)
    with as_token("write", created_by=ana), pytest.raises(Forbidden, match="Somebody else"):
        do("approve", request_id=asked.request.id)
    with as_token("write"):
        do("approve", request_id=asked.request.id)


def test_a_request_is_worth_nothing_once_the_label_has_moved() -> None:
    guard(needs_second_person=True)
    with as_staff("ana"):
        first, second = move("a", "production", 1), move("a", "production", 2)
    with as_staff("ben"):
        do("approve", request_id=second.request.id)
        with pytest.raises(Conflict, match="has moved since this was asked for, and points to 2 now"):
            do("approve", request_id=first.request.id)
        assert do("reject", request_id=first.request.id).state == "rejected"
    assert targets() == [(None, "2")]
    assert [row.id for row in RegistryRepository().list_requests(state="approved")] == [second.request.id]


def test_a_save_with_a_label_that_wants_a_second_person_makes_the_version_and_asks() -> None:
    guard(needs_second_person=True)
    with as_staff("ana"):
        saved = do("save", name="a", text="three", labels=["production", "staging"])
    production, staging = saved.moves
    assert (saved.outcome, saved.prompt.version, saved.prompt.labels) == ("version", 3, ["staging"])
    assert (production.event, staging.request) == (None, None)
    assert str(PromotionRequest.objects.get().to_target) == "3"


def test_an_archived_project_moves_nothing(prompt: Any) -> None:
    do("give_name", prompt_id=prompt.id, name="b")
    RegistryRepository().prompts.archive_project(project_id=prompt.project_id)
    with pytest.raises(Forbidden, match="archived"):
        move("a", "production", 1)
    with pytest.raises(Forbidden, match="archived"):
        do("give_name", prompt_id=prompt.id, name="c")


def test_webhooks_hear_of_moves_and_requests() -> None:
    Endpoint.objects.create(name="e", url="https://example.com", events=[])
    guard(needs_second_person=True)
    with as_staff("ana"):
        move("a", "staging", 1, "why")
        asked = move("a", "production", 1)
    with as_staff("ben"):
        do("approve", request_id=asked.request.id)
    told = [json.loads(body) for body in Message.objects.order_by("pk").values_list("body", flat=True)]
    assert [message["type"] for message in told] == [
        *("label_moved", "promotion_requested", "label_moved", "promotion_decided"),
    ]
    data = told[0]["data"]
    assert (data["name"], data["label"], data["from_target"], data["to_target"]) == ("a", "staging", None, "1")
    assert (data["by"], data["reason"]) == ("user ana", "why")
    assert (told[2]["data"]["approved_by"], told[3]["data"]["state"]) == ("user ben", "approved")
