"""A line for each request on the standard output: `[TIME] ADDRESS "METHOD PATH PROTOCOL" STATUS DURATION ms`."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from promptadmin.http.client_address import address_of

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def logged(application: Application) -> Application:
    """The WSGI application, with a line for each request.

    Written at once and whole, so that lines of several threads and processes don't mix. Python's `logging` would take
    ten times as long, which is a tenth of a short request.
    """
    output = sys.stdout.fileno()

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        at, began, status = time.time(), time.perf_counter(), "500"

        def start(line: str, *arguments: Any) -> Any:
            nonlocal status
            status = line[:3]
            return start_response(line, *arguments)

        try:
            return application(environ, start)
        finally:
            took = (time.perf_counter() - began) * 1000
            asked = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} {environ['SERVER_PROTOCOL']}"
            if not asked.isprintable():  # a line end in a path would begin another line
                asked = repr(asked)[1:-1]
            line = f'[{_second(int(at))}] {address_of(environ)} "{asked}" {status} {took:.1f} ms\n'
            with contextlib.suppress(OSError):  # nobody reads them any more, or the disk is full: requests are answered
                os.write(output, line.encode(errors="backslashreplace"))

    return answer


@functools.lru_cache(maxsize=8)
def _second(at: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(at))
