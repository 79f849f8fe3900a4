"""Forms that are sent twice are done once: the second of a double click gets the answer to the first.

The CSRF token of a form names it, since Django masks it anew for each page. A form is done when its answer is a
redirection that brings no bad news, as after each write of the admin; that answer is kept beside those of the API's
`Idempotency-Key`. The row is there before the work begins, so that a second request waits for the first.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import orjson
from django.conf import settings
from django.contrib import messages
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from promptadmin.api.idempotency import KEPT, lock_key
from promptadmin.db.infrastructure_errors import FULL, READ_ONLY, Fault, fault_of
from promptadmin.db.sessions import read_session, write_session
from promptadmin.http.error_responses import answer
from promptadmin.http.refused_forms import KEY_FIELD, TOKEN_FIELD
from promptadmin.models import KeptAnswer

logger = logging.getLogger(__name__)

#: As much of a token is the key: less than its mask, so that the key alone is worth nothing.
KEY_LENGTH = 16
#: The status of a row whose request is still in work, and what a second one is told that has waited long enough.
IN_WORK_STATUS = 0
IN_WORK = Fault(
    409,
    "This form was sent before, and it isn't known yet what became of it: it is still in work, or the server was "
    "stopped meanwhile. Look whether it is done; if not, load the form anew and send it from there.",
)
#: A second request waits so long for the first, in seconds.
LONGEST_WAIT, PAUSE = 20.0, 0.05
#: Programs send the cookie's own token with each form: what they send again within this time is a double click.
KEPT_FOR_PROGRAMS, IN_WORK_FOR_PROGRAMS = timedelta(seconds=3), timedelta(minutes=1)

View = Callable[..., Any]


def only_reads(view: View) -> View:
    """Mark a view that reads, though by POST: it may be asked any number of times."""
    view.only_reads = True  # type: ignore[attr-defined]
    return view


def once_a_form(view: View) -> View:
    """Wrap a view of the back-office."""
    if getattr(view, "only_reads", False):
        return view

    @functools.wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        sent = _Sent.of(request)
        if sent is None:
            return view(request, *args, **kwargs)
        answer = sent.answer_of_the_first()
        if answer is not None:
            return answer
        try:
            response = view(request, *args, **kwargs)
        except BaseException:
            sent.forget()
            raise
        sent.keep(response)
        return response

    return wrapper


def outcomes(user: Any, keys: Iterable[str]) -> dict[str, str]:
    """What became of forms of a user, by their keys: "done" or "unsure"; of those that weren't done, nothing."""
    digests = {_digest(user, key): key for key in keys}
    with read_session():
        rows = KeptAnswer.objects.filter(digest__in=digests).values_list("digest", "status", "headers")
        return {
            digests[digest]: "done"
            if status != IN_WORK_STATUS and not orjson.loads(headers).get("warned")
            else "unsure"
            for digest, status, headers in rows
        }


def _digest(user: Any, key: str) -> str:
    return hashlib.sha256(f"form of {user.pk}\0{key}".encode()).hexdigest()


class _Sent:
    """A form that was sent, and its row."""

    def __init__(self, request: HttpRequest, key: str, *, is_of_program: bool) -> None:
        self.request, self.is_of_program = request, is_of_program
        self.digest = _digest(request.user, key)
        left_out = (TOKEN_FIELD, KEY_FIELD)
        fields = sorted(item for item in request.POST.lists() if item[0] not in left_out)
        files = [(name, file.name, file.size) for name, found in request.FILES.lists() for file in found]
        self.asked = hashlib.sha256(orjson.dumps([request.get_full_path(), fields, files])).hexdigest()
        self.is_claimed = False

    @classmethod
    def of(cls, request: HttpRequest) -> _Sent | None:
        """None where nobody who may do anything sends a form."""
        user: Any = request.user
        token = request.POST.get(TOKEN_FIELD, "") if request.method == "POST" else ""
        if not token or not user.is_authenticated:
            return None
        is_of_program = token == request.COOKIES.get(settings.CSRF_COOKIE_NAME)
        return cls(request, (request.POST.get(KEY_FIELD) or token)[:KEY_LENGTH], is_of_program=is_of_program)

    def answer_of_the_first(self) -> HttpResponse | None:
        """The answer to the same form, if it was sent before; None where it is now to be done."""
        began = time.monotonic()
        try:
            kept = self._claim()
            while kept is not None and kept.status == IN_WORK_STATUS:
                if time.monotonic() - began > LONGEST_WAIT:
                    return answer(self.request, IN_WORK)
                time.sleep(PAUSE)
                kept = self._claim()
        except DatabaseError as error:
            if fault_of(error) not in (FULL, READ_ONLY):
                raise
            return None  # nothing can be done twice, and what only reads goes on
        return None if kept is None else self._again(kept)

    def _claim(self) -> KeptAnswer | None:
        """Make the row, or give the one that another request has made for the same."""
        with read_session():
            kept = self._row()
        if kept is not None:
            return kept
        with write_session() as connection:
            lock_key(connection, self.digest)
            kept = self._row()
            if kept is None:
                KeptAnswer.objects.filter(digest=self.digest).delete()
                KeptAnswer(digest=self.digest, asked=self.asked, status=IN_WORK_STATUS, headers="{}").save()
                self.is_claimed = True
        return kept

    def _row(self) -> KeptAnswer | None:
        kept = KeptAnswer.objects.filter(digest=self.digest, asked=self.asked).first()
        if kept is None:
            return None
        lasts = KEPT
        if self.is_of_program:
            lasts = IN_WORK_FOR_PROGRAMS if kept.status == IN_WORK_STATUS else KEPT_FOR_PROGRAMS
        return kept if kept.created_at > timezone.now() - lasts else None

    def _again(self, kept: KeptAnswer) -> HttpResponse:
        if kept.body:
            return HttpResponse(bytes(kept.body), status=kept.status)
        messages.info(self.request, "This form was sent twice, and done once.")
        return HttpResponseRedirect(orjson.loads(kept.headers)["Location"])

    def keep(self, response: Any) -> None:
        """Keep the answer, if it says that something was done; else the form may be sent again."""
        worst = _worst_message(self.request)
        popup = "popup_response_data" in (getattr(response, "context_data", None) or {})  # Django's, after adding
        if worst >= messages.ERROR or (not popup and response.status_code != 302):
            self.forget()
            return
        headers = {"Location": response.headers.get("Location", ""), "warned": worst >= messages.WARNING}
        body = response.render().content if popup else None
        self._write(status=response.status_code, headers=orjson.dumps(headers).decode(), body=body)

    def forget(self) -> None:
        """Nothing was done."""
        self._write()

    def _write(self, **values: Any) -> None:
        """Give the row values, or remove it. What was done stays done where that can't be written."""
        if not self.is_claimed:
            return
        rows = KeptAnswer.objects.filter(digest=self.digest, asked=self.asked, status=IN_WORK_STATUS)
        try:
            with write_session():
                if values:
                    rows.update(created_at=timezone.now(), **values)
                else:
                    rows.delete()
        except DatabaseError as error:
            logger.warning("It can't be noted what became of a form: %s", error)


def _worst_message(request: HttpRequest) -> int:
    """The level of the worst message that the next page will show."""
    waiting: Any = messages.get_messages(request)
    worst = max((message.level for message in waiting), default=0)
    waiting.used = False  # they are still to be shown
    return worst
