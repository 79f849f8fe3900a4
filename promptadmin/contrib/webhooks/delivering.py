"""The deliverer: one process of an installation takes what is due, sends it, and writes down what came of it.

Each endpoint has a thread while something is sent to it, so that none waits for another; what came of each attempt is
written down at once, by the one thread that uses the database. The messages of one subject to one endpoint are sent in
order: one that fails holds back the later ones until it has arrived or is given up. Whatever was sent before the
process died, and not yet written down, is sent again.
"""

from __future__ import annotations

import datetime as dt
import logging
import queue
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from promptadmin.contrib.webhooks.models import Delivery, DeliveryStatus, Endpoint, Message
from promptadmin.contrib.webhooks.sending import Outcome, Parcel, deliver
from promptadmin.db.sessions import read_session, write_session
from promptadmin.db.single_rows import readable_rows

logger = logging.getLogger(__name__)

PARCELS_AN_ENDPOINT = 50
#: After so long an endpoint's thread ends, so that others get theirs where many are slow.
SECONDS_A_BATCH = 20.0
ENDPOINTS_AT_ONCE = 32
#: So many of those threads are only for endpoints whose last batch took less than SECONDS_SLOW.
RESERVED, SECONDS_SLOW = 8, 5.0
SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_BETWEEN_CLEANINGS = 3600.0
SECONDS_AFTER_FAILURE = 60.0
MESSAGES_A_PIECE = 500
#: Each wait is this many times the one before, up to the longest.
BACKOFF, LONGEST_WAIT = 4, dt.timedelta(days=7)


def deliver_forever(using: str = DEFAULT_DB_ALIAS) -> None:
    """Deliver what comes; never returns."""
    deliverer, cleaned = Deliverer(using), 0.0
    while True:
        if time.monotonic() - cleaned > SECONDS_BETWEEN_CLEANINGS:
            try:
                forget_old(using)
            except DatabaseError:
                logger.exception("Old webhook messages couldn't be removed: this is tried again in an hour")
            cleaned = time.monotonic()
        connections[using].close_if_unusable_or_obsolete()
        deliverer.start_batches()
        deliverer.write_down(SECONDS_BETWEEN_LOOKS)


def deliver_due(using: str = DEFAULT_DB_ALIAS) -> int:
    """Send what is due now, at most a few messages to each endpoint; answers how many attempts were made."""
    deliverer = Deliverer(using)
    while deliverer.start_batches(once=True) or deliverer.busy:
        deliverer.write_down(SECONDS_BETWEEN_LOOKS)
    deliverer.write_down(0)  # what came of messages that couldn't even be sent
    return deliverer.attempts


def forget_old(using: str = DEFAULT_DB_ALIAS) -> int:
    """Delete messages that are older than PROMPTADMIN_WEBHOOKS_KEEP_DAYS and wait nowhere; answers how many."""
    limit = timezone.now() - dt.timedelta(days=settings.WEBHOOKS_KEEP_DAYS)
    waiting = Delivery.objects.using(using).filter(message=OuterRef("pk"), status=DeliveryStatus.PENDING)
    messages = Message.objects.using(using)
    old, count = messages.filter(~Exists(waiting), created_at__lt=limit).order_by("pk"), 0
    while True:
        with write_session(using):
            keys = list(old.values_list("pk", flat=True)[:MESSAGES_A_PIECE])
            messages.filter(pk__in=keys).delete()
        count += len(keys)
        if len(keys) < MESSAGES_A_PIECE:
            return count


def wait_before(attempts: int) -> dt.timedelta:
    """How long to wait after so many attempts; at most as long as messages are kept."""
    longest = min(LONGEST_WAIT.total_seconds(), settings.WEBHOOKS_KEEP_DAYS * 86_400)
    return dt.timedelta(seconds=min(longest, settings.WEBHOOKS_RETRY_SECONDS * BACKOFF ** min(attempts - 1, 30)))


class _Known(NamedTuple):
    """What is sent to: an endpoint, as it was when its batch began."""

    pk: int
    name: str
    url: str
    secrets: tuple[str, ...]


class _Done(NamedTuple):
    """A batch that ended, and how long it took."""

    endpoint: _Known
    seconds: float


