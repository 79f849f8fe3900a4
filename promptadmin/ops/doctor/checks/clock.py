"""Whether this machine's clock and the times in the database can both be right."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Max

from promptadmin.db.fields import Moment
from promptadmin.db.legacy_values import parse_moment
from promptadmin.db.sqlite.connections import is_file
from promptadmin.models import ApiToken
from promptadmin.ops.backups import last_proven
from promptadmin.ops.backups.errors import BackupError
from promptadmin.ops.doctor.limits import limited
from promptadmin.ops.doctor.registry import Examination, Finding, Severity, check, counted
from promptadmin.plugins.declarations import enabled_plugins

TOLERANCE = dt.timedelta(minutes=5)
DAY = dt.timedelta(days=1)


@check("D204")
def check_future(examination: Examination) -> Iterator[Finding]:
    """Rows dated in the future.

    Such rows come first in every list of the newest, and are not yet counted by what asks for the last days. Either
    the clock of the program that wrote them was wrong, or this machine's is.
    """
    latest = examination.now + TOLERANCE
    found = False
    with limited(examination):
        for plugin in enabled_plugins():
            for model in plugin.get_models():
                for field in model._meta.local_fields:
                    if not isinstance(field, Moment):
                        continue
                    count = _after(examination.connection, model._meta.db_table, str(field.column), latest)
                    if count:
                        found = True
                        yield Finding(
                            Severity.WARNING,
                            f"{model._meta.db_table}.{field.column}: "
                            + counted(count, "row dated after now, ", "rows dated after now, ")
                            + f"{examination.now:%Y-%m-%d %H:%M} UTC",
                            "If that is the time, correct the rows' writer; if not, set this machine's clock.",
                        )
    if not found:
        yield Finding(Severity.OK, f"none is dated after {examination.now:%Y-%m-%d %H:%M} UTC")


@check("D205")
def check_clock(examination: Examination) -> Iterator[Finding]:
    """The clock.

    The database's file, the last migration, the last use of a token and the last backup were dated by this machine's
    clock (or PostgreSQL's). If one lies ahead of the clock, it was set back since. Tokens then live longer than they
    should, and runs look stale too late.
    """
    ahead = {
        what: moment
        for what, moment in _marks(examination)
        if moment is not None and moment > examination.now + TOLERANCE
    }
    for what, moment in ahead.items():
        yield Finding(
            Severity.WARNING,
            f"the clock says {examination.now:%Y-%m-%d %H:%M} UTC, but {what} is of {moment:%Y-%m-%d %H:%M}",
            "Set the clock, and let it be kept by NTP.",
        )
    if not ahead:
        yield Finding(Severity.OK, f"{examination.now:%Y-%m-%d %H:%M:%S} UTC")


def _after(connection: BaseDatabaseWrapper, table: str, column: str, moment: dt.datetime) -> int:
    table, column = connection.ops.quote_name(table), connection.ops.quote_name(column)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            # The text comparison alone can use an index; julianday reads every form of a time, and none in other texts.
            cursor.execute(
                f"SELECT COUNT(*) FROM {table} WHERE {column} >= %s AND julianday({column}) > julianday(%s)",
                [f"{moment - DAY:%Y-%m-%d}", f"{moment:%Y-%m-%d %H:%M:%S}"],
            )
        else:
            cursor.execute(f"SELECT COUNT(*) FROM {table} WHERE {column} > %s", [moment])
        return int(cursor.fetchone()[0])


def _marks(examination: Examination) -> Iterator[tuple[str, dt.datetime | None]]:
    connection = examination.connection
    if is_file(connection):
        path = Path(str(connection.settings_dict["NAME"]))
        yield "the database's file", dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
    yield "the last migration", _newest(MigrationRecorder.Migration, "applied", connection.alias)
    yield "the last use of a token", _newest(ApiToken, "last_used_at", connection.alias)
    try:
        backup = last_proven()
    except BackupError:
        backup = None
    yield "the last backup", parse_moment(backup.made_at) if backup else None
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            yield "PostgreSQL's clock", cursor.fetchone()[0]


def _newest(model: type[models.Model], field: str, using: str) -> dt.datetime | None:
    newest: dt.datetime | None = model._default_manager.using(using).aggregate(newest=Max(field))["newest"]
    return newest
