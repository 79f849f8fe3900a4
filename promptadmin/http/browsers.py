"""Django's middleware for browsers: requests of programs, which bring a token and no cookie, pass by it.

A program has no session, no messages and no form to protect, and its paths are not completed by a slash. All of that
costs more than to answer many a request. Whoever sends a cookie, or no token, gets the whole.
"""

from __future__ import annotations

from csp import middleware as csp
from django.conf import settings
from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage
from django.contrib.sessions import middleware as sessions
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware import clickjacking, common, csrf
from django.utils.cache import patch_vary_headers
from django.utils.deprecation import MiddlewareMixin

from promptadmin.db.infrastructure_errors import fault_of
from promptadmin.http.client_address import asks_for_health
from promptadmin.http.error_responses import is_of_api


def is_of_program(request: HttpRequest) -> bool:
    """Whether the request is for an API, with a token and without a cookie."""
    sent = request.META
    return (
        not sent.get("HTTP_COOKIE")
        and sent.get("HTTP_AUTHORIZATION", "").lower().startswith(("bearer ", "basic "))
        and is_of_api(request)
    )


def set_length(response: HttpResponseBase) -> HttpResponseBase:
    """The answer, with its length in a header, unless it streams."""
    if not response.streaming and not response.has_header("Content-Length"):
        response.headers["Content-Length"] = str(len(response.content))  # type: ignore[attr-defined]
    return response


class ForBrowsers(MiddlewareMixin):
    """The base of middleware that requests of programs pass by."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Do what Django's does, unless a program asks."""
        if is_of_program(request):
            return self.get_response(request)  # type: ignore[return-value]
        return super().__call__(request)  # type: ignore[return-value]


class CSPMiddleware(ForBrowsers, csp.CSPMiddleware):
    """The content policy that a page asks for; `security_headers_middleware` has the strict one of other answers."""


class SessionMiddleware(ForBrowsers, sessions.SessionMiddleware):
    """The session that a cookie names."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Save what changed. A database that can't be written is no session's end, as Django takes it to be."""
        is_only_seen = getattr(request, "is_only_seen", False) and not request.session.modified
        if is_only_seen:
            request.session.modified = True
        try:
            return super().process_response(request, response)
        except SessionInterrupted as interrupted:
            failure = _failure_behind(interrupted)
            if failure is None:
                raise
            if not is_only_seen:
                raise failure from failure.__cause__
            patch_vary_headers(response, ["Cookie"])  # a full disk doesn't keep anybody from reading
            return response


def _failure_behind(error: BaseException) -> DatabaseError | None:
    """What the database said when a session couldn't be saved, where it is a fault that we know."""
    behind: BaseException | None = error
    while behind is not None:
        if isinstance(behind, DatabaseError) and fault_of(behind):
            return behind
        behind = behind.__context__
    return None


class CommonMiddleware(ForBrowsers, common.CommonMiddleware):
    """Checks the host name, and redirects to the path with a slash."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Every answer has its length; whoever asks for the health may call the host whatever they like."""
        if asks_for_health(request.path_info):
            return set_length(self.get_response(request))  # type: ignore[arg-type]
        return set_length(super().__call__(request))


class CsrfViewMiddleware(ForBrowsers, csrf.CsrfViewMiddleware):
    """Protection of forms."""


class AuthenticationMiddleware(ForBrowsers, auth.AuthenticationMiddleware):
    """The user who is signed in."""


class MessagesCookie(CookieStorage):
    """Messages in a cookie of the installation's own: one that another installation signed would be removed."""

    cookie_name = settings.MESSAGES_COOKIE_NAME


class MessageStorage(FallbackStorage):
    """Django's default, with that cookie."""

    storage_classes = (MessagesCookie, SessionStorage)


class MessageMiddleware(ForBrowsers, messages.MessageMiddleware):
    """Messages to the next page."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Django's cookie of messages would go to the whole host."""
        answer: HttpResponse = super().process_response(request, response)
        if settings.MESSAGES_COOKIE_NAME in answer.cookies:
            answer.cookies[settings.MESSAGES_COOKIE_NAME]["path"] = settings.SESSION_COOKIE_PATH
        return answer


class XFrameOptionsMiddleware(ForBrowsers, clickjacking.XFrameOptionsMiddleware):
    """Which pages may stand in another; `security_headers_middleware` says it for the API."""
