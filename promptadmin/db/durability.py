"""What an acknowledged write survives: `PROMPTADMIN_DURABILITY`, on either engine."""

from __future__ import annotations

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper

CHOICES: tuple[str, ...] = ("fast", "strict")
#: What SQLite's `synchronous` has to be, and what it answers then.
SYNCHRONOUS = {"fast": ("NORMAL", 1), "strict": ("FULL", 2)}
#: Meant for operators, who choose by them.
PROMISES = {
    "fast": "an acknowledged write survives the death of this program; a power cut may lose the last moments, and "
    "never damages the database",
    "strict": "an acknowledged write survives the death of this program, and a power cut too",
}


def pragma() -> str:
    """The value of SQLite's `synchronous` for the chosen durability."""
    return SYNCHRONOUS[settings.DURABILITY][0]


def pragma_read_back() -> int:
    """What SQLite answers when it is asked for it."""
    return SYNCHRONOUS[settings.DURABILITY][1]


def configure_postgresql(connection: BaseDatabaseWrapper) -> None:
    """`strict` makes commits wait for the disk even where the server is set not to; `fast` leaves the server's choice.

    The other values than `off` all wait for this server's disk.
    """
    if settings.DURABILITY != "strict":
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        )


def read_back(connection: BaseDatabaseWrapper) -> dict[str, int | str]:
    """The engine's settings that decide whether a commit waits for the disk, as this connection answers them now."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            return {"synchronous": cursor.execute("PRAGMA synchronous").fetchone()[0]}
        names = ["synchronous_commit", "fsync", "full_page_writes"]
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [names])
        return dict(cursor.fetchall())
