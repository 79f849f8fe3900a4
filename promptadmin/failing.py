"""The answers to what no view answers: faults, bodies that are too large, and errors that nobody foresaw."""

from __future__ import annotations

import logging
import sys

from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views import defaults

from promptadmin.answers import to_json
from promptadmin.faults import Fault, fault_of
from promptadmin.request_ids import current_request_id

logger = logging.getLogger(__name__)

API_PREFIX = "/api/"
TITLES = {413: "That is too much at once", 503: "Not available at the moment", 507: "The disk is full"}


def too_large(error: RequestDataTooBig) -> Fault:
    """The answer to a body beyond a limit, which it names."""
    own_words = str(error)
    if "DATA_UPLOAD_MAX_MEMORY_SIZE" in own_words:  # Django's, for those who set it
        own_words = f"The request's body is larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes."
    return Fault(413, own_words)


def answer(request: HttpRequest, fault: Fault) -> HttpResponse:
    """JSON for the API, and for everybody else a page that needs neither database nor theme."""
    if request.path.startswith(API_PREFIX):
        return json_error(fault.detail, fault.status, headers=fault.headers)
    page = render_to_string("promptadmin/fault.html", {"title": TITLES[fault.status], "fault": fault})
    return HttpResponse(page, status=fault.status, headers=fault.headers)


def json_error(detail: str, status: int, *, headers: dict[str, str] | None = None, **more: str) -> HttpResponse:
    """An error as the API says it."""
    body = to_json({"detail": detail, **more})
    return HttpResponse(body, status=status, content_type="application/json", headers=headers)


def failed(request: HttpRequest, error: BaseException | None) -> HttpResponse:
    """The answer to an error that nobody caught."""
    fault = fault_of(error) if error else None
    if fault:
        return answer(request, fault)
    if request.path.startswith(API_PREFIX):
        return json_error("Internal server error", 500, request_id=current_request_id.get())
    return defaults.server_error(request)


def log_failure(request: HttpRequest, error: BaseException) -> None:
    """One line for operators: a fault needs no trace."""
    trace = None if fault_of(error) else error
    logger.error("%s %s failed: %s", request.method, request.path, error, exc_info=trace)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler of requests that it refuses."""
    if isinstance(exception, RequestDataTooBig):
        return answer(request, too_large(exception))
    if request.path.startswith(API_PREFIX):
        is_host = isinstance(exception, DisallowedHost)
        return json_error("This host name is not one of PROMPTADMIN_ALLOWED_HOSTS." if is_host else "Bad Request", 400)
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler of errors that left a view or a middleware; Django logs them."""
    return failed(request, sys.exc_info()[1])
