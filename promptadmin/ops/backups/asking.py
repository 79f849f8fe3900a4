"""Loads the WSGI application and asks it for what must be readable: `python -m promptadmin.ops.backups.asking`.

A process of its own, because its environment names the copy of a drill. It prints a line for each answer, and ends with
1 where one isn't 200.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

HEALTH = "/api/health"
SHOWN = 300  # characters of an answer that is wrong


def paths() -> Iterator[str]:
    """The health, and what each enabled plugin declares; only once the application is loaded."""
    from promptadmin.plugins.declarations import enabled_plugins  # nothing of Django's is loaded before

    yield HEALTH
    for plugin in enabled_plugins():
        yield from plugin.drill_paths


def ask(application: Callable[..., Any], path: str, token: str) -> tuple[int, str]:
    """The status and the text of the answer to a GET, as a server behind a proxy that speaks TLS would ask for it."""
    from django.test import RequestFactory

    headers = {"Host": "localhost", "Authorization": f"Bearer {token}", "X-Forwarded-Proto": "https"}
    request = RequestFactory().get(path, secure=True, headers=headers)
    response = application(request.environ, lambda *start: None)
    with contextlib.closing(response):
        return response.status_code, response.getvalue().decode(errors="replace")


def main() -> int:
    """Ask for everything, also after a wrong answer; returns the exit code."""
    from promptadmin.wsgi import application  # loading it is part of what is tried

    failed = False
    for path in paths():
        status, text = ask(application, path, os.environ["AUTH_TOKEN"])
        failed = failed or status != 200
        sys.stdout.write(f"{status} GET {path}{'' if status == 200 else f': {text[:SHOWN]}'}\n")
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
