"""What runs in each process of a server: the application, until the process that started it is gone."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings

from promptadmin.db.sqlite.file_identity import expect_the_same_file
from promptadmin.ops.server.serving import prepare_worker

SECONDS_BETWEEN_LOOKS = 0.5
#: Where a system lists the open files of the process that looks.
OPEN_FILES = Path("/dev/fd")


def load_application() -> Any:
    """The WSGI application; called by the server in each new process."""
    _begin()
    expect_the_same_file()
    gc.disable()
    from promptadmin.http.access_log import logged
    from promptadmin.wsgi import application

    import_module(settings.ROOT_URLCONF)  # which Django would load with the first request
    gc.freeze()  # what is loaded stays: no collection need look through it again
    gc.enable()
    return logged(whole(application))


def whole(application: Any) -> Any:
    """The WSGI application, which hands answers that don't stream to the server in one piece, and is done with them.

    The server would take an answer that isn't a list piece by piece, each through Python.
    """

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        response = application(environ, start_response)
        if getattr(response, "streaming", True):  # Sentry puts it into an answer of its own
            return response
        content = [response.content]
        response.close()
        return content

    return answer


def load_asgi_application() -> Any:
    """The ASGI application with the plugins' own; called by the server in each new process of `serve_plugins`."""
    _begin()
    expect_the_same_file()
    from promptadmin.asgi import application

    return application


def _begin() -> None:
    prepare_worker()
    parent = multiprocessing.parent_process()
    # Granian made this process by multiprocessing. Its parent may be gone already: os.getppid() would name another one.
    threading.Thread(target=watch, args=[parent.pid if parent else os.getppid()], daemon=True).start()


def watch(parent: int) -> None:
    """Limit how long connections may stall as soon as the server listens, and end this process with its parent."""
    while os.getppid() == parent and not end_stalled_connections():
        time.sleep(SECONDS_BETWEEN_LOOKS)
    stop_with_parent(parent)


def end_stalled_connections() -> bool:
    """Let the system end connections whose client takes nothing for PROMPTADMIN_EXPORT_STALL seconds.

    A connection has this option from the socket that listens. That one is the server's own, and isn't closed here, nor
    is any other file: closing a database's would drop SQLite's locks. Answers whether there was one.
    """
    option = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux has it
    if option is None or not settings.EXPORT_STALL:
        return True
    was_found = False
    for path in OPEN_FILES.iterdir():
        with contextlib.suppress(OSError):  # no socket, or none that listens
            found = socket.socket(fileno=int(path.name))
            try:
                if found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    found.setsockopt(socket.IPPROTO_TCP, option, settings.EXPORT_STALL * 1000)
                    was_found = True
            finally:
                found.detach()
    return was_found


def stop_with_parent(parent: int) -> None:
    """End this process when its parent is killed: it would keep the port, and answer beside the next server."""
    while os.getppid() == parent:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    os.kill(os.getpid(), signal.SIGKILL)
