"""Requests that can be sent again: every POST with an Idempotency-Key, every change with If-Match."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import DatabaseError, connections
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from optimizations.models import Optimization
from projects.api.inputs import PROJECT_ID, PROMPT_ID, RUN_ID
from projects.contrib.registry.api.schemas import LABEL, NAME
from projects.models import Project
from promptadmin.api import idempotency
from promptadmin.models import KeptAnswer
from tests.api.documented_operations import (
    JSON,
    WORLDS,
    Documented,
    all_rows,
    documented,
    make_documented_rows,
    remove_documented_rows,
)

pytestmark = pytest.mark.django_db

POSTS = {operation.name: operation for operation in documented("POST")}
CHANGES = {operation.name: operation for operation in documented("PUT", "PATCH", "DELETE")}
READS = {"compile_named_prompt"}
WITHOUT_PLUGIN = {"optimize", "retry_run"}  # 501: nothing is done
AT_ONCE = 8


@pytest.fixture(autouse=True)
def token(settings: Settings, client: Client) -> None:
    settings.API_AUTH_TOKEN = "secret"
    client.defaults["HTTP_AUTHORIZATION"] = "Bearer secret"
    client.raise_request_exception = False


def test_the_operations_are_found() -> None:
    assert {"create_project", "add_prompt", "record_run", "import_runs", "delete_runs"} <= POSTS.keys()
    assert {"update_project", "reorder_prompts", "tag_run", "change_run", "clear_history"} <= CHANGES.keys()


@pytest.mark.parametrize("name", sorted(POSTS.keys() - READS))
def test_every_post_is_done_once_with_a_key(client: Client, name: str) -> None:
    """Sent again, it changes nothing and gets the same answer; another request with the key is refused."""
    post = POSTS[name]
    for world in WORLDS:
        remove_documented_rows()
        make_documented_rows(**world)
        before = all_rows()
        first = post.send(client, Idempotency_Key="k1")
        if first.status_code < 300:
            break
    if name in WITHOUT_PLUGIN:
        assert (first.status_code, KeptAnswer.objects.count()) == (501, 0)
        return
    assert first.status_code in (200, 201), first.content
    assert idempotency.REPLAYED not in first.headers
    after = all_rows()
    assert after != before
    again = post.send(client, Idempotency_Key="k1")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers.get("ETag") == first.headers.get("ETag")
    assert again.headers[idempotency.REPLAYED] == "true"
    other = post.send(client, Idempotency_Key="k1", If_Unmodified_Since="Fri, 20 Mar 2026 09:30:00 GMT")
    assert (other.status_code, other.json()["detail"][0]["loc"]) == (422, ["header", "Idempotency-Key"])
    assert all_rows() == after


@pytest.mark.parametrize("name", READS)
def test_a_post_that_reads_changes_nothing(client: Client, name: str) -> None:
    make_documented_rows()
    before = all_rows()
    assert POSTS[name].send(client, Idempotency_Key="k1").status_code == 200
    assert (all_rows(), KeptAnswer.objects.count()) == (before, 0)


def add_project(client: Client, name: str = "New", key: str = "k1") -> Any:
    return client.post("/api/projects", {"name": name}, content_type=JSON, headers={"Idempotency-Key": key})


def test_without_a_key_nothing_is_kept(client: Client) -> None:
    client.post("/api/projects", {"name": "New"}, content_type=JSON)
    assert not KeptAnswer.objects.exists()


def test_errors_are_not_kept(client: Client) -> None:
    """They changed nothing: the same request may succeed once what was in its way has gone."""
    project = add_project(client).json()["id"]
    assert add_project(client, key="k2").status_code == 409
    client.delete(f"/api/projects/{project}")
    assert add_project(client, key="k2").status_code == 201
    assert add_project(client, name="", key="k3").status_code == 422
    assert KeptAnswer.objects.count() == 2


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "ключ"])
def test_a_key_that_cannot_be_one_is_refused(client: Client, key: str) -> None:
    answer = add_project(client, key=key)
    assert (answer.status_code, answer.json()["detail"][0]["type"]) == (422, "idempotency_key")
    assert not Project.objects.exists()


def test_the_body_makes_another_request(client: Client) -> None:
    assert add_project(client, "one").status_code == 201
    assert add_project(client, "two").status_code == 422
    assert Project.objects.get().name == "one"


def test_callers_have_keys_of_their_own(client: Client, settings: Settings) -> None:
    from promptadmin.accounts.tokens import create_token

    _, secret = create_token(name="other", scopes=["write"])
    assert add_project(client, "one").status_code == 201
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
    assert add_project(client, "two").status_code == 201


def test_a_key_is_free_again_after_a_day(client: Client) -> None:
    """Also where upkeep hasn't removed it yet; upkeep removes what has expired, and no more."""
    add_project(client, "one", "k1")
    add_project(client, "two", "k2")
    KeptAnswer.objects.update(created_at=timezone.now() - dt.timedelta(hours=24, seconds=1))
    assert add_project(client, "three", "k1").status_code == 201
    assert idempotency.forget_expired() == (1, 0)
    assert KeptAnswer.objects.count() == 1
    assert idempotency.forget_expired() == (0, 0)


