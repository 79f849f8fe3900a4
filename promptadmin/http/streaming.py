"""Answers that are sent as they are read: how many at once, and how long one may stand still.

While such an answer is sent, its thread waits in the server until the client has taken enough, where Python can't
interrupt it. So a thread is left to the other requests, and the system ends a connection whose client takes nothing.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

#: Where a system lists the open files of the process that looks.
OPEN_FILES = Path("/dev/fd")

_lock = threading.Lock()
_under_way: set[object] = set()


class AllSendingError(Exception):
    """No place is left: the process sends as many exports as it may."""


@contextmanager
def place_to_send() -> Iterator[None]:
    """One of the process's places for answers that stream, until the block ends. Raises AllSendingError."""
    place = object()
    with _lock:
        if len(_under_way) >= settings.EXPORTS:
            raise AllSendingError(f"{len(_under_way)} exports are being sent")
        _under_way.add(place)
    try:
        end_stalled_connections()
        yield
    finally:
        with _lock:
            _under_way.remove(place)


def end_stalled_connections() -> None:
    """Let the system end connections to this server whose client takes nothing for PROMPTADMIN_EXPORT_STALL seconds.

    Which connection a request came by, WSGI doesn't say, so all of them get the limit: they are those at the ports that
    this process listens on.
    """
    option = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux has it
    if option is None or not settings.EXPORT_STALL:
        return
    with served_connections() as found:
        for each in found:
            with contextlib.suppress(OSError):  # closed meanwhile
                each.setsockopt(socket.IPPROTO_TCP, option, settings.EXPORT_STALL * 1000)


@contextmanager
def served_connections() -> Iterator[list[socket.socket]]:
    """The connections of clients to this process: those at the ports that it listens on.

    They are the server's own descriptors. None is closed, nor is a copy of one: of a database file, which may have got
    the number meanwhile, that would drop SQLite's locks (see `promptadmin.db.sqlite.file_header`).
    """
    found: list[socket.socket] = []
    try:
        for path in OPEN_FILES.iterdir():
            with contextlib.suppress(OSError):  # no socket, or closed meanwhile
                found.append(socket.socket(fileno=int(path.name)))
        listening, others = set(), []
        for each in found:
            with contextlib.suppress(OSError):
                if each.family not in (socket.AF_INET, socket.AF_INET6) or each.type != socket.SOCK_STREAM:
                    continue
                if each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    listening.add(each.getsockname()[1])
                else:
                    others.append((each, each.getsockname()[1]))
        yield [each for each, port in others if port in listening]
    finally:
        for each in found:
            each.detach()
