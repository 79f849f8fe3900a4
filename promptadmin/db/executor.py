"""Applying migrations so that a process may be killed at any moment of it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.migrations.exceptions import BadMigrationError, CircularDependencyError, NodeNotFoundError
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.migration import Migration

#: What Django raises for migrations that don't belong together, or can't be read as such.
GRAPH_ERRORS = (NodeNotFoundError, CircularDependencyError, BadMigrationError)
ADVICE = "Repair or reinstall the plugin, or take it out of PROMPTADMIN_PLUGINS."


def explain_broken_graph(error: Exception) -> str:
    """One line on migrations that don't belong together; it names the application that has them."""
    origin = getattr(getattr(error, "origin", None), "app_label", "")
    return f"The migrations{f' of {origin!r}' if origin else ''} can't be used: {error}. {ADVICE}"


class RecordingExecutor(MigrationExecutor):
    """Records each migration in the transaction that applies it.

    Django does so only for those that leave no statement for the end, such as an index or a foreign key; killed in
    between, it would find the others' tables next time, and fail for good.
    """

    def __init__(self, connection: Any) -> None:
        """Raises ImproperlyConfigured where an application's migrations don't belong together."""
        try:
            super().__init__(connection)
        except GRAPH_ERRORS as error:
            raise ImproperlyConfigured(explain_broken_graph(error)) from error
        for label, names in self.loader.detect_conflicts().items():
            raise ImproperlyConfigured(
                f"The migrations of {label!r} have several ends, {', '.join(sorted(names))}. {ADVICE}"
            )

    def apply_migration(self, state: Any, migration: Migration, fake: bool = False, fake_initial: bool = False) -> Any:
        """Apply one, and record it. Raises ValueError where it should be faked: adopting migrations look instead."""
        if fake or fake_initial:
            raise ValueError("Migrations aren't faked here.")
        if self.progress_callback:
            self.progress_callback("apply_start", migration, fake)
        with self.connection.schema_editor(atomic=migration.atomic) as editor:
            state = migration.apply(state, editor)
            for statement in editor.deferred_sql:
                editor.execute(statement)
            editor.deferred_sql.clear()
            self.record_migration(migration)  # type: ignore[arg-type,call-arg]  # the stubs have an older signature
        if self.progress_callback:
            self.progress_callback("apply_success", migration, fake)
        return state
