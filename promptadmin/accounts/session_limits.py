"""How long somebody stays signed in: to the end of a working day, and not through an hour's absence.

The cookie's own age can't say either: the server renews it, and whoever has stolen it doesn't keep to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from promptadmin.db.sessions import write_session
from promptadmin.plugins.steps import JobResult

SIGNED_IN_AT, SEEN_AT = "signed_in_at", "seen_at"
#: A request is noted at most this often, in seconds, so that reading costs no write.
SEEN_IS_NOTED_EVERY = 60
SESSIONS_IN_A_PIECE = 500


def note_sign_in(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """Receiver of `user_logged_in`: the session begins now."""
    request.session[SIGNED_IN_AT] = request.session[SEEN_AT] = int(time.time())


def session_limits_middleware(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., Any]:
    """Sign out whoever was away for too long, or signed in too long ago."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            _keep_or_end(request)
        return get_response(request)

    return middleware


def _keep_or_end(request: HttpRequest) -> None:
    now, session = int(time.time()), request.session
    began, seen = session.get(SIGNED_IN_AT), session.get(SEEN_AT)
    if began is None or seen is None:  # it was begun by an earlier release
        _note(request, {SIGNED_IN_AT: now, SEEN_AT: now})
    elif now - began >= settings.SESSION_COOKIE_AGE or now - seen >= settings.SESSION_IDLE_SECONDS:
        logout(request)
    elif abs(now - seen) >= SEEN_IS_NOTED_EVERY:  # a clock that was set back has seen them in the future
        _note(request, {SEEN_AT: now})


def seconds_left(request: HttpRequest) -> tuple[int, int]:
    """How long the session of this request lasts: without another request, and at most."""
    now = int(time.time())
    began, seen = (request.session.get(name, now) for name in (SIGNED_IN_AT, SEEN_AT))
    whole = max(0, began + settings.SESSION_COOKIE_AGE - now)
    return min(whole, max(0, seen + settings.SESSION_IDLE_SECONDS - now)), whole


def _note(request: HttpRequest, times: dict[str, int]) -> None:
    """Keep times with the session, which is no change of it that a reading request would fail for."""
    changed = request.session.modified
    request.session.update(times)
    request.session.modified = changed
    request.is_only_seen = not changed  # type: ignore[attr-defined]  # for `browsers.SessionMiddleware`


def remove_expired(using: str) -> JobResult:
    """Upkeep: remove sessions that nobody can use any more."""
    with write_session(using):
        expired = Session.objects.using(using).filter(expire_date__lt=timezone.now())
        keys = list(expired.values_list("pk", flat=True)[: SESSIONS_IN_A_PIECE + 1])
        Session.objects.using(using).filter(pk__in=keys[:SESSIONS_IN_A_PIECE]).delete()
    return JobResult(min(len(keys), SESSIONS_IN_A_PIECE), max(0, len(keys) - SESSIONS_IN_A_PIECE))