class Deliverer:
    """Sends to each endpoint in a thread of its own; all else happens in the thread that calls."""

    def __init__(self, using: str) -> None:
        self.using = using
        self.attempts = 0
        self.busy: set[int] = set()
        self._came: queue.SimpleQueue[tuple[_Known, Outcome] | _Done] = queue.SimpleQueue()
        self._seconds: dict[int, float] = {}  # how long the last batch of each endpoint took
        self._not_before: dict[int, float] = {}
        self._logged: set[tuple[int, str]] = set()

    def start_batches(self, *, once: bool = False) -> int:
        """Begin to send to endpoints for which something is due, and to which nothing is being sent.

        With `once`, to none for a second time. Answers how many are begun.
        """
        begun = 0
        with read_session(self.using):
            for key in self._endpoints_due(once=once):
                is_slow = self._seconds.get(key, 0.0) >= SECONDS_SLOW
                if len(self.busy) >= ENDPOINTS_AT_ONCE - (RESERVED if is_slow else 0):
                    continue
                try:
                    begun += self._start_batch(key)
                except Exception as error:  # of rows that another program wrote
                    self._pause(key, f"Webhook endpoint {key}: what waits for it can't be read", error)
        return begun

    def _endpoints_due(self, *, once: bool) -> list[int]:
        """Those that were quick first."""
        now, due = (
            time.monotonic(),
            Delivery.objects.using(self.using).filter(
                endpoint=OuterRef("pk"), status=DeliveryStatus.PENDING, due_at__lte=timezone.now()
            ),
        )
        rows = Endpoint.objects.using(self.using).filter(Exists(due), is_enabled=True).order_by("pk")
        keys = [
            key
            for key in rows.values_list("pk", flat=True)
            if key not in self.busy and self._not_before.get(key, 0.0) <= now and not (once and key in self._seconds)
        ]
        return sorted(keys, key=lambda key: self._seconds.get(key, 0.0))

    def _start_batch(self, key: int) -> int:
        row = Endpoint.objects.using(self.using).filter(pk=key).only("name", "url", "secret").get()
        former = row.former_secrets().order_by("-pk").values_list("secret", flat=True)
        endpoint = _Known(key, str(row), row.url, (row.secret, *readable_rows(former)))
        parcels = self._due(endpoint)
        if not parcels:
            self._seconds.setdefault(key, 0.0)
            return 0
        self.busy.add(key)
        threading.Thread(target=self._send, args=[endpoint, parcels], daemon=True).start()
        return 1

    def _due(self, endpoint: _Known) -> list[Parcel]:
        """The first messages that wait at an endpoint, in order, but for subjects of which one isn't due."""
        now = timezone.now()
        pending = Delivery.objects.using(self.using).filter(status=DeliveryStatus.PENDING, endpoint=endpoint.pk)
        not_due = pending.filter(subject=OuterRef("subject"), message__lte=OuterRef("message"), due_at__gt=now)
        rows = pending.filter(~Exists(not_due)).order_by("message_id")
        columns = rows.values_list("pk", "subject", "message__message_id", "message__body")[:PARCELS_AN_ENDPOINT]

        def give_up(delivery: int, error: Exception) -> None:
            unreadable = Outcome(delivery, None, "The message can't be read.", bug=error)
            self._came.put((endpoint, unreadable))

        return [
            Parcel(pk, subject, endpoint.url, endpoint.secrets, message_id, body)
            for pk, subject, message_id, body in readable_rows(columns, give_up)
        ]

    def _send(self, endpoint: _Known, parcels: Sequence[Parcel]) -> None:
        """Send to one endpoint, of each subject up to the first that fails.

        Ends where it can't be reached: the others would wait for the same timeout.
        """
        started, stopped = time.monotonic(), set[str]()
        try:
            for parcel in parcels:
                if parcel.subject in stopped:
                    continue
                outcome = deliver(parcel)
                self._came.put((endpoint, outcome))
                if outcome.is_unreachable or time.monotonic() - started > SECONDS_A_BATCH:
                    break
                if not outcome.is_delivered:
                    stopped.add(parcel.subject)
        finally:
            self._came.put(_Done(endpoint, time.monotonic() - started))

    def write_down(self, seconds: float) -> None:
        """Write down what has come of attempts; waits up to so long for the first."""
        try:
            came = self._came.get(timeout=seconds)
            while True:
                self._take(came)
                came = self._came.get_nowait()
        except queue.Empty:
            return

    def _take(self, came: tuple[_Known, Outcome] | _Done) -> None:
        if isinstance(came, _Done):
            self.busy.discard(came.endpoint.pk)
            self._seconds[came.endpoint.pk] = came.seconds
            return
        endpoint, outcome = came
        self.attempts += 1
        if outcome.bug is not None and (endpoint.pk, outcome.error) not in self._logged:
            self._logged.add((endpoint.pk, outcome.error))
            logger.error("Webhook endpoint %s: %s", endpoint.name, outcome.error, exc_info=outcome.bug)
        try:
            with write_session(self.using):
                _write_down(outcome, self.using)
        except Exception as error:  # the other endpoints go on
            message = f"Webhook endpoint {endpoint.name}: what came of an attempt couldn't be kept"
            self._pause(endpoint.pk, message, error)

    def _pause(self, key: int, message: str, error: Exception) -> None:
        """Log an error; the endpoint rests, because the same would happen again at once."""
        logger.error("%s: it is tried again in %.0f seconds", message, SECONDS_AFTER_FAILURE, exc_info=error)
        self._not_before[key] = time.monotonic() + SECONDS_AFTER_FAILURE


def _write_down(outcome: Outcome, using: str) -> None:
    """Unless its endpoint was deleted meanwhile."""
    row = Delivery.objects.using(using).filter(pk=outcome.delivery_id)
    row.update(attempts=F("attempts") + 1, answer=outcome.answer, error=outcome.error)
    attempts, now = row.values_list("attempts", flat=True).first(), timezone.now()
    if attempts is None:
        return
    if outcome.is_delivered:
        row.update(status=DeliveryStatus.DELIVERED, delivered_at=now)
    elif attempts >= settings.WEBHOOKS_ATTEMPTS:
        row.update(status=DeliveryStatus.DEAD)
    else:
        row.update(due_at=now + wait_before(max(1, attempts)))
