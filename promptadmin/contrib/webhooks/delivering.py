"""The deliverer: one process of an installation takes what is due, sends it, and writes down what came of it.

The messages of one subject to one endpoint are sent in order: one that fails holds back the later ones until it has
arrived or is given up. Whatever was sent before the process died, and not yet written down, is sent again.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Exists, OuterRef, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from promptadmin.contrib.webhooks.models import Delivery, DeliveryStatus, Message
from promptadmin.contrib.webhooks.sending import Outcome, Parcel, deliver
from promptadmin.sessions import read_session, write_session

PARCELS_AN_ENDPOINT = 50
ENDPOINTS_AT_ONCE = 8
SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_BETWEEN_CLEANINGS = 3600.0
#: Each wait is this many times the one before.
BACKOFF = 4


def deliver_forever(using: str = DEFAULT_DB_ALIAS) -> None:
    """Deliver what comes; never returns."""
    cleaned = 0.0
    while True:
        if time.monotonic() - cleaned > SECONDS_BETWEEN_CLEANINGS:
            forget_old(using)
            cleaned = time.monotonic()
        if not deliver_due(using):
            time.sleep(SECONDS_BETWEEN_LOOKS)


def deliver_due(using: str = DEFAULT_DB_ALIAS) -> int:
    """Send what is due now, at most a few messages to each endpoint; answers how many attempts were made."""
    with read_session(using):
        batches = [list(batch) for _, batch in groupby(_due(using), key=lambda parcel: parcel.url)]
    if not batches:
        return 0
    with ThreadPoolExecutor(ENDPOINTS_AT_ONCE) as pool:
        made = 0
        for outcomes in pool.map(_send, batches):
            made += len(outcomes)
            for outcome in outcomes:
                with write_session(using):
                    _write_down(outcome, using)
    return made


def forget_old(using: str = DEFAULT_DB_ALIAS) -> int:
    """Delete messages that are older than PROMPTADMIN_WEBHOOKS_KEEP_DAYS and wait nowhere; answers how many."""
    limit = timezone.now() - dt.timedelta(days=settings.WEBHOOKS_KEEP_DAYS)
    waiting = Delivery.objects.using(using).filter(message=OuterRef("pk"), status=DeliveryStatus.PENDING)
    with write_session(using):
        old = Message.objects.using(using).filter(~Exists(waiting), created_at__lt=limit)
        count = old.count()
        old.delete()
    return count


def wait_before(attempts: int) -> dt.timedelta:
    """How long to wait after so many attempts; at most as long as messages are kept."""
    seconds = settings.WEBHOOKS_RETRY_SECONDS * BACKOFF ** (attempts - 1)
    return dt.timedelta(seconds=min(seconds, settings.WEBHOOKS_KEEP_DAYS * 86_400))


def _due(using: str) -> Iterable[Parcel]:
    """The first messages that wait at each endpoint, in order, but for subjects of which one isn't due; by endpoint."""
    now = timezone.now()
    pending = Delivery.objects.using(using).filter(status=DeliveryStatus.PENDING)
    not_due = pending.filter(
        endpoint=OuterRef("endpoint"), subject=OuterRef("subject"), message__lte=OuterRef("message"), due_at__gt=now
    )
    due = pending.filter(~Exists(not_due), endpoint__is_enabled=True)
    place = Window(RowNumber(), partition_by="endpoint_id", order_by="message_id")
    rows = due.annotate(place=place).filter(place__lte=PARCELS_AN_ENDPOINT).order_by("endpoint_id", "message_id")
    columns = ("pk", "subject", "endpoint__url", "endpoint__secret", "message__message_id", "message__body")
    return [Parcel(*row) for row in rows.values_list(*columns)]


def _send(parcels: Iterable[Parcel]) -> list[Outcome]:
    """Send to one endpoint, of each subject up to the first that fails.

    Ends where it can't be reached: the others would wait for the same timeout.
    """
    outcomes: list[Outcome] = []
    stopped: set[str] = set()
    for parcel in parcels:
        if parcel.subject in stopped:
            continue
        outcome = deliver(parcel)
        outcomes.append(outcome)
        if outcome.answer is None:
            break
        if not outcome.is_delivered:
            stopped.add(parcel.subject)
    return outcomes


def _write_down(outcome: Outcome, using: str) -> None:
    row = Delivery.objects.using(using).filter(pk=outcome.delivery_id).first()
    if row is None:  # its endpoint was deleted meanwhile
        return
    now = timezone.now()
    row.attempts += 1
    row.answer, row.error = outcome.answer, outcome.error
    if outcome.is_delivered:
        row.status, row.delivered_at = DeliveryStatus.DELIVERED, now
    elif row.attempts >= settings.WEBHOOKS_ATTEMPTS:
        row.status = DeliveryStatus.DEAD
    else:
        row.due_at = now + wait_before(row.attempts)
    row.save(using=using, update_fields=["attempts", "answer", "error", "status", "delivered_at", "due_at"])
