"""Answers that hold as long as nobody writes: computed once, and given again until the database changes.

Never stale: the database itself says, inside the reading transaction, whether anything was committed since.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.context import current_actor
from promptadmin.db.postgresql import replicas
from promptadmin.db.sessions import reads_one_moment

Answer = TypeVar("Answer")

ANSWERS = 512

_answers: OrderedDict[Hashable, tuple[Hashable, Any]] = OrderedDict()
_lock = threading.Lock()


def cached_until_write(connection: BaseDatabaseWrapper, key: Hashable, compute: Callable[[], Answer]) -> Answer:
    """What `compute` answers, or answered for this key when the database was as it is now.

    Callers who reach different rows have answers of their own. Remembers only inside a read session of its own: in a
    transaction that writes, every read may be different. Each process remembers for itself, and of a SQLite file each
    connection: their counters can't be compared, and threads that shared a place would take turns in forgetting.
    """
    if not reads_one_moment(connection):
        return compute()
    version = _version(connection)
    if version is None:
        return compute()
    number = connection.connection.number if connection.vendor == "sqlite" else None
    place = (connection.alias, str(connection.settings_dict["NAME"]), number, key, current_actor().reach)
    with _lock:
        known = _answers.get(place)
        if known is not None and known[0] == version:
            _answers.move_to_end(place)
            answer: Answer = known[1]
            return answer
    answer = compute()
    with _lock:
        _answers[place] = (version, answer)
        _answers.move_to_end(place)
        if len(_answers) > ANSWERS:
            _answers.popitem(last=False)
    return answer


def _version(connection: BaseDatabaseWrapper) -> Hashable:
    """A value that is another one after each change: of other connections and, on SQLite, of this one.

    None where it can't be told.
    """
    if connection.vendor == "sqlite":
        raw = connection.connection
        # The pragma counts what others commit, and only as this connection sees it.
        return raw.execute("PRAGMA data_version").fetchone()[0], raw.total_changes
    if connection.alias == replicas.ALIAS:
        return replicas.replayed_throughout(connection)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_snapshot()::text")
        return str(cursor.fetchone()[0])