def test_answers_dated_ahead_by_a_wrong_clock_are_given_and_expire(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock ran a year ahead while they were kept, and has been set back since; a later one is dated right."""
    monkeypatch.setattr(idempotency, "FORGOTTEN_AT_ONCE", 2)
    real, ahead = timezone.now(), dt.timedelta(days=365)
    for number in range(3):
        add_project(client, name=f"Ahead {number}", key=f"k{number}")
    KeptAnswer.objects.update(created_at=real + ahead)
    add_project(client, name="Right", key="right")
    for key, name in (("k0", "Ahead 0"), ("right", "Right")):
        assert add_project(client, name=name, key=key).headers[idempotency.REPLAYED] == "true"
    assert idempotency.forget_expired() == (0, 0)
    assert add_project(client, name="Ahead 0", key="k0").headers[idempotency.REPLAYED] == "true"
    for days in (1, 2):
        monkeypatch.setattr(timezone, "now", lambda days=days: real + dt.timedelta(days=days, minutes=1))
        while idempotency.forget_expired().left:
            pass
    assert KeptAnswer.objects.count() == 0


def test_a_large_answer_is_not_kept_but_its_request_is_not_done_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "KEPT_ANSWER_BYTES", 10)
    assert add_project(client).status_code == 201
    again = add_project(client)
    assert (again.status_code, "too large" in again.json()["detail"]) == (409, True)


def test_keys_are_bounded(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "KEPT_ANSWERS", 1)
    assert [add_project(client, name, name).status_code for name in ("a", "b", "c")] == [201, 201, 429]
    assert sorted(Project.objects.values_list("name", flat=True)) == ["a", "b"]


def test_what_was_done_and_its_answer_stand_or_fall_together(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise DatabaseError("no")

    with monkeypatch.context() as patch:
        patch.setattr(KeptAnswer, "save", fail)
        assert add_project(client).status_code == 500
    assert not Project.objects.exists()
    assert add_project(client).status_code == 201


def at_once(send: Callable[[Client, int], Any]) -> list[Any]:
    """The answers to requests of several threads, each with a connection of its own."""

    def one(number: int) -> Any:
        try:
            return send(Client(headers={"Authorization": "Bearer secret"}), number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, range(AT_ONCE)))


@pytest.mark.django_db(transaction=True)
def test_of_duplicates_at_once_one_is_done_and_all_get_its_answer() -> None:
    answers = at_once(lambda client, number: add_project(client))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert Counter(answer.headers.get(idempotency.REPLAYED) for answer in answers) == {None: 1, "true": AT_ONCE - 1}
    assert Project.objects.count() == 1


PARAMETERS = {
    "project_id": PROJECT_ID,
    "prompt_id": PROMPT_ID,
    "run_id": RUN_ID,
    "name": NAME,
    "label": LABEL,
    "comment_id": 1,
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_can_depend_on_an_etag(client: Client, name: str) -> None:
    """An ETag that isn't the resource's is 412, and nothing is changed; its own, in a list or weak, lets it through."""
    change: Documented = CHANGES[name]
    make_documented_rows()
    before = all_rows()
    for header in ('"other"', 'W/"other", "more"', "no-tag", ""):
        answer = change.send(client, If_Match=header)
        assert (answer.status_code, all_rows() == before) == (412, True), (header, answer.content)
    resource = getattr(change.function, "changes", None)
    if resource is None:  # many rows, that no GET shows under one ETag
        assert name == "clear_history"
        assert change.send(client, If_Match="*").status_code == 412
        assert all_rows() == before
        return
    tag = resource.tag(resource.read(**PARAMETERS))
    success = 204 if name == "delete_comment" else 200
    assert change.send(client, If_Match=f'"other", {tag}').status_code == success
    assert all_rows() != before


@pytest.mark.parametrize("how", ["*", "weak"])
def test_any_state_and_weak_etags(client: Client, how: str) -> None:
    """Compression on the way makes ETags weak; they stand for the same."""
    make_documented_rows()
    path = f"/api/projects/{PROJECT_ID}"
    header = how if how == "*" else f"W/{client.get(path).headers['ETag']}"
    assert client.put(path, {}, content_type=JSON, headers={"If-Match": header}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        f"/api/projects/{PROJECT_ID}",
        f"/api/projects/{PROJECT_ID}/prompts/{PROMPT_ID}",
        f"/api/projects/{PROJECT_ID}/prompts/{PROMPT_ID}/versions/1",
        f"/api/optimize/{RUN_ID}",
    ],
)
def test_a_known_state_is_304(client: Client, path: str) -> None:
    make_documented_rows()
    answer = client.get(path)
    known = client.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (known.status_code, known.content, known.headers["ETag"]) == (304, b"", answer.headers["ETag"])
    assert client.get(path, headers={"If-None-Match": '"other"'}).content == answer.content


def test_an_etag_is_another_one_after_each_change(client: Client) -> None:
    """Of a run, which has no time of its last change; also when another program changes the row."""
    make_documented_rows()
    path, seen = f"/api/optimize/{RUN_ID}", set()
    for values in ({}, {"title": "a"}, {"title": None}, {"weaknesses": '["x"]'}, {"overall_score": 0.5}):
        Optimization.objects.filter(pk=RUN_ID).update(**values) if values else None
        seen.add(client.get(path).headers["ETag"])
    assert len(seen) == 4  # twice without a title
    changed = client.patch(f"/api/optimizations/{RUN_ID}", {"title": "b"}, content_type=JSON)
    assert changed.headers["ETag"] == client.get(path).headers["ETag"]


@pytest.mark.django_db(transaction=True)
def test_of_changes_at_once_that_expect_one_state_one_is_made() -> None:
    make_documented_rows()
    path = f"/api/projects/{PROJECT_ID}"
    tag = Client(headers={"Authorization": "Bearer secret"}).get(path).headers["ETag"]

    def change(client: Client, number: int) -> Any:
        body = {"description": f"by {number}"}
        return client.put(path, body, content_type=JSON, headers={"If-Match": tag})

    answers = at_once(change)
    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: AT_ONCE - 1}
    winner = next(number for number, answer in enumerate(answers) if answer.status_code == 200)
    assert Project.objects.get(pk=PROJECT_ID).description == f"by {winner}"


def test_browsers_of_other_origins_may_send_and_read_these_headers(client: Client) -> None:
    asked = {
        "Origin": "http://localhost:5199",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "idempotency-key,if-match,if-none-match",
    }
    allowed = client.options("/api/projects", headers=asked).headers["Access-Control-Allow-Headers"]
    assert {"idempotency-key", "if-match", "if-none-match"} <= set(allowed.split(", "))
    exposed = client.get("/api/projects", headers={"Origin": "http://localhost:5199"}).headers
    assert {"ETag", "Idempotency-Replayed"} <= set(exposed["Access-Control-Expose-Headers"].split(", "))
