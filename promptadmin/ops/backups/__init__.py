"""Backups that are proven: made while others write, opened, checked and compared before they count.

`docs/operations.md` tells operators how to use them.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from promptadmin.ops.backups.manifest import Manifest


def last_proven(directory: Path | None = None) -> Manifest | None:
    """The manifest of the newest proven backup of the default database, or None; one dated in the future is left out.

    `directory` is where to look (default: the data directory's `backups`). Reads one small file; checks that the
    backup's file is there with its size, not what is in it. Doesn't ask the database.
    """
    from django.db import DEFAULT_DB_ALIAS, connections

    from promptadmin.ops.backups.sources import source_of
    from promptadmin.ops.backups.store import Store, default_directory

    store = Store(directory or default_directory(), source_of(connections[DEFAULT_DB_ALIAS]).name)
    now = dt.datetime.now(dt.UTC)
    newest = next((backup for backup in store.backups() if not backup.is_of_the_future(now)), None)
    return newest.manifest if newest else None
