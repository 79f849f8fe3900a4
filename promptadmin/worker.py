"""What runs in each process of a server: the application, until the process that started it is gone."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

SECONDS_BETWEEN_LOOKS = 0.5


def load_application() -> Any:
    """The WSGI application; called by the server in each new process."""
    threading.Thread(target=stop_with_parent, args=[os.getppid()], daemon=True).start()
    from promptadmin.wsgi import application

    return application


def load_asgi_application() -> Any:
    """The ASGI application with the plugins' own; called by the server in each new process of `serve_plugins`."""
    threading.Thread(target=stop_with_parent, args=[os.getppid()], daemon=True).start()
    from promptadmin.asgi import application

    return application


def stop_with_parent(parent: int) -> None:
    """End this process when its parent is killed: it would keep the port, and answer beside the next server."""
    while os.getppid() == parent:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    os.kill(os.getpid(), signal.SIGKILL)
