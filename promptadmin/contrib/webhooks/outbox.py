"""What is written: messages within the transaction of the change, and deliveries to be made, or made again."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import DEFAULT_DB_ALIAS
from django.utils import timezone

from promptadmin.answers import to_json
from promptadmin.contrib.webhooks.models import Delivery, DeliveryStatus, Endpoint, Message
from promptadmin.errors import Missing
from promptadmin.events import Event

MESSAGES_A_BATCH = 500


def record_event(event: Event) -> None:
    """Keep an event for the endpoints that want it; called within the transaction of the change."""
    enabled = Endpoint.objects.using(event.using).filter(is_enabled=True)
    endpoints = [endpoint for endpoint in enabled if endpoint.wants(event.name)]
    if not endpoints:
        return
    body = to_json({"type": event.name, "timestamp": event.at, "data": dict(event.data)}).decode()
    message = Message(message_id=f"msg_{event.id}", event=event.name, subject=event.subject, body=body)
    message.save(using=event.using)
    _enqueue(endpoints, [message], event.using)


def replay(endpoint_id: int, *, position: int, using: str = DEFAULT_DB_ALIAS) -> int:
    """Deliver every message from this position on to an endpoint, again or for the first time; answers how many.

    Raises Missing if there is no such endpoint.
    """
    endpoint = Endpoint.objects.using(using).filter(pk=endpoint_id).first()
    if endpoint is None:
        known = ", ".join(f"{row.pk} ({row})" for row in Endpoint.objects.using(using).all())
        raise Missing(f"There is no endpoint {endpoint_id}; there are: {known or 'none'}.")
    rows = Message.objects.using(using).filter(pk__gte=position).order_by("pk")
    wanted = [row for row in rows.iterator(MESSAGES_A_BATCH) if endpoint.wants(row.event)]
    for start in range(0, len(wanted), MESSAGES_A_BATCH):
        batch = wanted[start : start + MESSAGES_A_BATCH]
        _enqueue([endpoint], batch, using)
        again = Delivery.objects.using(using).filter(endpoint=endpoint, message__in=batch)
        _reset(again.values_list("pk", flat=True), using)
    return len(wanted)


def deliver_again(delivery_ids: Iterable[int], *, using: str = DEFAULT_DB_ALIAS) -> int:
    """Deliver these once more, dead or delivered; answers how many."""
    return _reset(delivery_ids, using)


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
