"""The page that answers what can't be dealt with, in the frame of the back-office; it gives back what was typed.

It needs neither database nor theme.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from csp.constants import SELF
from csp.decorators import csp
from django.apps import apps
from django.conf import settings
from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.safestring import SafeString

from promptadmin.http.csp import STRICT
from promptadmin.plugins.declarations import enabled_plugins

TOKEN_FIELD = "csrfmiddlewaretoken"  # noqa: S105  # a name
#: The field that says which form this was, for the page's own token is another one.
KEY_FIELD = "_form"
SECRET = re.compile(r"pass|secret|token|credential|api_?key", re.IGNORECASE)
#: Below the long ones, a field is shown on one line.
SHORT = 100
POLICY = STRICT | {"form-action": [SELF], "style-src": [SELF]}


def form_address(request: HttpRequest) -> str:
    """The address of the page that a form stands on: whence it was sent, else where it was sent to."""
    come_from = urlsplit(request.headers.get("Referer", "")) if is_own(request) else None
    if come_from is None or not come_from.path.startswith(reverse("admin:index")):
        return request.get_full_path()
    path = "/" + come_from.path.lstrip("/")  # two slashes would name another host
    return f"{path}?{come_from.query}" if come_from.query else path


def refused_page(
    request: HttpRequest, *, title: str, fault: Any, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """The page. What another site's page has sent stands nowhere on it."""
    context: dict[str, Any] = {"title": title, "fault": fault, "is_form": request.method == "POST"}
    if request.path.startswith(reverse("admin:index")):
        context["pages"] = _pages()
        came_from = form_address(request)
        context["came_from"] = came_from if came_from != request.get_full_path() else ""
    if request.method == "POST" and is_own(request):
        fields, is_secret, has_files = _sent(request)
        shown = [field for field in fields if not field[0].startswith("_")]
        context |= {
            "form_address": form_address(request),
            "shown": [(_label(name), value, len(value) > SHORT or "\n" in value) for name, value in shown],
            "is_secret": is_secret,
            "has_files": has_files,
        }
        if fields and not has_files and not is_secret and request.path.startswith(reverse("admin:index")):
            key = request.POST.get(KEY_FIELD) or request.POST.get(TOKEN_FIELD, "")
            sent_again = [item for item in fields if item[0] != KEY_FIELD]
            context["again"] = [(TOKEN_FIELD, get_token(request)), (KEY_FIELD, key), *sent_again]
    response = render(request, "promptadmin/fault.html", context, status=fault.status)
    response["Cache-Control"] = "no-store"
    for name, value in (headers or {}).items():
        response[name] = value
    with_policy: Any = csp(POLICY)(lambda _: response)
    answer: HttpResponse = with_policy(request)
    return answer


def is_own(request: HttpRequest) -> bool:
    """Whether a page of this site sent the form, as far as the browser tells."""
    try:
        own = f"{request.scheme}://{request.get_host()}"
        parts = urlsplit(request.headers.get("Referer", ""))
    except (ValueError, SuspiciousOperation):
        return False
    origin = request.headers.get("Origin") or f"{parts.scheme}://{parts.netloc}"
    return origin == own or origin in settings.CSRF_TRUSTED_ORIGINS


def _pages() -> list[tuple[str, str]]:
    """The pages of the plugins' tables by their titles: who may see them is for the pages themselves to say."""
    found = [("Dashboard", reverse("admin:index"))]
    for plugin in enabled_plugins():
        with suppress(LookupError, NoReverseMatch):  # one that breaks its promises doesn't break this page
            found += [(page.title, reverse(page.route)) for page in plugin.navigation_pages]
            tables = [apps.get_model(plugin.label, name)._meta for name in plugin.navigation]
            found += [
                (str(table.verbose_name_plural).capitalize(), reverse(admin_urlname(table, SafeString("changelist"))))
                for table in tables
            ]
    return found


def _sent(request: HttpRequest) -> tuple[list[tuple[str, str]], bool, bool]:
    """The fields that hold something and are no secrets; whether there were secrets, and whether there were files."""
    try:
        filled = [(name, value) for name, values in request.POST.lists() for value in values if value]
        filled = [item for item in filled if item[0] != TOKEN_FIELD]
        fields = [item for item in filled if not SECRET.search(item[0])]
        return fields, len(fields) < len(filled), bool(request.FILES)
    except (BadRequest, SuspiciousOperation, MultiPartParserError, UnreadablePostError):
        return [], False, False


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()
