"""Whether there is a replica to read from, and whether it keeps up."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.db import DatabaseError

from promptadmin.db.postgresql.replicas import has_replica, seconds_behind
from promptadmin.ops.doctor.registry import Examination, Finding, Needs, Severity, check


@check("D106", needs=Needs.DATABASE, engines=("postgresql",))
def check_replica(examination: Examination) -> Iterator[Finding]:
    """The replica that DATABASE_REPLICA_URL names.

    It must be reachable, replay the log of the server that DATABASE_URL names, and be at most
    PROMPTADMIN_REPLICA_MAX_LAG seconds behind. Otherwise every read goes to the primary: nothing is wrong or
    old, but the primary has all the work. Each server process looks again every few seconds, and needs no restart.
    """
    if not has_replica():
        yield Finding(Severity.OK, "none is set up")
        return
    try:
        behind = seconds_behind(examination.connection, at_most=settings.REPLICA_MAX_LAG)
    except DatabaseError as error:
        yield Finding(
            Severity.WARNING,
            f"it can't be used: {' '.join(str(error).split())}",
            "Reads go to the primary. Start it, or look at DATABASE_REPLICA_URL and at the replica's own log.",
        )
        return
    if behind is None:
        yield Finding(
            Severity.WARNING,
            f"it is more than {settings.REPLICA_MAX_LAG} s behind",
            "Reads go to the primary. Look at pg_stat_replication there, and at what runs for long on the replica.",
        )
        return
    yield Finding(Severity.OK, f"it had everything after {behind:.1f} s")
