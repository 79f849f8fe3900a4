"""Headers that keep browsers careful and, under /api, answers in JSON whatever happens."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from csp.constants import HEADER
from csp.utils import build_policy
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.db import connections
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.middleware.security import SecurityMiddleware
from django.urls import is_valid_path

from promptadmin.db.deadlines import deadline
from promptadmin.db.postgresql import replicas
from promptadmin.db.sqlite.file_identity import check_in_place
from promptadmin.http.client_address import LIVE_PATH, asks_for_health
from promptadmin.http.csp import STRICT
from promptadmin.http.error_responses import bad_request, is_of_api, json_error
from promptadmin.http.methods import READING_METHODS

GetResponse = Callable[[HttpRequest], HttpResponseBase]

HEADERS = {
    "X-Frame-Options": "DENY",
    "X-XSS-Protection": "1; mode=block",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "promptadmin",  # otherwise the server's own name stands here
    HEADER: str(build_policy(STRICT)),
}
#: An encoding of the weight 0.
REFUSED = re.compile(r";\s*q\s*=\s*0(?:\.0*)?\s*(?:;|$)", re.IGNORECASE)
DETAILS = {404: "Not Found", 405: "Method Not Allowed"}


def security_headers_middleware(get_response: GetResponse) -> GetResponse:
    """Set the headers that PromptForge's clients and browsers know, unless a page has its own, as of content policy."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        for name, value in HEADERS.items():
            response.setdefault(name, value)
        return response

    return middleware


def constant_headers(is_secure: bool) -> dict[str, str]:
    """The headers of every answer that says nothing of them itself, by name."""
    request = HttpRequest()
    request.is_secure = lambda: is_secure  # type: ignore[method-assign]
    made: Any = SecurityMiddleware(lambda _: HttpResponse()).process_response(request, HttpResponse())
    security_headers_middleware(lambda _: made)(request)
    return {name: value for name, value in made.items() if name != "Content-Type"}


def deadline_middleware(get_response: GetResponse) -> GetResponse:
    """Cancel what a reading request asks of the database when it takes too long; an answer that streams has begun."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.method not in READING_METHODS:
            return get_response(request)
        with deadline(settings.READ_TIMEOUT):
            return get_response(request)

    return middleware


def file_in_place_middleware(get_response: GetResponse) -> GetResponse:
    """Refuse every request while another file is at the database's path, also those that open no session of ours."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path_info != LIVE_PATH:
            for connection in connections.all(initialized_only=True):
                check_in_place(connection)
        return get_response(request)

    return middleware


def api_middleware(get_response: GetResponse) -> GetResponse:
    """In an API: HEAD is GET without a body, a foreign Origin may not write, and every error is JSON."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not is_of_api(request):
            return get_response(request)
        try:
            if not asks_for_health(request.path_info):
                request.get_host()
        except DisallowedHost as error:
            return bad_request(request, error)
        if request.method not in READING_METHODS and not _origin_allowed(request):
            return json_error("CSRF validation failed: origin not allowed", 403)
        if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
            return json_error("Send the body with a Content-Length, not in chunks.", 411)
        is_head = request.method == "HEAD"
        if is_head:
            request.method = "GET"
        response = get_response(request)
        if response.status_code in DETAILS and not response.headers.get("Content-Type", "").startswith(
            "application/json"
        ):
            if response.status_code == 404 and _exists_without_slash(request):
                return to_path_without_slash(request)
            allowed = response.headers.get("Allow")
            response = json_error(DETAILS[response.status_code], response.status_code)
            if allowed:
                response["Allow"] = allowed
        if is_head and isinstance(response, HttpResponse):
            response.content = b""
        return response

    return middleware


def to_path_without_slash(request: HttpRequest) -> HttpResponse:
    """A redirect that keeps method, body and query, as PromptForge redirects from a path that ends with a slash."""
    path, mark, query = request.get_full_path().partition("?")
    return HttpResponseRedirect(f"{path.rstrip('/')}{mark}{query}", preserve_request=True)


def _exists_without_slash(request: HttpRequest) -> bool:
    path = request.path_info
    return path.endswith("/") and bool(is_valid_path(path.rstrip("/"), getattr(request, "urlconf", None)))


def encodings_middleware(get_response: GetResponse) -> GetResponse:
    """Take encodings that a client refuses (`gzip;q=0`) out of Accept-Encoding: Django looks for names alone."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        accepted = request.META.get("HTTP_ACCEPT_ENCODING", "")
        if "=" in accepted:
            kept = [each for each in accepted.split(",") if not REFUSED.search(each)]
            request.META["HTTP_ACCEPT_ENCODING"] = ",".join(kept)
        return get_response(request)

    return middleware


def replica_middleware(get_response: GetResponse) -> GetResponse:
    """What only reads may read from the replica; what may write leaves behind how far the replica must be after it."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not replicas.has_replica():
            return get_response(request)
        if request.method in READING_METHODS:
            with replicas.following_writes():
                return get_response(request)
        response = get_response(request)
        replicas.note_write()
        return response

    return middleware


def _origin_allowed(request: HttpRequest) -> bool:
    """Whether a browser's page may write: no Origin, our own, or one that FRONTEND_URL names."""
    origin = request.headers.get("Origin")
    if origin is None or origin in settings.CORS_ALLOWED_ORIGINS or origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    own = urlsplit(origin)
    if own.netloc == request.get_host():
        return True
    return own.hostname in ("localhost", "127.0.0.1") and str(own.port or 80) == request.get_port()
