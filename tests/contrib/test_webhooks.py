"""The plugin webhooks: one transaction with the change, signatures, retries, order, dead letters, replay, addresses."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import checks
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client
from standardwebhooks import Webhook

from optimizations.repository import OptimizationRepository
from projects.repository import ProjectRepository
from promptadmin.contrib.webhooks.addresses import validate_address
from promptadmin.contrib.webhooks.delivering import deliver_due, forget_old
from promptadmin.contrib.webhooks.doctor import check_deliveries, check_hosts
from promptadmin.contrib.webhooks.models import Delivery, DeliveryStatus, Endpoint, Message
from promptadmin.db.sessions import write_session
from promptadmin.errors import Forbidden
from tests.contrib.webhook_receiver import Receiver, receiving
from tests.support.processes import Scratch

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOKS_PRIVATE, settings.WEBHOOKS_HOSTS = True, ["127.0.0.1", "localhost"]
    with receiving() as receiver:
        yield receiver


def listen(receiver: Receiver, **values: Any) -> Endpoint:
    return Endpoint.objects.create(**{"name": "test", "url": receiver.address, **values})


def deliver_all() -> None:
    while deliver_due():
        pass


def due_now() -> None:
    Delivery.objects.update(due_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))


def make_prompt(content: str = "one") -> Any:
    with write_session():
        project = ProjectRepository().create_project(name=f"project of {content}")
        return ProjectRepository().add_prompt(project_id=project.id, content=content)


def edit(prompt: Any, content: str) -> None:
    with write_session():
        ProjectRepository().update_prompt(prompt_id=prompt.id, content=content)


def types(receiver: Receiver) -> list[str]:
    return [json.loads(request.body)["type"] for request in receiver.requests]


def test_each_event_is_delivered_once_signed_and_in_order(receiver: Receiver) -> None:
    endpoint = listen(receiver)
    prompt = make_prompt()
    edit(prompt, "two")
    with write_session():
        run = OptimizationRepository().record_run({"raw_prompt": "two", "prompt_id": prompt.id, "status": "running"})
        OptimizationRepository().change_run(run["id"], {"status": "completed", "overall_score": 0.5})
        ProjectRepository().archive_project(project_id=prompt.project_id)
    deliver_all()
    assert sorted(types(receiver)) == sorted(
        ["project_created", "prompt_created", "prompt_version_created", "optimization_created", "optimization_finished",
         "project_archived"]
    )  # fmt: skip
    of_prompt = [item for item in map(json.loads, (request.body for request in receiver.requests))
                 if item["data"].get("prompt_id") == prompt.id]  # fmt: skip
    assert [item["type"] for item in of_prompt] == [
        "prompt_created", "prompt_version_created", "optimization_created", "optimization_finished",
    ]  # fmt: skip
    assert of_prompt[1]["data"] == {"prompt_id": prompt.id, "project_id": prompt.project_id, "version": 2}
    for request in receiver.requests:
        assert Webhook(endpoint.secret).verify(request.body, request.headers)
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 6
    assert set(Delivery.objects.values_list("status", flat=True)) == {DeliveryStatus.DELIVERED}


def test_a_change_that_is_rolled_back_leaves_no_message(receiver: Receiver) -> None:
    listen(receiver)
    prompt = make_prompt()
    before = Message.objects.count()
    with write_session() as connection:
        ProjectRepository().update_prompt(prompt_id=prompt.id, content="two")
        connection.set_rollback(True)
    with write_session():
        ProjectRepository().archive_project(project_id=prompt.project_id)
    with pytest.raises(Forbidden), write_session():
        ProjectRepository().update_prompt(prompt_id=prompt.id, content="two")
    assert Message.objects.count() == before + 1


def test_endpoints_get_what_they_want_while_they_are_on(receiver: Receiver) -> None:
    chosen = listen(receiver, events=["prompt_created"])
    listen(receiver, is_enabled=False)
    make_prompt()
    assert [(row.endpoint, row.message.event) for row in Delivery.objects.select_related("message", "endpoint")] == [
        (chosen, "prompt_created")
    ]
    Endpoint.objects.update(is_enabled=False)
    assert deliver_due() == 0
    Endpoint.objects.update(is_enabled=True)
    deliver_all()
    assert types(receiver) == ["prompt_created"]


def test_a_failure_is_tried_again_later_and_holds_back_its_own_prompt_only(receiver: Receiver, settings: Any) -> None:
    settings.WEBHOOKS_RETRY_SECONDS = 100
    listen(receiver, events=["prompt_created", "prompt_version_created"])
    first, second = make_prompt("one"), make_prompt("other")
    edit(first, "two")
    edit(second, "three")
    receiver.answer = lambda request: 500 if first.id in request.body else 200
    deliver_all()
    assert [second.id in request.body for request in receiver.requests] == [False, True, True]
    failed = Delivery.objects.get(status=DeliveryStatus.PENDING, attempts=1)
    assert (failed.answer, failed.error) == (500, "The receiver answered 500 Internal Server Error")
    waits = []
    for _ in range(2):
        due_now()
        deliver_due()
        failed.refresh_from_db()
        waits.append(round((failed.due_at - dt.datetime.now(dt.UTC)).total_seconds(), -2))
    assert waits == [400, 1600]

    receiver.answer = lambda request: 200
    due_now()
    deliver_all()
    ids = [request.headers["webhook-id"] for request in receiver.requests if first.id in request.body]
    assert ids == [ids[0]] * 4 + [ids[-1]]
    assert ids[0] != ids[-1]
    assert json.loads(receiver.requests[-1].body)["type"] == "prompt_version_created"


def test_dead_letters_let_the_next_pass_and_can_be_sent_again(receiver: Receiver, settings: Any) -> None:
    settings.WEBHOOKS_ATTEMPTS = 2
    listen(receiver, events=["prompt_created", "prompt_version_created"])
    edit(make_prompt(), "two")
    receiver.answer = lambda request: 404 if "prompt_created" in request.body else 200
    for _ in range(3):
        due_now()
        deliver_all()
    dead, delivered = Delivery.objects.order_by("message_id")
    assert (dead.status, dead.attempts, delivered.status) == (DeliveryStatus.DEAD, 2, DeliveryStatus.DELIVERED)

    receiver.answer = lambda request: 200
    with write_session():
        call_command("replay_webhooks", str(dead.endpoint_id), "--from", str(delivered.message_id))
    deliver_all()
    assert types(receiver)[-1] == "prompt_version_created"
    call_command("replay_webhooks", str(dead.endpoint_id))
    deliver_all()
    assert types(receiver)[-2:] == ["prompt_created", "prompt_version_created"]
    with pytest.raises(CommandError, match="There is no endpoint 999"):
        call_command("replay_webhooks", "999")


def test_a_new_endpoint_can_have_what_was_sent_before(receiver: Receiver) -> None:
    listen(receiver)
    make_prompt()
    late = listen(receiver, events=["prompt_created"])
    call_command("replay_webhooks", str(late.pk))
    call_command("deliver_webhooks", "--once")
    assert sorted(types(receiver)) == ["project_created", "prompt_created", "prompt_created"]


def test_redirects_are_not_followed(receiver: Receiver) -> None:
    listen(receiver, events=["prompt_created"])
    make_prompt()
    receiver.answer = lambda request: 302
    deliver_due()
    assert (len(receiver.requests), Delivery.objects.get().answer) == (1, 302)


def test_private_addresses_are_refused_when_kept_and_when_sent(receiver: Receiver, settings: Any) -> None:
    settings.WEBHOOKS_PRIVATE = False
    for url, message in (
        ("http://127.0.0.1/x", "private address"),
        ("http://[::1]/x", "private address"),
        ("https://169.254.169.254/latest", "private address"),
        ("http://[::ffff:10.0.0.1]/", "private address"),
        ("http://[::127.0.0.1]/", "private address"),
        ("http://[64:ff9b::169.254.169.254]/", "private address"),
        ("http://[2002:7f00:1::]/", "private address"),
        ("http://[fec0::1]/", "private address"),
        ("ftp://example.com", "as in https"),
        ("https://me:secret@example.com/", "names and passwords"),
    ):
        with pytest.raises(ValidationError, match=message):
            validate_address(url)
    settings.WEBHOOKS_HOSTS += ["example.com"]
    validate_address("https://example.com/hook")
    # A name passes, and is looked up when something is sent.
    listen(receiver, url=receiver.address.replace("127.0.0.1", "localhost"))
    make_prompt()
    deliver_due()
    assert receiver.requests == []
    assert "private address" in Delivery.objects.exclude(error="").first().error  # type: ignore[union-attr]


def test_hosts_that_are_not_listed_are_refused_when_kept_and_when_sent(receiver: Receiver, settings: Any) -> None:
    """Without a list that is every host; what is in the database already is no exception."""
    endpoint = listen(receiver, events=["prompt_created"])
    make_prompt("one")
    settings.WEBHOOKS_HOSTS = []
    with pytest.raises(ValidationError, match="add it to PROMPTADMIN_WEBHOOKS_HOSTS"):
        validate_address("https://example.com/hook")
    deliver_due()
    assert receiver.requests == []
    assert "127.0.0.1 is not among the hosts" in Delivery.objects.get().error
    [found] = check_hosts(databases=["default"])
    assert (found.level, found.msg[:24]) == (checks.WARNING, "test: 127.0.0.1 is not a")

    settings.WEBHOOKS_HOSTS = ["Hooks.example.com", "*.example.org", "127.0.0.1", "2606:4700:4700::1111"]
    assert [found.level for found in check_hosts(databases=["default"])] == [checks.DEBUG]
    for url in (
        "https://hooks.example.com/x",
        "https://HOOKS.EXAMPLE.COM.:8443/x",
        "https://a.b.example.org/x",
        "https://[2606:4700:4700::1111]/x",
    ):
        validate_address(url)
    for url in (
        "https://example.com/",
        "https://a.hooks.example.com/",
        "https://example.org/",
        "https://badexample.org/",
        "https://example.org.evil.com/",
        "https://evil.com/?x=.example.org",
        "https://evil.com#.example.org",
        "https://1.1.1.1/",
        "https://2130706433/",
    ):
        with pytest.raises(ValidationError, match="is not among the hosts"):
            validate_address(url)
    due_now()
    deliver_all()
    assert types(receiver) == ["prompt_created"]
    assert endpoint.is_enabled


@pytest.mark.parametrize("hosts", ["*", "*.", "https://example.com", "a.*.example.com"])
def test_a_list_that_names_no_hosts_stops_the_start(scratch: Scratch, hosts: str) -> None:
    on = "projects,optimizations,webhooks"
    done = scratch.manage("check", PROMPTADMIN_PLUGINS=on, PROMPTADMIN_WEBHOOKS_HOSTS=hosts)
    assert done.returncode != 0
    assert "PROMPTADMIN_WEBHOOKS_HOSTS" in done.stderr


def test_old_messages_go_once_nothing_waits(receiver: Receiver) -> None:
    listen(receiver, events=["prompt_created"])
    make_prompt("one")
    deliver_all()
    make_prompt("two")
    Message.objects.update(created_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    assert forget_old() == 1
    assert [row.status for row in Delivery.objects.all()] == [DeliveryStatus.PENDING]


def test_staff_keep_endpoints_in_the_admin(receiver: Receiver, admin_client: Client, settings: Any) -> None:
    settings.WEBHOOKS_PRIVATE = False
    form = {"name": "ours", "url": receiver.address, "events": ["prompt_created"], "is_enabled": "on"}
    page = admin_client.post("/admin/webhooks/endpoint/add/", form).content.decode()
    assert "PROMPTADMIN_WEBHOOKS_PRIVATE=1" in page
    settings.WEBHOOKS_PRIVATE = True
    assert admin_client.post("/admin/webhooks/endpoint/add/", form).status_code == 302
    endpoint = Endpoint.objects.get()
    assert endpoint.events == ["prompt_created"]
    assert endpoint.secret in admin_client.get(f"/admin/webhooks/endpoint/{endpoint.pk}/change/").content.decode()
    make_prompt()
    deliver_all()
    delivery = Delivery.objects.get()
    assert "prompt_created" in admin_client.get("/admin/webhooks/delivery/").content.decode()
    assert admin_client.get("/admin/webhooks/message/").status_code == 200
    again = {"action": "again", "_selected_action": [delivery.pk]}
    assert admin_client.post("/admin/webhooks/delivery/", again).status_code == 302
    replay = {"action": "replay_all", "_selected_action": [endpoint.pk]}
    assert admin_client.post("/admin/webhooks/endpoint/", replay).status_code == 302
    deliver_all()
    assert types(receiver) == ["prompt_created"] * 2


def test_the_doctor_tells_what_was_given_up_and_what_nobody_delivers(receiver: Receiver) -> None:
    listen(receiver)
    make_prompt()
    assert [item.level for item in check_deliveries(databases=["default"])] == [checks.DEBUG]
    due_now()
    Delivery.objects.filter(pk=Delivery.objects.latest("pk").pk).update(status=DeliveryStatus.DEAD)
    assert [item.msg for item in check_deliveries(databases=["default"])] == [
        "1 message that was given up",
        "1 message that waits and wasn't tried",
    ]
