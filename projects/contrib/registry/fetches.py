"""Counts of fetches: kept in memory while programs ask, and written every few seconds by a thread of the process.

So no request waits for a write. A process that is killed loses what it has counted since the last time.
"""

from __future__ import annotations

import atexit
import datetime as dt
import logging
import threading
from typing import NamedTuple

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.utils import timezone

from projects.contrib.registry.models import PromptFetch
from promptadmin.db.raw import execute
from promptadmin.db.sessions import write_session
from promptadmin.errors import DomainError

logger = logging.getLogger(__name__)

#: More kinds of fetches than these aren't counted until the next write: memory stays bounded where none succeeds.
MOST_KINDS = 50_000

_INSERT = (
    "INSERT INTO prompt_fetches (prompt_id, label, version, token, day, count, last_at) "
    "SELECT id, %s, %s, %s, %s, %s, %s FROM prompts WHERE id = %s "
    "ON CONFLICT (prompt_id, day, label, version, token) DO UPDATE SET "
    "count = prompt_fetches.count + excluded.count, last_at = excluded.last_at"
)


class Fetch(NamedTuple):
    """What is counted together: who fetched which version by which label on a day. By number, `label` is empty."""

    prompt_id: str
    label: str
    version: int
    token: str
    day: dt.date


class Counter:
    """The counts of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[Fetch, tuple[int, dt.datetime]] = {}
        self._thread: threading.Thread | None = None

    def add(self, prompt_id: str, label: str | None, version: int, token: str) -> None:
        """Count one fetch."""
        if settings.METRICS:
            from projects.contrib.registry.counters import FETCHES

            FETCHES.labels(label or "").inc()
        now = timezone.now()
        fetch = Fetch(prompt_id, label or "", version, token, now.date())
        with self._lock:
            count, _ = self._counts.get(fetch, (0, now))
            if count or len(self._counts) < MOST_KINDS:
                self._counts[fetch] = (count + 1, now)
            if settings.FETCH_SECONDS and (self._thread is None or not self._thread.is_alive()):
                self._thread = threading.Thread(target=self._keep_writing, daemon=True)
                self._thread.start()
                atexit.register(self.write_quietly)

    def write(self, using: str = DEFAULT_DB_ALIAS) -> int:
        """Add what was counted to the table, and say how many rows that concerned.

        Counts of prompts that are gone are dropped. Where the database refuses, all is kept for the next time.
        """
        with self._lock:
            counts, self._counts = self._counts, {}
        if not counts:
            return 0
        try:
            with write_session(using) as connection:
                moment = PromptFetch._meta.get_field("last_at")
                day = PromptFetch._meta.get_field("day")
                for fetch, (count, last) in sorted(counts.items()):
                    stored = [day.get_db_prep_value(fetch.day, connection), count]
                    stored.append(moment.get_db_prep_value(last, connection))
                    execute(connection, _INSERT, [*fetch[1:4], *stored, fetch.prompt_id])
        except BaseException:
            self._put_back(counts)
            raise
        return len(counts)

    def write_quietly(self) -> None:
        """As `write`, but what the database refuses is logged."""
        try:
            self.write()
        except (DatabaseError, DomainError, OSError) as error:
            logger.warning(
                "The counts of fetched prompts could not be written; they are kept until they can: %s", error
            )
        finally:
            connections.close_all()  # this thread's own

    def _keep_writing(self) -> None:
        pause = threading.Event()
        while not pause.wait(settings.FETCH_SECONDS):
            self.write_quietly()

    def _put_back(self, counts: dict[Fetch, tuple[int, dt.datetime]]) -> None:
        with self._lock:
            for fetch, (count, last) in counts.items():
                since, newest = self._counts.get(fetch, (0, last))
                self._counts[fetch] = (since + count, max(last, newest))


#: The counts of this process.
counter = Counter()
