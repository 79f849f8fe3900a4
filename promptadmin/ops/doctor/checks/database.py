"""Whether there is a database, and one of this release."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.core import checks
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.utils.translation import ngettext

from promptadmin.ops.doctor.examining import problem_of_opening
from promptadmin.ops.startup.sequence import pending_migrations
from promptadmin.plugins.checks import check_declarations, check_imports
from promptadmin.plugins.declarations import enabled_plugins, installed_plugins
from promptadmin.plugins.isolation import failures


@checks.register("doctor", deploy=True)
def check_opening(databases: Sequence[str] | None = None, **kwargs: Any) -> Iterator[checks.CheckMessage]:
    """D001: The database.

    A SQLite file must be there, be whole, and be in WAL mode, to which the first start switches it; after
    `restoredb` it is the next start that does. A PostgreSQL server must answer. Until then only the checks of files
    and backups are made.
    """
    for alias in databases or ():
        connection = connections[alias]
        name = connection.settings_dict["NAME"]
        problem = problem_of_opening(connection)
        if problem:
            yield checks.Error(
                f"{name}: {problem}",
                hint="Look at DATABASE_URL; run `promptadmin startup` for a new or restored database; "
                "`promptadmin restoredb` puts a backup in the place of a damaged one.",
                id="D001",
            )
            continue
        version = ".".join(map(str, connection.get_database_version()))
        yield checks.Debug(f"{name}, {connection.display_name} {version}", id="D001")


@checks.register("doctor", checks.Tags.database, deploy=True)
def check_migrations(databases: Sequence[str] | None = None, **kwargs: Any) -> Iterator[checks.CheckMessage]:
    """D201: The migrations.

    Pending ones are applied by `promptadmin startup`, which `serve` runs too. Applied ones that this release doesn't
    know come from a newer release: an older one may not understand its rows.
    """
    for alias in databases or ():
        connection = connections[alias]
        pending = pending_migrations(connection)
        if pending:
            names = ", ".join(f"{migration.app_label}.{migration.name}" for migration in pending[:3])
            count = ngettext("%d pending migration", "%d pending migrations", len(pending)) % len(pending)
            yield checks.Error(
                f"{count}: {names}{', …' if len(pending) > 3 else ''}",
                hint="Run `promptadmin backupdb`, then `promptadmin startup`.",
                id="D201",
            )
        loader = MigrationLoader(connection)
        unknown = sorted(
            f"{app}.{name}"
            for app, name in set(loader.applied_migrations) - set(loader.disk_migrations)
            if app in loader.migrated_apps
            and not any((app, name) in m.replaces for m in loader.disk_migrations.values())
        )
        if unknown:
            yield checks.Warning(
                f"applied, but unknown to this release: {', '.join(unknown[:3])}",
                hint="Go back to the newer release, or restore a backup made before it.",
                id="D201",
            )
        if not pending and not unknown:
            yield checks.Debug(f"all {len(loader.applied_migrations)} are applied", id="D201")


@checks.register("doctor", deploy=True)
def check_plugins(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    """D302: The plugins.

    Which are switched on by PROMPTADMIN_PLUGINS, and which are installed but off. Tables of a plugin that is off stay
    in the database and in its backups. What a plugin declares must be importable. What else fails in one is logged, and
    leaves the rest alone; a page of the server also tells how often that has happened in its process.
    """
    for problem in (*check_declarations(), *check_imports()):
        yield checks.Error(
            f"{problem.id}: {problem.msg}",
            hint="Repair or reinstall the plugin, or take it out of PROMPTADMIN_PLUGINS.",
            id="D302",
        )
    for (plugin, what), count in sorted(failures.items()):
        times = ngettext("%d time", "%d times", count) % count
        yield checks.Warning(
            f"{plugin}: {what} failed {times} since this process started",
            hint="See the log, which has the error; repair the plugin, or take it out of PROMPTADMIN_PLUGINS.",
            id="D302",
        )
    enabled = {plugin.__class__.__module__.rpartition(".")[0]: plugin for plugin in enabled_plugins()}
    installed = {name: point.module.rpartition(".")[0] for name, point in installed_plugins().items()}
    off = sorted(name for name, package in installed.items() if package not in enabled)
    on = sorted(name for name, package in installed.items() if package in enabled)
    yield checks.Debug(f"on: {', '.join(on) or 'none'}; off: {', '.join(off) or 'none'}", id="D302")
