"""A start that is killed while it applies a migration: the next one goes on, whatever the migration had left to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from promptadmin.ops.startup.sequence import pending_migrations, run_startup
from tests.conftest import OpenDatabase
from tests.support.django_databases import postgresql_config, sqlite_config
from tests.support.services import needs_postgresql, postgresql_database

#: They make tables with indexes or foreign keys, which Django makes last.
MOMENTS = (("auth", "0001_initial"), ("admin", "0001_initial"), ("promptadmin", "0005_kept_answers"))


class Killed(BaseException):
    """Stands for the end of the process."""


def is_killed_and_goes_on(using: str) -> None:
    left = list(MOMENTS)
    record: Any = MigrationExecutor.record_migration

    def killed(executor: MigrationExecutor, migration: Any) -> None:
        if (migration.app_label, migration.name) in left:
            left.remove((migration.app_label, migration.name))
            raise Killed
        record(executor, migration)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MigrationExecutor, "record_migration", killed)
        while left:
            with pytest.raises(Killed):
                run_startup(using=using)
    run_startup(using=using)
    assert pending_migrations(connections[using]) == []


def test_on_sqlite(tmp_path: Path, open_database: OpenDatabase) -> None:
    with open_database(sqlite_config(tmp_path / "new.db")) as connection:
        is_killed_and_goes_on(connection.alias)


@needs_postgresql
def test_on_postgresql(open_database: OpenDatabase) -> None:
    with postgresql_database() as url, open_database(postgresql_config(url)) as connection:
        is_killed_and_goes_on(connection.alias)
