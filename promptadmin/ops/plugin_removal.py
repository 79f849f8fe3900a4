"""What a plugin leaves in the database once it is switched off, and taking that out.

Its tables are those that its migrations make, where its package is installed, and those that are called after it, as in
`notes_note`. One transaction drops them and forgets the migrations: whoever is interrupted has changed nothing.
"""

from __future__ import annotations

import logging
import pkgutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder

from promptadmin.db.raw import fetch_all
from promptadmin.db.sessions import read_session, write_session
from promptadmin.errors import Conflict, NotFound
from promptadmin.ops.progress import bar
from promptadmin.plugins.declarations import PluginConfig, installed_plugins

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Leftovers:
    """What is left of a plugin: tables with their numbers of rows, in the order to drop them, and migrations' names."""

    label: str
    tables: dict[str, int]
    migrations: list[str]


def plan_removal(name: str, using: str) -> Leftovers:
    """What there is to take out of the plugin of this name.

    Raises Conflict where it is switched on, keeps its tables, or others refer to them; NotFound where nothing is left.
    """
    with read_session(using) as connection:
        label = _label(name)
        found = leftovers(connection).get(label)
        if found is None:
            known = ", ".join(sorted(leftovers(connection))) or "none"
            raise NotFound(f"Nothing is left of a plugin {name!r}. Of these something is: {known}.")
        for table, targets in _references(connection).items():
            needed = sorted(targets & found.tables.keys())
            if needed and table not in found.tables:
                raise Conflict(f"The table {table} refers to {needed[0]}: remove its plugin first, or that table.")
        return found


def remove(found: Leftovers, using: str) -> None:
    """Drop the tables and forget the migrations, all or nothing."""
    with write_session(using) as connection, bar("dropping tables", total=len(found.tables), unit="tables") as progress:
        with connection.cursor() as cursor:
            for table in found.tables:
                sql = str(connection.SchemaEditorClass.sql_delete_table)
                cursor.execute(sql % {"table": connection.ops.quote_name(table)})
                progress.update()
        MigrationRecorder(connection).migration_qs.filter(app=found.label).delete()


def leftovers(connection: BaseDatabaseWrapper) -> dict[str, Leftovers]:
    """What is left of each plugin that is switched off, by its label."""
    recorder = MigrationRecorder(connection)
    if not recorder.has_table():
        return {}
    applied: dict[str, list[str]] = {}
    for app, name in recorder.migration_qs.order_by("pk").values_list("app", "name"):
        applied.setdefault(app, []).append(name)
    ours = {config.label for config in apps.get_app_configs()}
    plugins = {_label_of(found): found for _, found in _switched_off()}
    ours |= {label for label, found in plugins.items() if found.tables_stay}
    labels = {*applied, *plugins} - ours
    if not labels:
        return {}
    owned = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    free = [table for table in connection.introspection.table_names() if table not in owned]
    references = _references(connection)
    found = {}
    for label in sorted(labels):
        made = _tables_of_migrations(plugins[label]) if label in plugins else set()
        tables = [table for table in free if table in made or _owner(table, {*labels, *ours}) == label]
        if tables or label in applied:
            counts = {table: _rows(connection, table) for table in _children_first(tables, references)}
            found[label] = Leftovers(label, counts, applied.get(label, []))
    return found


def _label(name: str) -> str:
    """The label of a plugin that may be removed. Raises Conflict where it may not."""
    if name in settings.ENABLED_PLUGINS:
        raise Conflict(f"The plugin {name!r} is switched on: take it out of PROMPTADMIN_PLUGINS first.")
    config = next((found for entry, found in _switched_off() if name in (entry, _label_of(found))), None)
    label = name if config is None else _label_of(config)
    if config is not None and config.tables_stay:
        raise Conflict(f"The plugin {name!r} keeps its tables: nothing else has what is in them.")
    if label in {found.label for found in apps.get_app_configs()}:
        raise Conflict(f"{label!r} is a part of what is switched on: it can't be removed.")
    return label


def _switched_off() -> Iterator[tuple[str, type[PluginConfig]]]:
    """The installed plugins that aren't on, by name, as far as their packages can be imported."""
    for name in installed_plugins():
        config = None if name in settings.ENABLED_PLUGINS else _loaded(name)
        if config is not None:
            yield name, config


def _loaded(name: str) -> type[PluginConfig] | None:
    try:
        found = installed_plugins()[name].load()
    except Exception:
        logger.warning("The plugin %s can't be imported: its tables are known by their names alone", name)
        return None
    return found if isinstance(found, type) and issubclass(found, PluginConfig) else None


def _label_of(config: type[PluginConfig]) -> str:
    return str(getattr(config, "label", None) or config.name.rpartition(".")[2])


def _tables_of_migrations(config: type[PluginConfig]) -> set[str]:
    """The tables that a plugin's migrations make, by the names that they have in the end."""
    tables: set[str] = set()
    label = _label_of(config)
    if find_spec(f"{config.name}.migrations") is None:
        return tables
    try:
        package = import_module(f"{config.name}.migrations")
        names = [module.name for module in pkgutil.iter_modules(package.__path__)]
        modules = [import_module(f"{package.__name__}.{name}") for name in sorted(names)]
    except Exception:
        logger.warning("The migrations of %s can't be imported: its tables are known by their names alone", label)
        return set()
    for module in modules:
        for operation in _flat(getattr(getattr(module, "Migration", None), "operations", ())):
            if isinstance(operation, migrations.CreateModel):
                tables.add(operation.options.get("db_table") or f"{label}_{operation.name_lower}")
                tables |= {
                    f"{label}_{operation.name_lower}_{name}"
                    for name, field in operation.fields
                    if isinstance(field, models.ManyToManyField)
                }
            elif isinstance(operation, migrations.AlterModelTable) and operation.table:
                tables.add(operation.table)
    return tables


def _flat(operations: Iterable[migrations.operations.base.Operation]) -> Iterator[object]:
    for operation in operations:
        if isinstance(operation, migrations.SeparateDatabaseAndState):
            yield from _flat(operation.database_operations)
        else:
            yield operation


def _owner(table: str, labels: Iterable[str]) -> str:
    """The longest label that a table's name begins with: `notes_extra_page` is no table of `notes`."""
    return max((label for label in labels if table.startswith(f"{label}_")), key=len, default="")


def _rows(connection: BaseDatabaseWrapper, table: str) -> int:
    return int(fetch_all(connection, f"SELECT COUNT(*) FROM {connection.ops.quote_name(table)}", [])[0][0])


def _references(connection: BaseDatabaseWrapper) -> dict[str, set[str]]:
    """Each table → the tables that it has foreign keys to."""
    with connection.cursor() as cursor:
        return {
            table: {target for _, target, *_ in connection.introspection.get_relations(cursor, table).values()}
            for table in connection.introspection.table_names(cursor)
        }


def _children_first(tables: list[str], references: dict[str, set[str]]) -> list[str]:
    graph = {table: (references[table] & {*tables}) - {table} for table in tables}
    try:
        return [*TopologicalSorter(graph).static_order()][::-1]
    except CycleError:  # the database looks at such keys when the transaction ends
        return tables
