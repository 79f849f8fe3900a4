"""What an acknowledged write survives here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.db import connections

from promptadmin.db.durability import PROMISES, read_back


@checks.register("doctor", checks.Tags.database, deploy=True)
def check_durability(databases: Sequence[str] | None = None, **kwargs: Any) -> Iterator[checks.CheckMessage]:
    """D105: What an acknowledged write survives.

    PROMPTADMIN_DURABILITY decides. fast: the program may be killed at any moment and loses nothing; after a power cut
    or a crash of the operating system the last moments may be missing, but the database is whole. strict: those
    survive too, and each commit waits for the disk. On SQLite these are `synchronous` NORMAL and FULL. On PostgreSQL
    the server decides, which waits for its disk unless it is told not to (`synchronous_commit`); strict makes
    promptadmin's commits wait in any case. Neither helps where a disk says that it has written what it hasn't.
    """
    for alias in databases or ():
        found = read_back(connections[alias])
        chosen = settings.DURABILITY
        if found.get("synchronous") == 0:
            yield checks.Error(
                "synchronous is OFF: a power cut may damage the file",
                hint="Look for what sets it: promptadmin never does.",
                id="D105",
            )
        elif "off" in (found.get("fsync"), found.get("full_page_writes")):
            yield checks.Error(
                f"the server has fsync={found['fsync']}, full_page_writes={found['full_page_writes']}: a power cut may "
                "damage the database",
                hint="Set both to on in postgresql.conf.",
                id="D105",
            )
        elif "synchronous_commit" in found:
            commit = found["synchronous_commit"]
            promise = PROMISES[chosen if commit == "off" else "strict"]
            yield checks.Debug(f"{chosen}: {promise} (synchronous_commit={commit})", id="D105")
        else:
            yield checks.Debug(f"{chosen}: {PROMISES[chosen]}", id="D105")
