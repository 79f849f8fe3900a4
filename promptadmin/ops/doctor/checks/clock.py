"""Whether this machine's clock and the times in the database can both be right."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from django.core import checks
from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Max
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import ngettext

from promptadmin.db.fields import Moment
from promptadmin.db.sqlite.connections import file_of, is_file
from promptadmin.models import ApiToken
from promptadmin.ops.backups.engines import store_of
from promptadmin.ops.backups.errors import BackupError
from promptadmin.plugins.declarations import enabled_plugins

TOLERANCE = dt.timedelta(minutes=5)
DAY = dt.timedelta(days=1)


@checks.register("doctor", checks.Tags.database, deploy=True)
def check_future(databases: Sequence[str] | None = None, **kwargs: Any) -> Iterator[checks.CheckMessage]:
    """D204: Rows dated in the future.

    Such rows come first in every list of the newest, and are not yet counted by what asks for the last days. Either
    the clock of the program that wrote them was wrong, or this machine's is.
    """
    for alias in databases or ():
        now = timezone.now()
        found = False
        for plugin in enabled_plugins():
            for model in plugin.get_models():
                for field in model._meta.local_fields:
                    count = _after(now + TOLERANCE, model, field, alias) if isinstance(field, Moment) else 0
                    if count:
                        found = True
                        rows = ngettext("%d row dated after now", "%d rows dated after now", count) % count
                        yield checks.Warning(
                            f"{model._meta.db_table}.{field.column}: {rows}, {now:%Y-%m-%d %H:%M} UTC",
                            hint="If that is the time, correct the rows' writer; if not, set this machine's clock.",
                            id="D204",
                        )
        if not found:
            yield checks.Debug(f"none is dated after {now:%Y-%m-%d %H:%M} UTC", id="D204")


def _after(moment: dt.datetime, model: type[models.Model], field: Moment, using: str) -> int:
    """How many rows are dated after a moment. In a file texts sort after it that are of the same day, or no time."""
    later = model._base_manager.using(using).filter(**{f"{field.name}__gt": moment - DAY})
    found = later.values_list(field.name, flat=True).iterator()
    return sum(isinstance(value, dt.datetime) and value > moment for value in found)


@checks.register("doctor", checks.Tags.database, deploy=True)
def check_clock(databases: Sequence[str] | None = None, **kwargs: Any) -> Iterator[checks.CheckMessage]:
    """D205: The clock.

    The database's file, the last migration, the last use of a token and the last backup were dated by this machine's
    clock (or PostgreSQL's). If one lies ahead of the clock, it was set back since. Tokens then live longer than they
    should, and runs look stale too late.
    """
    for alias in databases or ():
        now = timezone.now()
        ahead = {what: moment for what, moment in _marks(connections[alias]) if moment and moment > now + TOLERANCE}
        for what, moment in ahead.items():
            yield checks.Warning(
                f"the clock says {now:%Y-%m-%d %H:%M} UTC, but {what} is of {moment:%Y-%m-%d %H:%M}",
                hint="Set the clock, and let it be kept by NTP.",
                id="D205",
            )
        if not ahead:
            yield checks.Debug(f"{now:%Y-%m-%d %H:%M:%S} UTC", id="D205")


def _marks(connection: BaseDatabaseWrapper) -> Iterator[tuple[str, dt.datetime | None]]:
    if is_file(connection):
        yield "the database's file", dt.datetime.fromtimestamp(file_of(connection).stat().st_mtime, dt.UTC)
    migrations = MigrationRecorder.Migration.objects.using(connection.alias)
    marks = migrations.aggregate(last=Max("applied"), clock=Max(Now()))
    yield "the last migration", marks["last"]
    yield "the database's clock", marks["clock"]
    tokens = ApiToken.objects.using(connection.alias)
    yield "the last use of a token", tokens.aggregate(last=Max("last_used_at"))["last"]
    with contextlib.suppress(BackupError):
        yield "the last backup", max((backup.made_at for backup in store_of(connection).backups()), default=None)
