"""What every page of the back-office does with its request and its answer, plugins' pages included."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from promptadmin.backoffice.kept_filters import LIST, keep_filters
from promptadmin.backoffice.selection import ACROSS, storable_keys
from promptadmin.db.infrastructure_errors import Fault
from promptadmin.http.error_responses import answer, wants_json
from promptadmin.http.methods import READING_METHODS

logger = logging.getLogger(__name__)

NUL_IN_ADDRESS = Fault(
    400, "The address has a NUL character (%00), which no row can have. Take it out, or go back to the start."
)

IMPOSSIBLE_VALUE = Fault(
    400, "Nothing was changed: a value is too large, or of another kind than its column. Correct it and try again."
)


def page_view(view: Callable[..., Any]) -> Callable[..., Any]:
    """The view, for addresses that the database can be asked about; where it redirects, the list's filters stay."""

    @functools.wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if "\0" in request.path or any("\0" in text for pair in _pairs(request) for text in pair):
            return answer(request, NUL_IN_ADDRESS)
        model_admin = getattr(view, "__self__", None)
        if isinstance(model_admin, ModelAdmin) and ACTION_CHECKBOX_NAME in request.POST:
            _tidy_selection(request, model_admin)
        try:
            answered = view(request, *args, **kwargs)
        except (PermissionDenied, Http404) as refused:
            if request.method not in READING_METHODS or wants_json(request):
                raise
            return _refused_page(request, is_missing=isinstance(refused, Http404))
        except (OverflowError, DataError):
            # Django checks most values before the database does, but no key of another table.
            if request.method in READING_METHODS and not (request.GET or kwargs):
                raise
            return answer(request, IMPOSSIBLE_VALUE)
        except ValueError as error:
            # So does psycopg refuse a text that is no address of a network.
            if request.method not in READING_METHODS or not (request.GET and _is_list(request)):
                raise
            logger.warning("%s: a value of its filters is refused: %s", request.path, error)
            return answer(request, IMPOSSIBLE_VALUE)
        if isinstance(answered, HttpResponseRedirect):
            answered["Location"] = keep_filters(request, answered["Location"])
        return answered

    return page


def _refused_page(request: HttpRequest, *, is_missing: bool) -> HttpResponse:
    """The page in place of one that isn't there, or isn't for this user, with the navigation."""
    context = {
        **admin.site.each_context(request),
        "title": "Nothing is here" if is_missing else "Not allowed",
        "is_missing": is_missing,
    }
    return render(request, "promptadmin/refused.html", context, status=404 if is_missing else 403)


def _is_list(request: HttpRequest) -> bool:
    return request.resolver_match is not None and (request.resolver_match.url_name or "").endswith(LIST)


def _pairs(request: HttpRequest) -> list[tuple[str, str]]:
    return [(name, value) for name, values in request.GET.lists() for value in values]


def _tidy_selection(request: HttpRequest, model_admin: ModelAdmin[Any]) -> None:
    """Leave out ticked keys that no row of the table can have, and read `select_across` in one way only."""
    posted = request.POST.copy()
    keys = storable_keys(model_admin, posted.getlist(ACTION_CHECKBOX_NAME))
    posted.setlist(ACTION_CHECKBOX_NAME, [str(key) for key in keys])
    # Django takes anything but "0" and "false" for all rows, and the pages that ask take "1" alone.
    posted[ACROSS] = "1" if posted.get(ACROSS) == "1" else "0"
    request.POST = posted  # type: ignore[assignment]  # what Django reads from now on
