"""What somebody sees who has failed to sign in too often."""

from __future__ import annotations

from typing import Any

from axes.helpers import get_cool_off
from csp.decorators import csp
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from promptadmin.http.csp import PAGES


@csp(PAGES)
def locked_out(request: HttpRequest, original_response: Any = None, credentials: Any = None) -> HttpResponse:
    """429, in words, and with the time after which the first failure no longer counts."""
    wait = get_cool_off(request)
    seconds = int(wait.total_seconds()) if wait else 0
    context = {**admin.site.each_context(request), "minutes": -(-seconds // 60)}
    answer = render(request, "promptadmin/locked_out.html", context, status=429)
    answer["Retry-After"] = str(seconds)
    return answer
