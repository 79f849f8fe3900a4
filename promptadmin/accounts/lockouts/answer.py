"""What somebody sees who has failed to sign in too often."""

from __future__ import annotations

import math
from typing import Any

from axes.helpers import get_cool_off
from csp.decorators import csp
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from promptadmin.accounts.lockouts.counting import address_is_locked
from promptadmin.http.client_address import client_address
from promptadmin.http.csp import PAGES


@csp(PAGES)
def locked_out(request: HttpRequest, original_response: Any = None, credentials: Any = None) -> HttpResponse:
    """429, in words, and with the time after which the first failure no longer counts."""
    wait = get_cool_off(request)
    address = client_address(request)
    kind = "address" if address_is_locked(address) else "name"
    return _answer(request, int(wait.total_seconds()) if wait else 0, kind=kind, address=address)


def too_many_passwords(request: HttpRequest, wait: float | None) -> HttpResponse:
    """The same for somebody who is signed in, and has tried too many passwords."""
    return _answer(request, max(1, math.ceil(wait or 60)), kind="password")


def _answer(request: HttpRequest, seconds: int, **context: Any) -> HttpResponse:
    context |= {**admin.site.each_context(request), "minutes": -(-seconds // 60)}
    answer = render(request, "promptadmin/locked_out.html", context, status=429)
    answer["Retry-After"] = str(seconds)
    return answer
