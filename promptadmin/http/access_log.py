"""What is told of each request when it is answered: a line on the standard output, and numbers for Prometheus.

The line is `[TIME] ADDRESS "METHOD PATH PROTOCOL" STATUS DURATION ms REQUEST_ID CALLER`, or an object of JSON
(PROMPTADMIN_LOG_FORMAT).
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from promptadmin.compat import known_user
from promptadmin.context import Caller
from promptadmin.http.client_address import address_of
from promptadmin.http.request_id import ANSWERED

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def logged(application: Application) -> Application:
    """The WSGI application, with a line for each request, which is also counted where metrics are on.

    Written at once and whole, so that lines of several threads and processes don't mix. Python's `logging` would take
    ten times as long, which is a tenth of a short request.
    """
    output = sys.stdout.fileno()
    line_of = _object if settings.LOG_FORMAT == "json" else _line
    count = _counter()

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        at, began, status = time.time(), time.perf_counter(), "500"

        def start(line: str, *arguments: Any) -> Any:
            nonlocal status
            status = line[:3]
            return start_response(line, *arguments)

        try:
            return application(environ, start)
        finally:
            seconds = time.perf_counter() - began
            request = environ.pop(ANSWERED, None)  # absent where Django couldn't make one of the environment
            line = line_of(environ, request, at, status, seconds)
            with contextlib.suppress(OSError):  # nobody reads them any more, or the disk is full: requests are answered
                os.write(output, line.encode(errors="backslashreplace"))
            if count:
                count(environ["REQUEST_METHOD"], _route(request), status, seconds)

    return answer


def _counter() -> Callable[[str, str, str, float], None] | None:
    if not settings.METRICS:
        return None
    from promptadmin.conf.counters import count_request

    return count_request


def _line(environ: dict[str, Any], request: HttpRequest | None, at: float, status: str, seconds: float) -> str:
    asked = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} {environ['SERVER_PROTOCOL']}"
    who = f"{getattr(request, 'id', '-')} {_caller(request)}"
    if not (asked.isprintable() and who.isprintable()):  # a line end in a path would begin another line
        asked, who = repr(asked)[1:-1], repr(who)[1:-1]
    return f'[{_second(int(at))}] {address_of(environ)} "{asked}" {status} {seconds * 1000:.1f} ms {who}\n'


def _object(environ: dict[str, Any], request: HttpRequest | None, at: float, status: str, seconds: float) -> str:
    entry = {
        "time": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(at))}.{int(at * 1000) % 1000:03}Z",
        "level": "INFO",
        "logger": "access",
        "request_id": getattr(request, "id", "-"),
        "caller": _caller(request),
        "address": address_of(environ),
        "method": environ["REQUEST_METHOD"],
        "path": environ["PATH_INFO"],
        "protocol": environ["SERVER_PROTOCOL"],
        "route": _route(request),
        "status": int(status),
        "milliseconds": round(seconds * 1000, 1),
    }
    return f"{json.dumps(entry)}\n"


def _caller(request: HttpRequest | None) -> str:
    """Who calls the API, or is signed in, as far as the request had to know; "-" for nobody."""
    caller = getattr(request, "auth", None)
    if isinstance(caller, Caller):
        return caller.name
    user = known_user(request) if request else None
    return f"user {user.get_username()}" if user is not None and user.is_authenticated else "-"


def _route(request: HttpRequest | None) -> str:
    """The pattern of the address that a request met; empty where it met none, as with a static file."""
    match = request.resolver_match if request else None
    return match.route if match else ""


@functools.lru_cache(maxsize=8)
def _second(at: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(at))
