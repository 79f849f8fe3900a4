"""What is written: messages within the transaction of the change, and deliveries to be made, or made again."""

from __future__ import annotations

import time
from collections.abc import Iterable

from django.db import DEFAULT_DB_ALIAS
from django.utils import timezone

from promptadmin.contrib.webhooks.models import Delivery, DeliveryStatus, Endpoint, Message
from promptadmin.db.sessions import write_session
from promptadmin.db.single_rows import readable_rows
from promptadmin.errors import NotFound
from promptadmin.http.responses import to_json
from promptadmin.plugins.events import Event

MESSAGES_A_BATCH = 500
DELIVERIES_A_PIECE = 2_000


def record_event(event: Event) -> None:
    """Keep an event for the endpoints that want it; called within the transaction of the change."""
    enabled = Endpoint.objects.using(event.using).filter(is_enabled=True).only("pk", "events")
    endpoints = [endpoint for endpoint in readable_rows(enabled) if endpoint.wants(event.name)]
    if not endpoints:
        return
    body = to_json({"type": event.name, "timestamp": event.at, "data": dict(event.data)}).decode()
    message = Message(message_id=f"msg_{event.id}", event=event.name, subject=event.subject, body=body)
    message.save(using=event.using)
    _enqueue(endpoints, [message], event.using)


def replay(endpoint_id: int, *, position: int, using: str = DEFAULT_DB_ALIAS) -> int:
    """Deliver every message from this position on to an endpoint, again or for the first time; answers how many.

    Raises NotFound if there is no such endpoint.
    """
    endpoint = next(readable_rows(Endpoint.objects.using(using).filter(pk=endpoint_id).only("pk", "events")), None)
    if endpoint is None:
        known = ", ".join(f"{row.pk} ({row})" for row in readable_rows(Endpoint.objects.using(using).only("name")))
        raise NotFound(f"There is no endpoint {endpoint_id}; there are: {known or 'none'}.")
    rows = Message.objects.using(using).filter(pk__gte=position).order_by("pk")
    named = rows.only("pk", "event", "subject")
    wanted = [row for row in readable_rows(named) if endpoint.wants(row.event)]
    for start in range(0, len(wanted), MESSAGES_A_BATCH):
        batch = wanted[start : start + MESSAGES_A_BATCH]
        _enqueue([endpoint], batch, using)
        again = Delivery.objects.using(using).filter(endpoint=endpoint, message__in=batch)
        _reset(again.values_list("pk", flat=True), using)
    return len(wanted)


def deliver_again(delivery_ids: Iterable[int], *, using: str = DEFAULT_DB_ALIAS) -> int:
    """Deliver these once more, dead or delivered; answers how many."""
    return _reset(delivery_ids, using)


def delete_deliveries(endpoint_id: int, *, until: float, using: str = DEFAULT_DB_ALIAS) -> int:
    """Switch an endpoint off and delete its deliveries, until a moment of `time.monotonic`; answers how many are left.

    In pieces, each a write session of its own, because others write meanwhile.
    """
    rows = Delivery.objects.using(using).filter(endpoint_id=endpoint_id)
    with write_session(using):  # from now on nothing is added
        Endpoint.objects.using(using).filter(pk=endpoint_id).update(is_enabled=False)
    while True:
        with write_session(using):
            keys = list(rows.order_by("pk").values_list("pk", flat=True)[:DELIVERIES_A_PIECE])
            Delivery.objects.using(using).filter(pk__in=keys).delete()
        if len(keys) < DELIVERIES_A_PIECE:
            return 0
        if time.monotonic() > until:
            return rows.count()


def waiting(using: str = DEFAULT_DB_ALIAS) -> int:
    """Webhooks that are still to be delivered, those that failed and are sent again among them."""
    return Delivery.objects.using(using).filter(status=DeliveryStatus.PENDING).count()


def _enqueue(endpoints: Iterable[Endpoint], messages: Iterable[Message], using: str) -> None:
    deliveries = [
        Delivery(endpoint=endpoint, message=message, subject=message.subject)
        for message in messages
        for endpoint in endpoints
    ]
    Delivery.objects.using(using).bulk_create(deliveries, ignore_conflicts=True)


def _reset(delivery_ids: Iterable[int], using: str) -> int:
    rows = Delivery.objects.using(using).filter(pk__in=list(delivery_ids))
    return rows.update(status=DeliveryStatus.PENDING, attempts=0, due_at=timezone.now())
