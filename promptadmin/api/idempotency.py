"""POSTs that can be sent again: one with an `Idempotency-Key` is done once, and gets the same answer for a day.

The answer is kept in the transaction of what was done: both are there or neither is. An answer that is an error changed
nothing, and is not kept: the same request may succeed later.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import re
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import orjson
from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja.errors import ValidationError

from promptadmin.conf.limits import KEPT_ANSWER_BYTES, KEPT_ANSWER_HOURS, KEPT_ANSWERS
from promptadmin.db.features import lock_number
from promptadmin.db.sessions import write_session
from promptadmin.errors import Conflict, TooMany
from promptadmin.models import KeptAnswer
from promptadmin.plugins.steps import JobResult

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEY = re.compile(r"[\x21-\x7e]{1,255}")
KEPT = dt.timedelta(hours=KEPT_ANSWER_HOURS)
FORGOTTEN_AT_ONCE = 500
#: Headers that say what is asked beside method, path and body.
ASKING_HEADERS = ("Content-Type", "If-Match", "If-Unmodified-Since")
ADVISORY_CLASS = 0x706B6579  # of PostgreSQL's locks with two numbers; "pkey"


def replaying(run: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap ninja's `run` of an operation that takes POST."""
    if "POST" not in run.__self__.methods:  # type: ignore[attr-defined]  # a bound method
        return run

    @functools.wraps(run)
    def wrapper(request: HttpRequest, **parameters: Any) -> Any:
        key = request.headers.get(HEADER)
        if key is None or request.method != "POST":
            return run(request, **parameters)
        with ExitStack() as stack:
            request.attempt = attempt = _Attempt(request, key, stack)  # type: ignore[attr-defined]  # see below
            response = run(request, **parameters)
            attempt.keep(response)
        return response

    return wrapper


def once(request: HttpRequest, work: Callable[[], Any], content: bytes | None = None) -> Any:
    """Do the work of a request in a write session or, where its key was used before, answer what it answered then.

    `content` is the body, where the operation has read it itself. Raises ninja's ValidationError for a key that can't
    be one, or that came with another request before; Conflict, TooMany.
    """
    attempt: _Attempt | None = getattr(request, "attempt", None)
    if attempt is None:
        with write_session():
            return work()
    return attempt.once(work, request.body if content is None else content)


class _Attempt:
    """A request with a key. Its transaction is open from the look for an answer until the answer is kept."""

    def __init__(self, request: HttpRequest, key: str, stack: ExitStack) -> None:
        self.request, self.key, self.stack = request, key, stack
        self.row: KeptAnswer | None = None

    def once(self, work: Callable[[], Any], content: bytes) -> Any:
        if not KEY.fullmatch(self.key):
            raise _wrong_key("Use 1 to 255 visible ASCII characters, such as a UUID", self.key)
        caller = self.request.auth.name  # type: ignore[attr-defined]  # ninja sets it
        digest = hashlib.sha256(f"{caller}\0{self.key}".encode()).hexdigest()
        asked = _digest_of(self.request, content)
        with ExitStack() as stack:
            connection = stack.enter_context(write_session())
            lock_key(connection, digest)
            kept = KeptAnswer.objects.filter(digest=digest).first()
            if kept is not None and kept.created_at > timezone.now() - KEPT:
                return self._replay(kept, asked)
            if kept is not None:
                kept.delete()
            _expect_room()
            result = work()
            self.row = KeptAnswer(digest=digest, asked=asked)
            self.stack.push(stack.pop_all())  # stays open until the answer is kept
            return result

    def keep(self, response: HttpResponse) -> None:
        """Store the answer, if there is one to keep."""
        if self.row is None:
            return
        if response.status_code >= 500:  # done, but can't be told
            transaction.set_rollback(True)
        elif response.status_code < 400:
            self.row.status = response.status_code
            self.row.headers = orjson.dumps(dict(response.items())).decode()
            self.row.body = response.content if len(response.content) <= KEPT_ANSWER_BYTES else None
            self.row.save(force_insert=True)

    def _replay(self, kept: KeptAnswer, asked: str) -> HttpResponse:
        if kept.asked != asked:
            raise _wrong_key("This key came with another request before: use a new one for each", self.key)
        if kept.body is None:
            raise Conflict(f"This was done already, with status {kept.status}; its answer was too large to be kept")
        headers = {**orjson.loads(kept.headers), REPLAYED: "true"}
        return HttpResponse(bytes(kept.body), status=kept.status, headers=headers)


def lock_key(connection: BaseDatabaseWrapper, digest: str) -> None:
    """Keep others from the row with this digest until the transaction ends."""
    lock_number(connection, ADVISORY_CLASS, int(digest[:8], 16) - (1 << 31))


def _wrong_key(message: str, key: str) -> ValidationError:
    return ValidationError([{"type": "idempotency_key", "loc": ["header", HEADER], "msg": message, "input": key[:300]}])


def _digest_of(request: HttpRequest, content: bytes) -> str:
    """What is asked for, in short."""
    parts = [str(request.method), request.get_full_path(), *(request.headers.get(name, "") for name in ASKING_HEADERS)]
    return hashlib.sha256(orjson.dumps(parts) + content).hexdigest()


def _expect_room() -> None:
    """Raise TooMany beyond KEPT_ANSWERS. Rows go in the order of their ids: both ends say how many there are."""
    keys = KeptAnswer.objects.order_by("id").values_list("id", flat=True)
    if (keys.last() or 0) - (keys.first() or 0) >= KEPT_ANSWERS:
        raise TooMany(f"More than {KEPT_ANSWERS:,} answers are kept for keys: send {HEADER} later, or go without")


def forget_expired(using: str = DEFAULT_DB_ALIAS) -> JobResult:
    """Upkeep: remove some of the answers that are older than a day, oldest first.

    What a clock that has been set back since has dated ahead counts from now on.
    """
    rows, now = KeptAnswer.objects.using(using), timezone.now()
    oldest = list(rows.order_by("id").values_list("id", "created_at")[:FORGOTTEN_AT_ONCE])
    expired = [key for key, created_at in oldest if created_at <= now - KEPT]
    ahead = [key for key, created_at in oldest if created_at > now]
    if not expired and not ahead:
        return JobResult(0, 0)
    with write_session(using):
        rows.filter(id__in=expired).delete()
        rows.filter(id__in=ahead).update(created_at=now)
    return JobResult(len(expired), FORGOTTEN_AT_ONCE if len(expired) == FORGOTTEN_AT_ONCE else 0)
