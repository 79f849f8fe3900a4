"""The plugin webhooks: impossible addresses, endpoints that fail or are slow beside others, deleting, new secrets."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook

from projects.repository import ProjectRepository
from promptadmin.contrib.webhooks import admin as webhooks_admin
from promptadmin.contrib.webhooks import delivering, outbox
from promptadmin.contrib.webhooks.addresses import AddressRefused, read_address, validate_address
from promptadmin.contrib.webhooks.delivering import deliver_due, wait_before
from promptadmin.contrib.webhooks.doctor import check_hosts
from promptadmin.contrib.webhooks.models import ROTATION, Delivery, DeliveryStatus, Endpoint, FormerSecret, Message
from promptadmin.contrib.webhooks.sending import Outcome, Parcel, deliver
from promptadmin.db.sessions import write_session
from tests.contrib.webhook_receiver import Receiver, receiving

pytestmark = pytest.mark.django_db(transaction=True)

ADD = "/admin/webhooks/endpoint/add/"
IMPOSSIBLE = (
    ("http://127.0.0.1:99999/x", "port is a number"),
    ("http://127.0.0.1:0/x", "port is a number"),
    ("http://127.0.0.1:/x", "port is a number"),
    ("http://127.0.0.1:8o80/x", "port is a number"),
    ("http://[::1", "as in https"),
    ("http://[::1]x/", "as in https"),
    ("http://[127.0.0.1]/", "as in https"),
    ("http://127.0.0.1/a b", "without blanks"),
    ("http://127.0.0.1/\t", "without blanks"),
    ("http://127.0.0.1/ü", "in ASCII"),
    ("http://bücher.example/", "in ASCII"),
    ("http://127.0.0.1./x", "no IP address"),
    ("http://127.0.0.999/x", "no IP address"),
    ("http://1.2.3.4.5/x", "no IP address"),
    ("http://a..b/x", "no name of a host"),
    ("http://.example.com/x", "no name of a host"),
    ("http://" + "a" * 64 + ".example.com/x", "no name of a host"),
    ("http://@127.0.0.1/x", "names and passwords"),
    ("http:///x", "as in https"),
    ("//127.0.0.1/x", "as in https"),
    ("", "without blanks"),
)


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOKS_PRIVATE, settings.WEBHOOKS_HOSTS = True, ["127.0.0.1", "localhost", "[::1]", "*.example"]
    with receiving() as receiver:
        yield receiver


def listen(url: str, **values: Any) -> Endpoint:
    return Endpoint.objects.create(**{"name": "test", "url": url, "events": ["project_created"], **values})


def make_projects(count: int = 1) -> None:
    for number in range(count):
        with write_session():
            ProjectRepository().create_project(name=f"project {time.monotonic()} {number}")


def statuses(endpoint: Endpoint) -> list[str]:
    return list(Delivery.objects.filter(endpoint=endpoint).order_by("pk").values_list("status", flat=True))


@pytest.mark.parametrize(("url", "message"), IMPOSSIBLE)
def test_addresses_that_no_request_can_go_to_are_refused(receiver: Receiver, url: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Endpoint(name="x", url=url).clean_fields() if url else validate_address(url)


def test_the_form_says_what_is_wrong_with_an_address(receiver: Receiver, admin_client: Client) -> None:
    for url, message in IMPOSSIBLE[:5]:
        answer = admin_client.post(ADD, {"name": "x", "url": url, "is_enabled": "on"})
        assert (answer.status_code, message in answer.content.decode()) == (200, True)
    for url in ("http://[::1]:8080/x", "http://localhost/%20?q=%C3%BC", "https://xn--bcher-kva.example.:8443"):
        answer = admin_client.post(ADD, {"name": "x", "url": url, "is_enabled": "on"})
        assert answer.status_code == 302, answer.content.decode()
    assert Endpoint.objects.count() == 3
    assert read_address("https://a.example.:8443").authority == "a.example:8443"
    assert read_address("http://[::1]:80/?q").authority == "[::1]"


@given(st.text(max_size=20) | st.text(st.sampled_from("http://[]:@%?#.a1\\ "), max_size=30).map("http://".__add__))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_an_address_or_is_refused_and_sending_to_it_is_an_outcome(text: str) -> None:
    try:
        address = read_address(text)
    except AddressRefused:
        outcome = deliver(Parcel(1, "", text, ("whsec_YWJj",), "msg_1", "{}"))
        assert (outcome.answer, outcome.is_unreachable, outcome.bug) == (None, True, None)
    else:
        assert 1 <= address.port <= 65535
        assert address.target.isascii()


@pytest.mark.parametrize(
    "values",
    [
        {"url": "http://127.0.0.1:99999/x"},
        {"url": "http://[::1"},
        {"url": "http://127.0.0.1./"},
        {"secret": "whsec_x"},
        {"secret": ""},
        {"events": 7},
        {"events": {"project_created": {}}},
    ],
)
def test_what_another_program_wrote_into_one_endpoint_harms_no_other(
    receiver: Receiver, values: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    first, bad, last = listen(receiver.address), listen(receiver.address, name="bad one"), listen(receiver.address)
    Endpoint.objects.filter(pk=bad.pk).update(**values)
    make_projects(2)
    while deliver_due():
        pass
    assert statuses(first) == statuses(last) == [DeliveryStatus.DELIVERED] * 2
    assert DeliveryStatus.DELIVERED not in statuses(bad)
    assert sum("bad one" in record.message for record in caplog.records if record.levelno >= logging.ERROR) == (
        "secret" in values
    )
    list(check_hosts(databases=["default"]))


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite keeps such values")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE webhooks_endpoint SET name = CAST(x'ff' AS TEXT) WHERE id = %s",
        "UPDATE webhooks_endpoint SET url = x'00ff' WHERE id = %s",
        "INSERT INTO webhooks_formersecret (endpoint_id, secret, signs_until) VALUES (%s, 'x', 'when')",
        "UPDATE webhooks_endpoint SET created_at = '2026-13-45 00:00:00' WHERE id = %s",
        "UPDATE webhooks_delivery SET subject = CAST(x'ff' AS TEXT) WHERE endpoint_id = %s",
        "UPDATE webhooks_delivery SET attempts = 9223372036854775807 WHERE endpoint_id = %s",
        "UPDATE webhooks_delivery SET attempts = 'many' WHERE endpoint_id = %s",
        "UPDATE webhooks_delivery SET due_at = 'soon' WHERE endpoint_id = %s",
    ],
)
def test_values_that_cannot_be_read_harm_no_other_endpoint(receiver: Receiver, statement: str) -> None:
    first, bad, last = listen(receiver.address), listen(receiver.address), listen(receiver.address)
    make_projects()
    with connection.cursor() as cursor:
        cursor.execute(statement, [bad.pk])
    make_projects()
    while deliver_due():
        pass
    assert statuses(first) == statuses(last) == [DeliveryStatus.DELIVERED] * 2
    list(check_hosts(databases=["default"]))


def test_a_failure_that_nobody_foresaw_is_one_endpoints_own(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    good, bad = listen(receiver.address), listen(receiver.address, name="bad one")
    kept = delivering._write_down

    def failing(outcome: Outcome, using: str) -> None:
        if Delivery.objects.get(pk=outcome.delivery_id).endpoint_id == bad.pk:
            raise MemoryError("out of it")
        kept(outcome, using)

    monkeypatch.setattr(delivering, "_write_down", failing)
    make_projects(3)
    deliver_due()
    assert (statuses(good), statuses(bad)) == ([DeliveryStatus.DELIVERED] * 3, [DeliveryStatus.PENDING] * 3)
    assert any("bad one" in record.message for record in caplog.records)


def test_a_slow_endpoint_keeps_no_other_waiting_and_gets_one_batch_at_a_time(receiver: Receiver) -> None:
    go_on = threading.Event()
    with receiving(lambda request: 204 if go_on.wait(30) else 500) as slow_receiver:
        slow, quick = listen(slow_receiver.address), listen(receiver.address)
        make_projects(3)
        deliverer = delivering.Deliverer("default")
        try:
            assert deliverer.start_batches() == 2
            while quick.pk in deliverer.busy:
                deliverer.write_down(1)
            assert statuses(quick) == [DeliveryStatus.DELIVERED] * 3
            make_projects()
            assert deliverer.start_batches() == 1
            while quick.pk in deliverer.busy:
                deliverer.write_down(1)
            assert (statuses(quick), deliverer.busy) == ([DeliveryStatus.DELIVERED] * 4, {slow.pk})
        finally:
            go_on.set()
        while deliverer.busy:
            deliverer.write_down(1)
        assert statuses(slow) == [DeliveryStatus.DELIVERED] * 3 + [DeliveryStatus.PENDING]
        bodies = [request.body for request in slow_receiver.requests]
        sent = Message.objects.filter(delivery__endpoint=slow, delivery__status=DeliveryStatus.DELIVERED)
        assert bodies == list(sent.order_by("pk").values_list("body", flat=True))


def test_slow_endpoints_leave_threads_to_quick_ones(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "ENDPOINTS_AT_ONCE", 3)
    monkeypatch.setattr(delivering, "RESERVED", 1)
    rows = [listen(receiver.address) for _ in range(4)]
    make_projects()
    deliverer = delivering.Deliverer("default")
    deliverer._seconds = {row.pk: delivering.SECONDS_SLOW for row in rows[:3]}
    assert deliverer.start_batches() == 2
    assert deliverer.busy == {rows[0].pk, rows[3].pk}
    while deliverer.busy:
        deliverer.write_down(1)


def test_an_answer_a_byte_at_a_time_ends(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("promptadmin.contrib.webhooks.sending.LONGEST_SECONDS", 0.3)
    go_on = threading.Event()
    with receiving(lambda request: 204 if go_on.wait(30) else 500) as slow:
        outcome = deliver(Parcel(1, "", slow.address, ("whsec_YWJj",), "msg_1", "{}"))
        go_on.set()
    assert (outcome.answer, outcome.is_unreachable) == (None, True)


def test_an_endpoint_that_has_delivered_is_deleted_after_a_question(
    receiver: Receiver, admin_client: Client, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr(outbox, "DELIVERIES_A_PIECE", 2)
    doomed, other = listen(receiver.address, name="doomed"), listen(receiver.address, name="other")
    make_projects(5)
    deliver_due()
    page = f"/admin/webhooks/endpoint/{doomed.pk}/delete/"
    with django_assert_max_num_queries(12):  # however many deliveries there are
        asked = admin_client.get(page).content.decode()
    assert "doomed, with 5 deliveries" in asked
    monkeypatch.setattr(webhooks_admin, "SECONDS_TO_DELETE", 0.0)
    answer = admin_client.post(page, {"post": "yes"}, follow=True)
    assert "still has 3 deliveries: delete it again" in answer.content.decode()
    doomed.refresh_from_db()
    assert (doomed.is_enabled, Delivery.objects.filter(endpoint=doomed).count()) == (False, 3)
    monkeypatch.setattr(webhooks_admin, "SECONDS_TO_DELETE", 15.0)
    assert admin_client.post(page, {"post": "yes"}).status_code == 302
    assert (list(Endpoint.objects.all()), statuses(other)) == ([other], [DeliveryStatus.DELIVERED] * 5)

    selected = {"action": "delete_selected", "_selected_action": [other.pk], "post": "yes"}
    assert admin_client.post("/admin/webhooks/endpoint/", selected).status_code == 302
    assert (Endpoint.objects.count(), Delivery.objects.count(), Message.objects.count()) == (0, 0, 5)


def test_whoever_may_not_delete_deletes_nothing(receiver: Receiver, django_user_model: Any) -> None:
    endpoint = listen(receiver.address)
    make_projects()
    staff = django_user_model.objects.create_user("staff", password="x", is_staff=True)
    client = Client()
    client.force_login(staff)
    assert client.post(f"/admin/webhooks/endpoint/{endpoint.pk}/delete/", {"post": "yes"}).status_code == 403
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(django_user_model.objects.create_superuser("root", password="x"))
    assert strict.post(f"/admin/webhooks/endpoint/{endpoint.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Delivery.objects.count() == 1


def test_a_new_secret_signs_beside_the_former_one_for_a_day(receiver: Receiver, admin_client: Client) -> None:
    endpoint = listen(receiver.address)
    form = {"name": "test", "url": receiver.address, "is_enabled": "on", "rotate_secret": "on"}
    page = f"/admin/webhooks/endpoint/{endpoint.pk}/change/"
    assert "rotate_secret" in admin_client.get(page).content.decode()
    assert admin_client.post(page, form).status_code == 302
    former, endpoint = endpoint.secret, Endpoint.objects.get()
    assert former != endpoint.secret
    assert abs(FormerSecret.objects.get().signs_until - dt.datetime.now(dt.UTC) - ROTATION) < dt.timedelta(minutes=1)
    make_projects()
    deliver_due()
    [request] = receiver.requests
    assert len(request.headers["webhook-signature"].split()) == 2
    for secret in (former, endpoint.secret):
        assert Webhook(secret).verify(request.body, request.headers)
    FormerSecret.objects.update(signs_until=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    make_projects()
    deliver_due()
    [signature] = receiver.requests[-1].headers["webhook-signature"].split()
    assert signature.startswith("v1,")
    assert former not in admin_client.get(page).content.decode()


def test_waiting_has_an_end_whatever_the_number_of_attempts() -> None:
    assert wait_before(2**63) == dt.timedelta(days=7)
