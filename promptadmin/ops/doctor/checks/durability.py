"""What an acknowledged write survives here."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings

from promptadmin.db.durability import PROMISES
from promptadmin.db.sqlite.pragmas import read_pragmas
from promptadmin.ops.doctor.registry import Examination, Finding, Needs, Severity, check

SHOW = "SELECT current_setting('synchronous_commit'), current_setting('fsync'), current_setting('full_page_writes')"


@check("D105", needs=Needs.DATABASE)
def check_durability(examination: Examination) -> Iterator[Finding]:
    """What an acknowledged write survives.

    PROMPTADMIN_DURABILITY decides. fast: the program may be killed at any moment and loses nothing; after a power cut
    or a crash of the operating system the last moments may be missing, but the database is whole. strict: those
    survive too, and each commit waits for the disk. On SQLite these are `synchronous` NORMAL and FULL. On PostgreSQL
    the server decides, which waits for its disk unless it is told not to (`synchronous_commit`); strict makes
    promptadmin's commits wait in any case. Neither helps where a disk says that it has written what it hasn't.
    """
    chosen = settings.DURABILITY
    if examination.connection.vendor == "sqlite":
        synchronous = read_pragmas(examination.connection)["synchronous"]
        if synchronous == 0:
            yield Finding(
                Severity.ERROR,
                "synchronous is OFF: a power cut may damage the file",
                "Look for what sets it: promptadmin never does.",
            )
        else:
            yield Finding(Severity.OK, f"{chosen}: {PROMISES[chosen]}")
        return
    with examination.connection.cursor() as cursor:
        cursor.execute(SHOW)
        commit, fsync, full_pages = cursor.fetchone()
    if "off" in (fsync, full_pages):
        yield Finding(
            Severity.ERROR,
            f"the server has fsync={fsync}, full_page_writes={full_pages}: a power cut may damage the database",
            "Set both to on in postgresql.conf.",
        )
    elif commit == "off":
        yield Finding(Severity.OK, f"{chosen}: {PROMISES[chosen]} (synchronous_commit=off)")
    else:
        yield Finding(Severity.OK, f"{chosen}: {PROMISES['strict']} (synchronous_commit={commit})")
