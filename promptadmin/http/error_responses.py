"""The answers to what no view answers: faults, bodies that are too large, and errors that nobody foresaw."""

from __future__ import annotations

import functools
import logging
import sys
from logging import Filter, LogRecord

from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views import defaults

from promptadmin.context import current_request_id
from promptadmin.db.infrastructure_errors import Fault, fault_of
from promptadmin.http.refused_forms import is_own, refused_page
from promptadmin.http.responses import to_json
from promptadmin.plugins.declarations import enabled_plugins

logger = logging.getLogger(__name__)

API_PREFIX = "/api/"
TITLES = {
    400: "No such address",
    403: "This form has expired",
    409: "Sent before",
    413: "That is too much at once",
    500: "Something went wrong",
    503: "Not available at the moment",
    507: "The disk is full",
}
FAILED = Fault(
    500, "The server failed at this, and its log says why. Look whether it is done before you send it again."
)
FAILED_TO_SHOW = Fault(500, "The server failed at showing this page, and its log says why. Tell whoever runs it.")
EXPIRED = Fault(403, "Nothing was changed: the form was loaded before you signed in, in this tab or in another.")
FOREIGN = Fault(
    403,
    "Nothing was changed: the browser says that another site sent this form. If it was this one, behind a proxy, name "
    "its address in PROMPTADMIN_TRUSTED_ORIGINS.",
)
NO_COOKIE = Fault(
    403, "Nothing was changed: the browser sent no cookie. Allow this site cookies, then load the form anew."
)
NOT_ALLOWED = Fault(
    403, "Nothing was changed: your role doesn't allow it, or what it is about can't be changed any more. Ask who can."
)


@functools.cache
def _api_prefixes() -> tuple[str, ...]:
    return (API_PREFIX, *(f"/{api.path}" for plugin in enabled_plugins() for api in plugin.root_apis))


def is_of_api(request: HttpRequest) -> bool:
    """Whether programs ask there: under /api, or where a plugin has a root API."""
    return request.path_info.startswith(_api_prefixes())


def too_large(error: RequestDataTooBig) -> Fault:
    """The answer to a body beyond a limit, which it names."""
    own_words = str(error)
    if "DATA_UPLOAD_MAX_MEMORY_SIZE" in own_words:  # Django's, for those who set it
        own_words = f"The request's body is larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes."
    return Fault(413, own_words)


def too_many(error: TooManyFieldsSent | TooManyFilesSent) -> Fault:
    """The answer to more fields or files in one request than are read."""
    if isinstance(error, TooManyFilesSent):
        return Fault(
            400, f"A form can bring at most {settings.DATA_UPLOAD_MAX_NUMBER_FILES} files. Send fewer at once."
        )
    most = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
    return Fault(
        400, f"A form, or an address, can have at most {most:,} fields: nothing was changed. Send fewer at once."
    )


def answer(request: HttpRequest, fault: Fault, *, title: str = "") -> HttpResponse:
    """JSON for the API, and for everybody else a page that needs neither database nor theme."""
    if wants_json(request):
        return json_error(fault.detail, fault.status, headers=fault.headers)
    return refused_page(request, title=title or TITLES[fault.status], fault=fault, headers=fault.headers)


def wants_json(request: HttpRequest) -> bool:
    """Whether a program asks, or a script of a page."""
    return is_of_api(request) or request.headers.get("Accept") == "application/json"


def json_error(detail: str, status: int, *, headers: dict[str, str] | None = None, **more: str) -> HttpResponse:
    """An error as the API says it."""
    body = to_json({"detail": detail, **more})
    return HttpResponse(body, status=status, content_type="application/json", headers=headers)


def failed(request: HttpRequest, error: BaseException | None) -> HttpResponse:
    """The answer to an error that nobody caught."""
    fault = fault_of(error) if error else None
    if fault:
        return answer(request, fault)
    if is_of_api(request):
        return json_error("Internal server error", 500, request_id=current_request_id.get())
    return answer(request, FAILED if request.method == "POST" else FAILED_TO_SHOW)


def log_failure(request: HttpRequest, error: BaseException) -> None:
    """One entry for operators: a fault needs no trace."""
    trace = None if fault_of(error) else error
    logger.error("%s %s failed: %s", request.method, request.path, error, exc_info=trace)
    request.failure_is_logged = True  # type: ignore[attr-defined]  # read by LoggedOnce


class LoggedOnce(Filter):
    """Drops what Django says of an answer of 500 whose error is in the log already."""

    def filter(self, record: LogRecord) -> bool:
        """Whether the record says something new."""
        return not getattr(getattr(record, "request", None), "failure_is_logged", False)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler of requests that it refuses."""
    if isinstance(exception, RequestDataTooBig):
        return answer(request, too_large(exception))
    if isinstance(exception, TooManyFieldsSent | TooManyFilesSent):
        return answer(request, too_many(exception), title="That is too much at once")
    if is_of_api(request):
        is_host = isinstance(exception, DisallowedHost)
        return json_error("This host name is not one of PROMPTADMIN_ALLOWED_HOSTS." if is_host else "Bad Request", 400)
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler of what somebody may not do; what they typed for it is given back."""
    if request.method == "POST":
        return answer(request, NOT_ALLOWED, title="Not allowed")
    return defaults.permission_denied(request, exception)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's view for a form whose token isn't that of the browser's cookie, as after signing in in another tab."""
    if settings.CSRF_COOKIE_NAME not in request.COOKIES:
        return answer(request, NO_COOKIE)
    if not is_own(request):
        return answer(request, FOREIGN)
    if request.path == reverse("admin:login"):  # whoever is signed in already needn't, and goes on from there
        return HttpResponseRedirect(request.get_full_path())
    return answer(request, EXPIRED)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler of errors that left a view or a middleware; Django logs them."""
    return failed(request, sys.exc_info()[1])
