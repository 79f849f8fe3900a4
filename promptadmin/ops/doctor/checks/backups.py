"""Whether what would be needed after a loss is there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.db import connections
from django.utils import timezone

from promptadmin.conf.counted import counted
from promptadmin.db.sqlite.connections import file_of, is_file
from promptadmin.ops.backups.compression import describe
from promptadmin.ops.backups.engines import store_of
from promptadmin.ops.backups.store import PARTIAL, default_directory

OLDEST = dt.timedelta(days=2)
#: By whether there is a schedule.
HOW_TO_MEND = {
    False: "Run `promptadmin backupdb`, best every day, or set PROMPTADMIN_BACKUP_EVERY.",
    True: "`serve` makes them: see that it runs, and what its log says of scheduled backups; or run "
    "`promptadmin backupdb`, which says why it fails.",
}


@checks.register("doctor", deploy=True)
def check_last_backup(
    databases: Sequence[str] | None = None, full: bool = False, **kwargs: Any
) -> Iterator[checks.CheckMessage]:
    """D401: The last proven backup.

    Proven means that `backupdb` opened the copy, checked it and compared it with the database. What was written after
    it would be lost with the disk; a backup on the same disk would be lost too, so copy it elsewhere. One is old after
    two days, or after twice PROMPTADMIN_BACKUP_EVERY where that is set. --full reads the newest one again and compares
    its SHA-256.
    """
    for alias in databases or ():
        last = store_of(connections[alias]).last_proven()
        every = settings.BACKUP_EVERY
        if last is None:
            yield checks.Warning(
                f"there is none in {default_directory()}", hint=HOW_TO_MEND[every is not None], id="D401"
            )
            continue
        age = timezone.now() - last.made_at
        message = (
            f"{last.directory.name}, {age.total_seconds() / 3600:.1f} hours old, {counted(last.manifest.rows, 'row')}"
        )
        if full and describe(last.file, "hash") != last.manifest.file:
            yield checks.Error(
                f"{last.file} isn't as it was written",
                hint="Make another one with `promptadmin backupdb`, and look at the disk.",
                id="D401",
            )
        elif age > (2 * every if every is not None else OLDEST):
            planned = f"; one is planned every {every}" if every is not None else ""
            yield checks.Warning(message + planned, hint=HOW_TO_MEND[every is not None], id="D401")
        else:
            yield checks.Debug(message, id="D401")


@checks.register("doctor", deploy=True)
def check_leftovers(databases: Sequence[str] | None = None, **kwargs: Any) -> Iterator[checks.CheckMessage]:
    """D402: Interrupted backups and restores.

    A process that is killed while it makes a backup leaves a directory whose name ends in .partial. It is of no use;
    the next `backupdb` removes it. One that is killed while it swaps files may leave the old database under a name
    that ends in .partial; the next `restoredb` gives it its name.
    """
    for alias in databases or ():
        connection = connections[alias]
        found = store_of(connection).leftovers()
        if is_file(connection):
            database = file_of(connection)
            found += sorted(database.parent.glob(f"{database.name}.*{PARTIAL}"))
        if found:
            names = ", ".join(path.name for path in found[:3])
            yield checks.Info(
                f"at work, or interrupted: {names}",
                hint="If no backup is being made or restored, run `promptadmin backupdb`, and "
                "`promptadmin restoredb` again.",
                id="D402",
            )
        else:
            yield checks.Debug("there are none", id="D402")
