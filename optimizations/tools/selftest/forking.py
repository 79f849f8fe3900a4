"""A process that has the application loaded, and forks one server after the other: `python -m …forking PORT`.

Each line on its standard input asks for one, whose process id is answered once it listens. Loading the application
takes longer than all the rest of a start; apart from that, each server begins as a new process does: the loader never
opens the database.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import Any

from django.core.checks.urls import check_url_config
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler


def main() -> None:
    """Load, then fork on demand until nobody asks any more."""
    from promptadmin.ops.server.worker import load_application

    application = load_application()
    check_url_config(None)  # imports every door, which the first request would wait for
    port, child = int(sys.argv[1]), 0
    while sys.stdin.readline():
        _reap(child)
        child = os.fork()
        if not child:
            _serve(application, port)
    _reap(child)


def _serve(application: Any, port: int) -> None:
    os.setpgid(0, 0)
    server = ThreadedWSGIServer(("127.0.0.1", port), _SilentHandler)
    server.daemon_threads = True
    server.set_app(application)
    os.write(1, f"{os.getpid()}\n".encode())
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what the loader answers on; requests are logged there
    server.serve_forever()
    os._exit(0)


class _SilentHandler(WSGIRequestHandler):
    disable_nagle_algorithm = True  # an answer in two packets would wait for an acknowledgement

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        pass


def _reap(child: int) -> None:
    if child:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
