"""Files that are made of rows for a client: written whole before the first byte is sent, or refused with an error."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS
from django.db.models import QuerySet
from django.http import FileResponse

from promptadmin.conf.counted import counted
from promptadmin.db.deadlines import deadline
from promptadmin.db.infrastructure_errors import AllSendingError
from promptadmin.db.sessions import read_session

ROWS_A_CHUNK = 200

_lock = threading.Lock()
_under_way: set[object] = set()


class Download(FileResponse):
    """A file, with its length, written to the system's directory for temporary files before it is sent.

    So a failure is an error answer and not a broken file, and no snapshot of the database is held for a client that
    reads slowly. Raises AllSendingError where the process sends as many as it may, OSError where the disk is full.
    """

    block_size = 1 << 16

    def __init__(self, parts: Iterable[bytes], *, name: str, content_type: str) -> None:
        with ExitStack() as stack:
            stack.enter_context(place_to_send())
            file = stack.enter_context(tempfile.TemporaryFile())
            _write(parts, file)
            headers = {"Cache-Control": "no-store"}
            super().__init__(file, as_attachment=True, filename=name, content_type=content_type, headers=headers)
            self._held = stack.pop_all()

    def close(self) -> None:
        """Remove the file, and let another export have the place."""
        super().close()
        self._held.close()


def _write(parts: Iterable[bytes], file: IO[bytes]) -> None:
    """Write all parts, and go back to the beginning. The request's deadline holds until the first part is there."""
    rest = iter(parts)
    file.write(next(rest, b""))
    with deadline(0):
        file.writelines(rest)
    file.seek(0)


def read_in_chunks(rows: QuerySet[Any, Any], using: str = DEFAULT_DB_ALIAS) -> Iterator[Any]:
    """The rows of a `values_list` in constant memory, all as they were when the first was read."""
    with read_session(using):
        yield from rows.using(using).iterator(chunk_size=ROWS_A_CHUNK)


@contextmanager
def place_to_send() -> Iterator[None]:
    """One of the process's places for files that are sent, until the block ends. Raises AllSendingError.

    A thread of the server waits until the client has taken enough of a file, so one must be left to other requests.
    """
    place = object()
    with _lock:
        if len(_under_way) >= settings.EXPORTS:
            raise AllSendingError(f"already sending {counted(len(_under_way), 'export')}")
        _under_way.add(place)
    try:
        yield
    finally:
        with _lock:
            _under_way.remove(place)
