"""What goes wrong below the product rather than in a request (disk, locks, time, connections), and what is answered."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from promptadmin.db.sqlite.file_identity import FileReplacedError

SECONDS_BEFORE_RETRY = 5


class AllSendingError(Exception):
    """No place is left: the process sends as many exports as it may."""


@dataclass(frozen=True)
class Fault:
    """An answer that clients can rely on: `status`, words for the user, and when it is worth trying again, in seconds.

    Whatever was begun has been rolled back by then.
    """

    status: int
    detail: str
    retry_after: int | None = None

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


FULL = Fault(507, "The disk is full: nothing was changed. Make room, then send the request again.")
READ_ONLY = Fault(503, "The database can't be written to, only read: nothing was changed.")
REFUSED = Fault(
    503,
    "The disk refuses to be read or written: nothing was changed. See the system's log; it goes on once the disk does.",
    SECONDS_BEFORE_RETRY,
)
BUSY = Fault(503, "The database is busy: nothing was changed. Try again later.", SECONDS_BEFORE_RETRY)
REPLACED = Fault(
    503,
    "The database's file was moved, removed or replaced while the server runs: nothing was changed. Put it back, or "
    "stop the server, put the right file there, and start it again.",
)
TOO_LONG = Fault(503, "Reading took too long. Ask for less at once, or try again later.", 2 * SECONDS_BEFORE_RETRY)
UNREACHABLE = Fault(503, "The database can't be reached. Try again later.", SECONDS_BEFORE_RETRY)
SENDING = Fault(503, "Other exports are being sent. Try again when they are done.", 2 * SECONDS_BEFORE_RETRY)

OUR_FAULTS: dict[type[BaseException], Fault] = {FileReplacedError: REPLACED, AllSendingError: SENDING}
SQLITE_FAULTS = {
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_PROTOCOL: BUSY,
    sqlite3.SQLITE_INTERRUPT: TOO_LONG,
    sqlite3.SQLITE_CANTOPEN: UNREACHABLE,
    sqlite3.SQLITE_IOERR: REFUSED,
}
#: By SQLSTATE, or by its first two characters, which name its class.
POSTGRESQL_FAULTS = {
    "53100": FULL,
    "25006": READ_ONLY,
    "57014": TOO_LONG,  # cancelled: by statement_timeout
    "55P03": BUSY,  # lock_timeout
    "40": BUSY,  # serialization failures and deadlocks
    "08": UNREACHABLE,
    "53": UNREACHABLE,  # too many connections, out of memory
    "57": UNREACHABLE,  # shutting down, starting up
    "58": UNREACHABLE,  # the system's errors
}
#: psycopg's errors that come without a SQLSTATE where there is no connection to bring one.
WITHOUT_CONNECTION = {"OperationalError", "ConnectionTimeout", "PoolTimeout", "PoolClosed", "TooManyRequests"}
OS_FAULTS = {errno.ENOSPC: FULL, errno.EDQUOT: FULL, errno.EROFS: READ_ONLY}


def fault_of(error: BaseException) -> Fault | None:
    """The fault that an error, or what it came from, stands for; None for any other error."""
    for cause in _causes(error):
        fault = _fault_of_one(cause)
        if fault is not None:
            return fault
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__


def _fault_of_one(error: BaseException) -> Fault | None:
    if type(error) in OUR_FAULTS:
        return OUR_FAULTS[type(error)]
    if isinstance(error, sqlite3.Error):
        # pysqlite3 gives the primary code; Python's own gives the extended one, whose lowest byte that is.
        return SQLITE_FAULTS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
    if isinstance(error, OSError):
        return OS_FAULTS.get(error.errno or 0)
    # psycopg's, which isn't imported without need.
    if type(error).__module__.partition(".")[0] in ("psycopg", "psycopg_pool"):
        state = getattr(error, "sqlstate", None)
        if state is None:
            return UNREACHABLE if type(error).__name__ in WITHOUT_CONNECTION else None
        return POSTGRESQL_FAULTS.get(state) or POSTGRESQL_FAULTS.get(state[:2])
    return None
