"""How long a request may read: a moment for each thread, which every statement of its databases respects."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

#: SQLite asks this often, in steps of its virtual machine, whether to go on: every few milliseconds.
STEPS_BETWEEN_LOOKS = 200_000

_threads = threading.local()


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Statements that still run in this thread after so many seconds are cancelled; 0 sets no deadline.

    A cancelled statement raises OperationalError; `infrastructure_errors.fault_of` knows it.
    """
    before = getattr(_threads, "moment", None)
    _threads.moment = time.monotonic() + seconds if seconds else None
    try:
        yield
    finally:
        _threads.moment = before


@contextmanager
def reading_deadline() -> Iterator[None]:
    """The deadline of requests that read, for what reads inside others; one that there is already stays."""
    if seconds_left() is not None:
        yield
        return
    with deadline(settings.READ_TIMEOUT):
        yield


def seconds_left() -> float | None:
    """How long a statement of this thread may run, at least a millisecond; None where there is no deadline."""
    moment = getattr(_threads, "moment", None)
    return None if moment is None else max(0.001, moment - time.monotonic())


def respect_deadlines(raw: sqlite3.Connection) -> None:
    """Cancel the statements of a SQLite connection at the deadline of the thread that runs them."""
    raw.set_progress_handler(is_over, STEPS_BETWEEN_LOOKS)


def is_over() -> bool:
    moment = getattr(_threads, "moment", None)
    return moment is not None and time.monotonic() > moment
