"""Tables of other programs under names that promptadmin needs: found before anything is changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import migrations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from promptadmin.db.derived_tables import is_derived
from promptadmin.db.schema import AdoptModel
from promptadmin.ops.startup.adoption.errors import UnusableDatabaseError
from promptadmin.ops.startup.adoption.shape import adopted_models

Key = tuple[str, str]

RECORDED = MigrationRecorder.Migration._meta.db_table
#: Stands for what a table of migrations says that isn't Django's.
UNKNOWN = ("?", "?")
#: The application whose migrations no other program has.
PLATFORM = "promptadmin"
#: What PromptForge's releases make beside the four tables; files of its last one begin with some of them.
PROMPTFORGE_TABLES = ("_schema_version", "project_sources", "workspace_links")
PROMPTFORGE_PREFIXES = ("github_",)
ADVICE = (
    "Give promptadmin a database of its own: a copy in which no other program keeps tables, or one in which that "
    "table has another name."
)


@dataclass(frozen=True)
class Found:
    """What a database declares: tables and views by name with their kind, indexes by name with their table."""

    where: str
    kinds: Mapping[str, str]
    indexes: Mapping[str, str] = field(default_factory=dict)


def check_foreign(found: Found, applied: set[Key]) -> None:
    """Raise UnusableDatabaseError where another program has a table, or an index, that promptadmin is going to make.

    Databases that promptadmin has made or begun to adopt pass: their migrations are on record.
    """
    loader = MigrationLoader(None)
    makers = _makers(loader)
    is_ours = any(app == PLATFORM for app, _ in applied)
    if not is_ours:
        _check_record(found, applied, loader, makers)
    for table, maker in makers.items():
        name = _named(found.kinds, table)
        if name is not None and maker not in applied:
            raise _refused(found, f"a {found.kinds[name]} {name}")
    for model in adopted_models():
        for index in model._meta.indexes:
            taken = _named(found.kinds, index.name)
            if taken is not None:
                raise _refused(found, f"a {found.kinds[taken]} {taken}")
            if found.indexes.get(index.name, model._meta.db_table).lower() != model._meta.db_table:
                raise _refused(found, f"an index {index.name} on {found.indexes[index.name]}")
    for name, kind in found.kinds.items():
        if is_derived(name) and not is_ours:
            raise _refused(found, f"a {kind} {name}")


def check_kind(found: Found) -> None:
    """Raise UnusableDatabaseError for a file with tables of which none is PromptForge's."""
    ours = {model._meta.db_table for model in adopted_models()} | {RECORDED, *PROMPTFORGE_TABLES}
    tables = [name for name, kind in found.kinds.items() if kind == "table"]
    if tables and not any(name.lower() in ours or name.lower().startswith(PROMPTFORGE_PREFIXES) for name in tables):
        raise UnusableDatabaseError(
            f"{found.where} has none of PromptForge's tables, but others, such as {min(tables)}: "
            "name PromptForge's file, or one that isn't there yet, to begin with an empty database."
        )


def _check_record(found: Found, applied: set[Key], loader: MigrationLoader, makers: Mapping[str, Key]) -> None:
    """Raise UnusableDatabaseError unless the migrations on record are the first ones of an adoption that was killed."""
    if found.kinds.get(RECORDED, "table") != "table":
        raise _refused(found, f"a {found.kinds[RECORDED]} {RECORDED}")
    begun = _plan(loader)[: len(applied)]
    unknown = applied - set(begun)
    missing = sorted(table for table, maker in makers.items() if maker in applied and table not in found.kinds)
    if unknown or missing:
        app, name = min(unknown or applied)
        raise _refused(found, f"a table {RECORDED} of another Django program, which names {app}.{name}")


def _plan(loader: MigrationLoader) -> list[Key]:
    """All migrations, in the order in which an empty database gets them."""
    plan: dict[Key, None] = {}
    for leaf in loader.graph.leaf_nodes():
        plan |= dict.fromkeys(loader.graph.forwards_plan(leaf))
    return list(plan)


def _makers(loader: MigrationLoader) -> dict[str, Key]:
    """The tables that migrations make without looking whether they are there, and the migration that makes each."""
    found: dict[Key, Key] = {}
    for (label, name), migration in loader.disk_migrations.items():
        for operation in _operations(migration.operations):
            if isinstance(operation, migrations.CreateModel) and not isinstance(operation, AdoptModel):
                found[label, operation.name_lower] = (label, name)
    makers: dict[str, Key] = {}
    for model in apps.get_models(include_auto_created=True):
        made_for: Any = model._meta.auto_created  # the model that has the relation, of a table between two
        owner = (made_for or model)._meta
        key = (owner.app_label, str(owner.model_name))
        if key in found and model._meta.managed and not model._meta.proxy:
            makers[model._meta.db_table] = found[key]
    return makers


def _operations(operations: Iterable[object]) -> Iterable[object]:
    for operation in operations:
        if isinstance(operation, migrations.SeparateDatabaseAndState):
            yield from _operations(operation.database_operations)
        else:
            yield operation


def _named(kinds: Mapping[str, str], wanted: str) -> str | None:
    """The name as the database has it: SQLite takes capitals for the same letters."""
    if wanted in kinds:
        return wanted
    return next((name for name in kinds if name.lower() == wanted), None)


def _refused(found: Found, what: str) -> UnusableDatabaseError:
    return UnusableDatabaseError(f"{found.where} has {what}, which promptadmin didn't make. {ADVICE}")
