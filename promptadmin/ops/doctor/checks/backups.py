"""Whether what would be needed after a loss is there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from promptadmin.db.sqlite.connections import is_file
from promptadmin.ops.backups.compression import describe
from promptadmin.ops.backups.schedule import newest
from promptadmin.ops.backups.sources import source_of
from promptadmin.ops.backups.store import PARTIAL, Store, default_directory
from promptadmin.ops.doctor.registry import Examination, Finding, Needs, Severity, check

OLDEST = dt.timedelta(days=2)
#: By whether there is a schedule.
HOW_TO_MEND = {
    False: "Run `manage.py backupdb`, best every day, or set PROMPTADMIN_BACKUP_EVERY.",
    True: "`serve` makes them: see that it runs, and what its log says of scheduled backups; or run "
    "`manage.py backupdb`, which says why it fails.",
}


@check("D401", needs=Needs.NOTHING)
def check_last_backup(examination: Examination) -> Iterator[Finding]:
    """The last proven backup.

    Proven means that `backupdb` opened the copy, checked it and compared it with the database. What was written after
    it would be lost with the disk; a backup on the same disk would be lost too, so copy it elsewhere. One is old after
    two days, or after twice PROMPTADMIN_BACKUP_EVERY where that is set. --full reads the newest one again and compares
    its SHA-256.
    """
    last = newest(examination.connection.alias, examination.now)
    every = settings.BACKUP_EVERY
    if last is None:
        yield Finding(Severity.WARNING, f"there is none in {default_directory()}", HOW_TO_MEND[every is not None])
        return
    backup, made_at = last
    age = examination.now - made_at
    message = f"{backup.directory.name}, {age.total_seconds() / 3600:.1f} hours old, {backup.manifest.rows} rows"
    if examination.full and describe(backup.file, "hash") != backup.manifest.file:
        yield Finding(
            Severity.ERROR,
            f"{backup.file} isn't as it was written",
            "Make another one with `manage.py backupdb`, and look at the disk.",
        )
    elif age > (2 * every if every is not None else OLDEST):
        planned = f"; one is planned every {every}" if every is not None else ""
        yield Finding(Severity.WARNING, message + planned, HOW_TO_MEND[every is not None])
    else:
        yield Finding(Severity.OK, message)


@check("D402", needs=Needs.NOTHING)
def check_leftovers(examination: Examination) -> Iterator[Finding]:
    """Interrupted backups and restores.

    A process that is killed while it makes a backup leaves a directory whose name ends in .partial. It is of no use;
    the next `backupdb` removes it. One that is killed while it swaps files may leave the old database under a name
    that ends in .partial; the next `restoredb` gives it its name.
    """
    found = Store(default_directory(), source_of(examination.connection).name).leftovers()
    if is_file(examination.connection):
        database = Path(str(examination.connection.settings_dict["NAME"]))
        found += sorted(database.parent.glob(f"{database.name}.*{PARTIAL}"))
    if found:
        names = ", ".join(path.name for path in found[:3])
        yield Finding(
            Severity.NOTE,
            f"at work, or interrupted: {names}",
            "If no backup is being made or restored, run `manage.py backupdb`, and `manage.py restoredb` again.",
        )
    else:
        yield Finding(Severity.OK, "there are none")
