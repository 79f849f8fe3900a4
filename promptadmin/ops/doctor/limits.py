"""Reading whole tables, but not for longer than somebody who waits for a page will wait."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

from django.db import OperationalError

from promptadmin.ops.doctor.registry import Examination

SECONDS = 5.0


class UnfinishedError(Exception):
    """Nothing was found so far, and the time is up."""


@contextlib.contextmanager
def limited(examination: Examination) -> Iterator[None]:
    """End the queries of this block after some seconds, unless the examination is a full one.

    Raises UnfinishedError.
    """
    if examination.full:
        yield
        return
    connection, began = examination.connection, time.monotonic()
    interrupt = threading.Timer(SECONDS, connection.connection.interrupt if connection.vendor == "sqlite" else _nothing)
    interrupt.daemon = True
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {int(SECONDS * 1000)}")
    interrupt.start()
    try:
        yield
    except OperationalError:
        if time.monotonic() - began < SECONDS:
            raise
        raise UnfinishedError from None
    finally:
        interrupt.cancel()
        interrupt.join()


def _nothing() -> None:
    pass
