"""What runs in each process of a server: the application, until the process that started it is gone."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

from django.conf import settings

from promptadmin.db.sqlite.file_identity import expect_the_same_file
from promptadmin.http.breaking_off import visibly_broken
from promptadmin.ops.server.loading import loading
from promptadmin.ops.server.serving import prepare_worker

SECONDS_BETWEEN_LOOKS = 0.5


def load_application() -> Any:
    """The WSGI application; called by the server in each new process."""
    _begin()
    expect_the_same_file()
    with loading():
        from promptadmin.http.access_log import logged
        from promptadmin.wsgi import application

        import_module(settings.ROOT_URLCONF)  # which Django would load with the first request
    return logged(whole(application))


def whole(application: Any) -> Any:
    """The WSGI application, which hands answers that don't stream to the server in one piece, and is done with them.

    The server would take an answer that isn't a list piece by piece, each through Python. Answers that stream reach
    their clients whole or visibly broken.
    """

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        response = application(environ, start_response)
        if response.streaming:
            return visibly_broken(response, f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
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
    threading.Thread(target=stop_with_parent, args=[parent.pid if parent else os.getppid()], daemon=True).start()


def stop_with_parent(parent: int) -> None:
    """End this process when its parent is killed: it would keep the port, and answer beside the next server."""
    while os.getppid() == parent:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    os.kill(os.getpid(), signal.SIGKILL)
