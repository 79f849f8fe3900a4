"""An id for each request: in the answer's `X-Request-ID`, in error answers, and on each line of the log."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from logging import Filter, LogRecord

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from promptadmin.context import current_request_id

#: The key in the WSGI environment under which the access log finds the request that Django made of it.
ANSWERED = "promptadmin.request"
PLAUSIBLE_ID = re.compile(r"[\w.:-]{1,100}")


class RequestIdFilter(Filter):
    """Gives each log record the id of the request during which it was written."""

    def filter(self, record: LogRecord) -> bool:
        # Django itself logs some answers when every middleware is done with the request.
        record.request_id = getattr(getattr(record, "request", None), "id", None) or current_request_id.get()
        return True


def request_id_middleware(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Take the request's `X-Request-ID`, or make one."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = given if given and PLAUSIBLE_ID.fullmatch(given) else uuid.uuid4().hex
        request.id = request_id  # type: ignore[attr-defined]  # read by RequestIdFilter
        request.META[ANSWERED] = request  # which the access log takes out again
        token = current_request_id.set(request_id)
        try:
            response = get_response(request)
        finally:
            current_request_id.reset(token)
        response["X-Request-ID"] = request_id
        return response

    return middleware
