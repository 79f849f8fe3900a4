"""Applying migrations so that a process may be killed at any moment of it."""

from __future__ import annotations

from typing import Any

from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.migration import Migration


class RecordingExecutor(MigrationExecutor):
    """Records each migration in the transaction that applies it.

    Django does so only for those that leave no statement for the end, such as an index or a foreign key; killed in
    between, it would find the others' tables next time, and fail for good.
    """

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
