"""A session that the provider began asks it again every few minutes whether, and as what, it goes on."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, logout
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from mozilla_django_oidc.middleware import SessionRefresh

from promptadmin.contrib.oidc.provider import SignInFailed, setting
from promptadmin.contrib.oidc.views import BACKEND, failed

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class Refresh(SessionRefresh):
    """mozilla-django-oidc's question to the provider, which answers it without showing a page."""

    get_settings = staticmethod(setting)

    def is_refreshable_url(self, request: HttpRequest) -> bool:
        """What the middleware below has decided."""
        return True


def renewal_middleware(get_response: GetResponse) -> GetResponse:
    """Send browsers to the provider and back when it is time, with a page that they load.

    What scripts and programs ask for, and forms, can't go there: that is answered for as long as somebody may be away.
    """
    refresh = Refresh(get_response)

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
            return get_response(request)
        if request.session.get(BACKEND_SESSION_KEY) != BACKEND or request.path_info.startswith("/oidc/"):
            return get_response(request)
        overdue = time.time() - request.session.get("oidc_id_token_expiration", 0)
        if overdue < 0:
            return get_response(request)
        if _loads_a_page(request):
            return _renewed(refresh, request)
        if overdue > settings.SESSION_IDLE_SECONDS:
            logout(request)
        return get_response(request)

    return middleware


def _loads_a_page(request: HttpRequest) -> bool:
    return (
        request.method == "GET"
        and "text/html" in request.headers.get("Accept", "")
        and request.headers.get("Sec-Fetch-Dest", "document") == "document"
        and "HX-Request" not in request.headers
    )


def _renewed(refresh: Refresh, request: HttpRequest) -> HttpResponse:
    """A page that goes on to the provider by itself: browsers don't let a form's sending end there."""
    try:
        there: HttpResponse = refresh.process_request(request)
    except SignInFailed as error:
        return failed(request, error)
    page = render(request, "oidc/renewal.html", {"address": there["Location"]})
    page["Cache-Control"] = "no-store"
    return page
