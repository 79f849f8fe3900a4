"""Whether there is a database, and one of this release."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.migrations.loader import MigrationLoader

from promptadmin.ops.doctor.examining import problem_of_opening
from promptadmin.ops.doctor.registry import Examination, Finding, Needs, Severity, check, counted
from promptadmin.ops.startup.sequence import pending_migrations
from promptadmin.plugins.checks import check_declarations, check_imports
from promptadmin.plugins.declarations import enabled_plugins, installed_plugins
from promptadmin.plugins.isolation import failures


@check("D001", needs=Needs.NOTHING)
def check_opening(examination: Examination) -> Iterator[Finding]:
    """The database.

    A SQLite file must be there, be whole, and be in WAL mode, to which the first start switches it; after
    `restoredb` it is the next start that does. A PostgreSQL server must answer. Until then only the checks of files
    and backups are made.
    """
    connection = examination.connection
    name = connection.settings_dict["NAME"]
    problem = problem_of_opening(connection)
    if problem:
        yield Finding(
            Severity.ERROR,
            f"{name}: {problem}",
            "Look at DATABASE_URL; run `manage.py startup` for a new or restored database; `manage.py restoredb` puts "
            "a backup in the place of a damaged one.",
        )
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT sqlite_version()" if connection.vendor == "sqlite" else "SHOW server_version")
        version = cursor.fetchone()[0]
    yield Finding(Severity.OK, f"{name}, {connection.display_name} {version}")


@check("D201", needs=Needs.DATABASE)
def check_migrations(examination: Examination) -> Iterator[Finding]:
    """The migrations.

    Pending ones are applied by `manage.py startup`, which `serve` runs too. Applied ones that this release doesn't
    know come from a newer release: an older one may not understand its rows.
    """
    pending = pending_migrations(examination.connection)
    if pending:
        names = ", ".join(f"{migration.app_label}.{migration.name}" for migration in pending[:3])
        yield Finding(
            Severity.ERROR,
            f"{counted(len(pending), 'pending migration')}: {names}{', …' if len(pending) > 3 else ''}",
            "Run `manage.py backupdb`, then `manage.py startup`.",
        )
    loader = MigrationLoader(examination.connection)
    unknown = sorted(
        f"{app}.{name}"
        for app, name in set(loader.applied_migrations) - set(loader.disk_migrations)
        if app in loader.migrated_apps and not any((app, name) in m.replaces for m in loader.disk_migrations.values())
    )
    if unknown:
        yield Finding(
            Severity.WARNING,
            f"applied, but unknown to this release: {', '.join(unknown[:3])}",
            "Go back to the newer release, or restore a backup made before it.",
        )
    if not pending and not unknown:
        yield Finding(Severity.OK, f"all {len(loader.applied_migrations)} are applied")


@check("D302", needs=Needs.NOTHING)
def check_plugins(examination: Examination) -> Iterator[Finding]:
    """The plugins.

    Which are switched on by PROMPTADMIN_PLUGINS, and which are installed but off. Tables of a plugin that is off stay
    in the database and in its backups. What a plugin declares must be importable. What else fails in one is logged, and
    leaves the rest alone; a page of the server also tells how often that has happened in its process.
    """
    for problem in (*check_declarations(), *check_imports()):
        yield Finding(
            Severity.ERROR,
            f"{problem.id}: {problem.msg}",
            "Repair or reinstall the plugin, or take it out of PROMPTADMIN_PLUGINS.",
        )
    for (plugin, what), count in sorted(failures.items()):
        yield Finding(
            Severity.WARNING,
            f"{plugin}: {what} failed {counted(count, 'time')} since this process started",
            "See the log, which has the error; repair the plugin, or take it out of PROMPTADMIN_PLUGINS.",
        )
    enabled = {plugin.__class__.__module__.rpartition(".")[0]: plugin for plugin in enabled_plugins()}
    installed = {name: point.module.rpartition(".")[0] for name, point in installed_plugins().items()}
    off = sorted(name for name, package in installed.items() if package not in enabled)
    on = sorted(name for name, package in installed.items() if package in enabled)
    yield Finding(Severity.OK, f"on: {', '.join(on) or 'none'}; off: {', '.join(off) or 'none'}")
