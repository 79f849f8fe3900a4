"""Who fetches what is counted without a request waiting for it, and keeps labels from being taken away unseen."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from projects.contrib.registry.fetches import Counter
from projects.contrib.registry.models import PromptFetch
from promptadmin.db.sessions import write_session
from promptadmin.errors import Conflict
from tests.projects.contrib.registry.naming import as_token, do, make_named, move
from tests.projects.contrib.registry.test_api import post, put, with_token

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def counter(monkeypatch: pytest.MonkeyPatch) -> Counter:
    """The counts of this test alone."""
    own = Counter()
    monkeypatch.setattr("projects.contrib.registry.repository.resolving.counter", own)
    return own


def rows() -> list[tuple[Any, ...]]:
    return list(PromptFetch.objects.order_by("label", "version", "token").values_list("label", "version", "count"))


def test_fetches_are_counted_by_label_version_and_token(client: Client, counter: Counter) -> None:
    make_named("a", "one", "two")
    move("a", "production", 1)
    api, other = with_token("read"), with_token("read")
    for _ in range(3):
        assert api.get("/api/prompts/a").status_code == 200
    tag = api.get("/api/prompts/a")["ETag"]
    assert api.get("/api/prompts/a", headers={"If-None-Match": tag}).status_code == 304
    other.get("/api/prompts/a")
    other.get("/api/prompts/a?version=2")
    other.get("/api/prompts/a?label=nonsense")
    assert post(other, "/prompts/a/compile", {"version": 2, "values": {}}).status_code == 200  # a token that reads
    assert rows() == []  # no request has written anything
    assert counter.write() == 3
    assert sorted(rows()) == [("", 2, 2), ("production", 1, 1), ("production", 1, 5)]
    usage = api.get("/api/prompts/a/usage").json()
    assert usage["count"] == 8
    assert {item["label"] for item in usage["items"]} == {None, "production"}
    assert usage["last_fetched_at"] == max(item["last_at"] for item in usage["items"])
    assert api.get("/api/prompts").json()["items"][0]["last_fetched_at"] == usage["last_fetched_at"]


def test_counts_of_several_writes_and_processes_add_up() -> None:
    prompt = make_named("a")
    processes = Counter(), Counter()
    for _ in range(2):
        for process in processes:
            process.add(prompt.id, "production", 1, "token x")
            process.write()
    assert rows() == [("production", 1, 4)]


def test_counts_of_a_prompt_that_is_gone_are_dropped(counter: Counter) -> None:
    prompt = make_named("a")
    counter.add("no such prompt", None, 1, "token x")
    counter.add(prompt.id, None, 1, "token x")
    counter.write()
    assert rows() == [("", 1, 1)]


def test_a_database_that_refuses_loses_no_count(monkeypatch: pytest.MonkeyPatch, counter: Counter) -> None:
    prompt = make_named("a")
    counter.add(prompt.id, None, 1, "token x")
    with monkeypatch.context() as patch:
        patch.setattr("projects.contrib.registry.fetches.write_session", _refused)
        with pytest.raises(OSError, match="no space"):
            counter.write()
    counter.add(prompt.id, None, 1, "token x")
    counter.write()
    assert rows() == [("", 1, 2)]


def _refused(using: str) -> None:
    raise OSError("no space")


def test_what_is_in_use_is_taken_away_with_force_alone(counter: Counter) -> None:
    prompt = make_named("a", "one", "two")
    move("a", "production", 1)
    move("a", "staging", 2)
    with as_token("read", name="shop"):
        do("fetch", name="a", label="production")
    counter.write()
    with pytest.raises(Conflict, match=r"'production' was fetched in the last 7 days by token .* \(1 time, last"):
        move("a", "production", None)
    move("a", "production", 2)  # moving it is no taking away
    move("a", "staging", None)  # nobody fetched it
    api = with_token("read", "write")
    refused = api.delete("/api/prompts/a/labels/production")
    assert (refused.status_code, "force=true" in refused.json()["detail"]) == (409, True)
    assert api.delete("/api/prompts/a/labels/production?force=true").status_code == 200
    PromptFetch.objects.filter(prompt_id=prompt.id).update(last_at=timezone.now() - dt.timedelta(days=8))
    put(api, "/prompts/a/labels/production", {"version": 1})
    assert api.delete("/api/prompts/a/labels/production").status_code == 200


def test_undoing_the_first_move_of_a_label_in_use_needs_force_too(counter: Counter) -> None:
    make_named("a")
    move("a", "production", 1)
    do("fetch", name="a")
    counter.write()
    with pytest.raises(Conflict, match="in the last 7 days"):
        do("undo_move", name="a", label="production")
    assert do("undo_move", name="a", label="production", force=True).target is None


def test_usage_of_days_that_are_asked_for(counter: Counter) -> None:
    prompt = make_named("a")
    counter.add(prompt.id, "production", 1, "token x")
    counter.write()
    with write_session():
        PromptFetch.objects.update(day=timezone.now().date() - dt.timedelta(days=40))
    assert do("list_fetches", name="a") == []
    assert [one.count for one in do("list_fetches", name="a", days=41)] == [1]
