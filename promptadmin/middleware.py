"""Headers that keep browsers careful and, under /api, answers in JSON whatever happens."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from promptadmin.sessions import READING_METHODS

GetResponse = Callable[[HttpRequest], HttpResponseBase]

API_PREFIX = "/api/"
HEADERS = {
    "X-Frame-Options": "DENY",
    "X-XSS-Protection": "1; mode=block",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
API_CSP = "default-src 'none'; frame-ancestors 'none'"
# The pages with the API's documentation show themselves with scripts and styles of this host.
DOCS_CSP = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"
DOCS_PATHS = frozenset({"/api/docs"})
DETAILS = {404: "Not Found", 405: "Method Not Allowed"}


def security_headers_middleware(get_response: GetResponse) -> GetResponse:
    """Set the headers that PromptForge's clients and browsers know."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        for name, value in HEADERS.items():
            response.setdefault(name, value)
        if request.path.startswith(API_PREFIX):
            response.setdefault("Content-Security-Policy", DOCS_CSP if request.path in DOCS_PATHS else API_CSP)
        return response

    return middleware


def api_middleware(get_response: GetResponse) -> GetResponse:
    """Under /api: HEAD is GET without a body, a foreign Origin may not write, and every error is JSON."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(API_PREFIX):
            return get_response(request)
        try:
            request.get_host()
        except DisallowedHost:
            return _json_error("This host name is not one of PROMPTADMIN_ALLOWED_HOSTS.", 400)
        if request.method not in READING_METHODS and not _origin_allowed(request):
            return _json_error("CSRF validation failed: origin not allowed", 403)
        is_head = request.method == "HEAD"
        if is_head:
            request.method = "GET"
        response = get_response(request)
        if response.status_code in DETAILS and not response.headers.get("Content-Type", "").startswith(
            "application/json"
        ):
            allowed = response.headers.get("Allow")
            response = _json_error(DETAILS[response.status_code], response.status_code)
            if allowed:
                response["Allow"] = allowed
        if is_head and isinstance(response, HttpResponse):
            response.content = b""
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


def _json_error(detail: str, status: int) -> HttpResponse:
    from promptadmin.api import to_json

    return HttpResponse(to_json({"detail": detail}), status=status, content_type="application/json")
