"""The start-up sequence: what has to be true of a database before it is served, and the steps that make it so.

Every step is idempotent: it can be interrupted at any moment and run again, and run by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.apps import apps
from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.migration import Migration
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from django.utils.module_loading import import_string
from tqdm import tqdm

from promptadmin.conf.counted import counted
from promptadmin.db.executor import RecordingExecutor
from promptadmin.db.process_locks import startup_lock
from promptadmin.db.sqlite.connections import constraints_checked_once, is_file
from promptadmin.db.sqlite.pragmas import bounded_memory
from promptadmin.ops.startup import adoption, run_log
from promptadmin.ops.startup.run_log import StepRun
from promptadmin.plugins.declarations import PluginConfig, StartupStep, enabled_plugins
from promptadmin.plugins.platform import PLATFORM_STEPS
from promptadmin.plugins.steps import StepContext, StepResult

#: Whether the start-up has found no migration to apply; steps needn't look again.
UP_TO_DATE = "startup.up_to_date"


@dataclass(frozen=True)
class StepReport:
    """One line of the start-up's report; `seconds` is the time the step took."""

    name: str
    title: str
    position: float
    result: StepResult
    seconds: float


@dataclass(frozen=True)
class StartupReport:
    """What a whole start-up did."""

    adoption: adoption.Adoption | None
    steps: list[StepReport]
    seconds: float


def startup_steps() -> list[StartupStep]:
    """The platform's steps and those of every enabled plugin, in order."""
    steps = [*PLATFORM_STEPS, *(step for plugin in enabled_plugins() for step in plugin.startup_steps)]
    return sorted(steps, key=lambda step: step.position)


def run_startup(
    *,
    using: str = DEFAULT_DB_ALIAS,
    repair_orphans: bool = False,
    say: Callable[[str], None] = lambda line: None,
    on_step: Callable[[StepReport], None] = lambda report: None,
) -> StartupReport:
    """Check the database, back it up if Django has never migrated it, and run every step.

    Raises adoption.UnusableDatabaseError, with nothing changed, for a database that can't be adopted.
    """
    began = time.monotonic()
    connection = connections[using]
    with startup_lock(connection, say):
        adopted = adoption.prepare_file(connection, repair_orphans=repair_orphans, say=say)
        reports: list[StepReport] = []
        with bounded_memory(connection):
            migrated = bool(pending_migrations(connection))
            if migrated:
                emit_pre_migrate_signal(verbosity=0, interactive=False, db=using)
            with constraints_checked_once(connection) if migrated else nullcontext():
                context = StepContext(connection, found={UP_TO_DATE: not migrated})
                for step in startup_steps():
                    report = _timed(step, context)
                    if step.quiet and not report.result.changed:
                        continue
                    reports.append(report)
                    on_step(report)
            if migrated:
                emit_post_migrate_signal(verbosity=0, interactive=False, db=using)
            _remember(connection, reports)
    return StartupReport(adopted, reports, time.monotonic() - began)


def run_steps(
    names: Iterable[str], *, dry_run: bool = False, using: str = DEFAULT_DB_ALIAS, **options: Any
) -> list[StepReport]:
    """Run some steps by name. A dry run does all of their work and rolls it back.

    Raises LookupError for an unknown name, adoption.UnusableDatabaseError where migrations are pending.
    """
    known = {step.name: step for step in startup_steps()}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise LookupError(f"No start-up step is called {unknown[0]!r}; there are: {', '.join(known)}.")
    connection = connections[using]
    adopted = adoption.is_adopted(connection) if is_file(connection) else not pending_migrations(connection)
    if not adopted:
        raise adoption.UnusableDatabaseError("This database has pending migrations: run `promptadmin startup` first.")
    context = StepContext(connection, dry_run=dry_run, options=options)
    if not dry_run:
        with bounded_memory(connection):
            reports = [_timed(known[name], context) for name in names]
        _remember(connection, reports)
        return reports
    with transaction.atomic(using=using):
        reports = [_timed(known[name], context) for name in names]
        transaction.set_rollback(True, using=using)
    return reports


def _remember(connection: BaseDatabaseWrapper, reports: Iterable[StepReport]) -> None:
    now = timezone.now()
    run_log.remember(
        connection,
        [
            (
                report.name,
                StepRun(now, report.seconds, report.result.changed, report.result.message, report.result.warnings),
            )
            for report in reports
        ],
        keep=run_log.EARLIER_RUNS,
    )


def pending_migrations(connection: BaseDatabaseWrapper) -> list[Migration]:
    """The migrations that this database lacks, in the order in which they would run."""
    executor = RecordingExecutor(connection)
    return [migration for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]


def make_tables(context: StepContext) -> StepResult:
    """Step 1: Django's own tables, and the first table of each plugin that builds on no other plugin's."""
    plugin_labels = {config.label for config in apps.get_app_configs() if isinstance(config, PluginConfig)}

    def first(pending: list[Migration]) -> list[Migration]:
        return [
            migration
            for migration in pending
            if migration.app_label not in plugin_labels
            or not plugin_labels & {label for label, _ in migration.dependencies}
        ]

    return _migrate(context, first, "tables")


def change_schema(context: StepContext) -> StepResult:
    """Step 2: every migration that needs none of the pending data migrations, whose work is a step of its own."""
    data_migrations = {step.migration for step in startup_steps() if step.migration}

    def free(pending: list[Migration]) -> list[Migration]:
        blocked = data_migrations & {_key(migration) for migration in pending}
        for migration in pending:
            if blocked & set(migration.dependencies):
                blocked.add(_key(migration))
        return [migration for migration in pending if _key(migration) not in blocked]

    return _migrate(context, free, "schema changes")


def _migrate(context: StepContext, chosen: Callable[[list[Migration]], list[Migration]], label: str) -> StepResult:
    """Apply those of the pending migrations that are chosen; they come in the order in which they would run."""
    if context.found.get(UP_TO_DATE):
        return StepResult(0, "nothing to do")
    executor = RecordingExecutor(context.connection)
    pending = [migration for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    plan = [(migration, False) for migration in chosen(pending)]
    if not plan:
        return StepResult(0, "nothing to do")
    with tqdm(total=len(plan), desc=label, delay=1, disable=None, leave=False) as bar:
        executor.progress_callback = partial(_advance, bar)
        executor.migrate([_key(migration) for migration, _ in plan], plan)
    return StepResult(len(plan), f"applied {counted(len(plan), 'migration')}")


def _advance(bar: Any, action: str, migration: Migration | None = None, fake: bool = False) -> None:
    if action == "apply_success":
        bar.update()


def _timed(step: StartupStep, context: StepContext) -> StepReport:
    """Run a step, then record the data migration whose work it did."""
    began = time.monotonic()
    result: StepResult = import_string(step.function)(context)
    if step.migration and not context.dry_run:
        recorder = MigrationRecorder(context.connection)
        if step.migration not in recorder.applied_migrations():
            recorder.record_applied(*step.migration)
    return StepReport(step.name, step.title, step.position, result, time.monotonic() - began)


def _key(migration: Migration) -> tuple[str, str]:
    return migration.app_label, migration.name
