"""Whether there is a replica to read from, and whether it keeps up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.db import DatabaseError, connections

from promptadmin.db.postgresql.replicas import has_replica, seconds_behind


@checks.register("doctor", checks.Tags.database, deploy=True)
def check_replica(databases: Sequence[str] | None = None, **kwargs: Any) -> Iterator[checks.CheckMessage]:
    """D106: The replica that DATABASE_REPLICA_URL names.

    It must be reachable, replay the log of the server that DATABASE_URL names, and be at most
    PROMPTADMIN_REPLICA_MAX_LAG seconds behind. Otherwise every read goes to the primary: nothing is wrong or
    old, but the primary has all the work. Each server process looks again every few seconds, and needs no restart.
    """
    for alias in databases or ():
        if not has_replica():
            continue
        try:
            behind = seconds_behind(connections[alias], at_most=settings.REPLICA_MAX_LAG)
        except DatabaseError as error:
            yield checks.Warning(
                f"it can't be used: {' '.join(str(error).split())}",
                hint="Reads go to the primary. Start it, or look at DATABASE_REPLICA_URL and at the replica's own log.",
                id="D106",
            )
            continue
        if behind is None:
            yield checks.Warning(
                f"it is more than {settings.REPLICA_MAX_LAG} s behind",
                hint="Reads go to the primary. Look at pg_stat_replication there, and at what runs for long on the "
                "replica.",
                id="D106",
            )
            continue
        yield checks.Debug(f"it had everything after {behind:.1f} s", id="D106")
