"""Reading from a replica of the PostgreSQL database, for those whose own writes it has.

Who just wrote reads from the primary until the replica has what they wrote: the primary keeps the position in its log
after the last write of each caller, in a table, so that this holds for any number of processes and machines.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.context import current_actor

logger = logging.getLogger(__name__)

ALIAS = "replica"
SECONDS_BETWEEN_TRIES = 5.0
SECONDS_BETWEEN_LOOKS = 0.05

# Both as numbers of bytes. What is flushed is all that a replica can be expected to have: the end of the log may stay
# in the primary's memory as long as nothing is committed.
POSITIONS = """
    SELECT (SELECT position FROM promptadmin_writeposition WHERE caller = %s), pg_current_wal_flush_lsn() - '0/0'
"""
REPLAYED = "SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn() - '0/0'"
NOTE = """
    INSERT INTO promptadmin_writeposition AS known (caller, position)
    VALUES (%s, pg_current_wal_insert_lsn() - '0/0')
    ON CONFLICT (caller) DO UPDATE SET position = GREATEST(known.position, excluded.position)
"""

_may_follow: ContextVar[bool] = ContextVar("may_follow", default=False)


class ReplicaState:
    """What this process knows of the replica: whether it answers, and when it had all that the primary had."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next_try = 0.0
        self._failed = ""
        self._complete_at = float("-inf")
        self._mark: tuple[int, float] | None = None

    @property
    def problem(self) -> str:
        """Why the replica isn't read from, in words; empty while it is."""
        with self._lock:
            if self._failed:
                return self._failed
            late = time.monotonic() - self._mark[1] if self._mark else 0.0
        if late <= settings.REPLICA_MAX_LAG:
            return ""
        return f"it is more than {settings.REPLICA_MAX_LAG} s behind"

    def may_be_asked(self) -> bool:
        """Whether it answered, or hasn't been asked for a while; of several threads one is to ask."""
        with self._lock:
            if not self._failed:
                return True
            now = time.monotonic()
            if now < self._next_try:
                return False
            self._next_try = now + SECONDS_BETWEEN_TRIES
            return True

    def failed(self, error: BaseException) -> None:
        """It can't be used: the reads go to the primary."""
        reason = " ".join(str(error).split())
        with self._lock:
            known, self._failed = self._failed, reason
            self._next_try = time.monotonic() + SECONDS_BETWEEN_TRIES
        if not known:
            logger.warning("The replica can't be used (%s): reads go to the primary.", reason)

    def is_near(self, written: int, replayed: int) -> bool:
        """Whether it is at most REPLICA_MAX_LAG seconds behind, by positions of the primary and then of the replica.

        It is as far behind as the time since the primary was where the replica is now; clocks of other machines don't
        matter.
        """
        now, before = time.monotonic(), self.problem
        with self._lock:
            self._failed = ""
            if self._mark and replayed >= self._mark[0]:
                self._complete_at, self._mark = self._mark[1], None
            if replayed >= written:
                self._complete_at = now
            elif self._mark is None:
                self._mark = (written, now)
            near = now - self._complete_at <= settings.REPLICA_MAX_LAG
        after = self.problem
        if after and not before:
            logger.warning("The replica can't be used (%s): reads go to the primary.", after)
        elif before and not after:
            logger.info("The replica is used again.")
        return near

    def forget(self) -> None:
        """It may lack anything until it has what the primary has by the next look."""
        with self._lock:
            self._complete_at, self._mark = float("-inf"), None


state = ReplicaState()


def has_replica() -> bool:
    return ALIAS in settings.DATABASES


@contextmanager
def following_writes() -> Iterator[None]:
    """Read sessions in the block may be the replica's, where it has what the acting user, token or tool has written.

    Elsewhere, as in commands, every session is the primary's.
    """
    token = _may_follow.set(has_replica())
    try:
        yield
    finally:
        _may_follow.reset(token)


@contextmanager
def primary_only() -> Iterator[None]:
    """Every session in the block is the primary's."""
    token = _may_follow.set(False)
    try:
        yield
    finally:
        _may_follow.reset(token)


def note_write() -> None:
    """Keep where the log of the primary is, now that the acting user, token or tool has written."""
    if not has_replica():
        return
    try:
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(NOTE, [current_actor().name])
    except DatabaseError:  # what was written is committed, and the answer must say so
        logger.exception("The position after a write couldn't be kept: the replica waits until it has everything.")
        state.forget()


def reading_connection(using: str) -> BaseDatabaseWrapper:
    """The replica's connection, if the caller may read there now; else the one of this alias."""
    primary = connections[using]
    if not _may_follow.get() or using != DEFAULT_DB_ALIAS or primary.alias == ALIAS or primary.in_atomic_block:
        return primary
    if not state.may_be_asked():
        return primary
    with primary.cursor() as cursor:
        cursor.execute(POSITIONS, [current_actor().name])
        own, written = cursor.fetchone()
    try:
        replayed = _replayed(connections[ALIAS])
    except DatabaseError as error:
        connections[ALIAS].close()
        state.failed(error)
        return primary
    if not state.is_near(int(written), replayed) or replayed < (own or 0):
        return primary
    connections[ALIAS].replayed = replayed  # type: ignore[attr-defined]  # ours, see `replayed_throughout`
    return connections[ALIAS]


def seconds_behind(primary: BaseDatabaseWrapper, *, at_most: float) -> float | None:
    """How long the replica takes to get to where the primary is now; None if longer than `at_most` seconds.

    Raises django.db.DatabaseError where it can't be used.
    """
    with primary.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_flush_lsn() - '0/0'")
        written = int(cursor.fetchone()[0])
    began = time.monotonic()
    try:
        while _replayed(connections[ALIAS]) < written:
            if time.monotonic() - began > at_most:
                return None
            time.sleep(SECONDS_BETWEEN_LOOKS)
    finally:
        connections[ALIAS].close()
    return time.monotonic() - began


def replayed_throughout(connection: BaseDatabaseWrapper) -> int | None:
    """The position of a replica's session, to be asked inside it; None where it moved while the session began.

    `pg_current_snapshot()` doesn't tell a replica's states apart: it leaves out which transactions are under way.
    """
    replayed = _replayed(connection)
    return replayed if replayed == getattr(connection, "replayed", None) else None


def failed_there(connection: BaseDatabaseWrapper, error: DatabaseError) -> bool:
    """Whether a session failed because it was the replica's, so that the primary should be asked.

    A replica cancels reads that keep it from replaying for too long, and may be stopped at any time.
    """
    if connection.alias != ALIAS or not isinstance(error, OperationalError):
        return False
    code = getattr(error.__cause__, "sqlstate", None)
    if code == "57014":  # it took too long, and would there, too
        return False
    if code != "40001":
        state.failed(error)
    return True


def _replayed(connection: BaseDatabaseWrapper) -> int:
    with connection.cursor() as cursor:
        cursor.execute(REPLAYED)
        is_replica, replayed = cursor.fetchone()
    if not is_replica or replayed is None:
        raise OperationalError("it is no replica: it doesn't replay another server's log")
    return int(replayed)
