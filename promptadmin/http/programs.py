"""The short way of programs' requests, which bring a token, and neither a cookie nor an Origin.

They pass what concerns them, the same functions in the same order as in MIDDLEWARE, but without Django's wrapper around
each and without what is for browsers alone; together these take longer than many an answer.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.middleware.security import SecurityMiddleware
from django.utils.cache import patch_vary_headers

from promptadmin.http.actor import actor_middleware
from promptadmin.http.browsers import is_of_program, set_length
from promptadmin.http.middleware import (
    ContentPolicyMiddleware,
    GetResponse,
    api_middleware,
    constant_headers,
    deadline_middleware,
    file_in_place_middleware,
    replica_middleware,
)
from promptadmin.http.request_id import request_id_middleware

#: `view` is what Django makes of the last of MIDDLEWARE until it comes to the first: the view alone. Threads may load
#: an application each at the same time.
_loading = threading.local()


def end_of_short_way(get_response: GetResponse) -> GetResponse:
    """The last of MIDDLEWARE: what programs' requests come to."""
    _loading.view = get_response
    return get_response


def short_way(get_response: GetResponse) -> GetResponse:
    """The first of MIDDLEWARE: where programs' requests turn off."""
    security: Any = SecurityMiddleware(get_response)
    view = actor_middleware(replica_middleware(_length_middleware(_loading.view)))
    inner = file_in_place_middleware(_redirect_middleware(security, api_middleware(view)))
    answer = request_id_middleware(
        _headers_middleware(security, convert_exception_to_response(deadline_middleware(inner)))
    )

    def middleware(request: HttpRequest) -> HttpResponseBase:
        return (
            answer(request) if is_of_program(request) and "HTTP_ORIGIN" not in request.META else get_response(request)
        )

    return middleware


def _length_middleware(get_response: GetResponse) -> GetResponse:
    return lambda request: set_length(get_response(request))


def _redirect_middleware(security: Any, get_response: GetResponse) -> GetResponse:
    return lambda request: security.process_request(request) or get_response(request)


def _headers_middleware(security: Any, get_response: Callable[[HttpRequest], Any]) -> GetResponse:
    """The headers of every answer, made once: Django would check the same texts each time, which takes 2 µs apiece."""
    policy, compression = ContentPolicyMiddleware(get_response), GZipMiddleware(get_response)

    @functools.cache
    def headers(is_secure: bool) -> dict[str, tuple[str, str]]:
        return {name.lower(): (name, value) for name, value in constant_headers(is_secure).items()}

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        patch_vary_headers(response, ["origin"])
        policy.process_response(request, response)
        store = response.headers._store
        for name, header in headers(request.is_secure()).items():
            store.setdefault(name, header)
        return compression.process_response(request, response)

    return middleware
