"""`promptadmin plugins`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS

from promptadmin.conf.counted import counted
from promptadmin.errors import DomainError
from promptadmin.ops.plugin_removal import Leftovers, plan_removal, remove
from promptadmin.plugins.declarations import PluginConfig, enabled_plugins, installed_plugins, plugins_by_name

#: Attribute → what the page calls it; those that name what a plugin contributes.
CONTRIBUTIONS = {
    "api_router": "API",
    "root_apis": "APIs of other products",
    "asgi_application": "ASGI application",
    "background_commands": "background commands",
    "startup_steps": "start-up steps",
    "upkeep_jobs": "upkeep jobs",
    "health_fields": "health",
    "gauges": "metrics",
    "dashboard_panels": "dashboard panels",
    "dashboard_filters": "dashboard filters",
    "finders": "finders",
    "page_urls": "pages",
    "settings": "settings",
    "events": "events",
    "event_receivers": "event receivers",
    "event_recorders": "event recorders",
}


class Command(BaseCommand):
    help = "Lists the installed plugins, which are switched on, and what those contribute; or removes one's tables."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print one JSON document instead of lines.")
        parser.add_argument(
            "--remove", metavar="NAME", help="Drop the tables of this plugin, which is off, and forget its migrations."
        )
        parser.add_argument("--plan", action="store_true", help="With --remove: say what would go, and do nothing.")
        parser.add_argument("--yes", action="store_true", help="With --remove: don't ask.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["remove"]:
            self._remove(options["remove"], only_plan=options["plan"], is_sure=options["yes"])
            return
        if options["plan"] or options["yes"]:
            raise CommandError("--plan and --yes go with --remove.")
        found = describe_plugins()
        if options["json"]:
            self.stdout.write(json.dumps(found, indent=2))
            return
        for plugin in found:
            state = "on" if plugin["enabled"] else "off"
            self.stdout.write(f"{plugin['name']} {plugin['version']} ({plugin['package']}): {state}")
            for what, names in plugin["contributes"].items():
                self.stdout.write(f"    {what}: {', '.join(names)}")
        if not found:
            self.stdout.write("No plugin is installed: run `make install`.")

    def _remove(self, name: str, *, only_plan: bool, is_sure: bool) -> None:
        try:
            found = plan_removal(name, DEFAULT_DB_ALIAS)
        except DomainError as refused:
            raise CommandError(str(refused)) from refused
        self._tell(found)
        if only_plan:
            return
        if not is_sure and self._typed(name) != name:
            raise CommandError("Nothing was removed.")
        remove(found, DEFAULT_DB_ALIAS)
        self.stdout.write(
            f"Removed {name}: {counted(len(found.tables), 'table')}, {counted(len(found.migrations), 'migration')}."
        )
        self.stdout.write("Permissions on them stay in roles until `promptadmin remove_stale_contenttypes`.")

    def _tell(self, found: Leftovers) -> None:
        for table, rows in found.tables.items():
            self.stdout.write(f"table {table}: {counted(rows, 'row')}")
        for migration in found.migrations:
            self.stdout.write(f"migration {found.label}.{migration}")
        self.stdout.write("All of this goes for good. `promptadmin backupdb` keeps a copy of the database.")

    def _typed(self, name: str) -> str:
        try:
            return input(f"Type {name} to remove it: ").strip()
        except EOFError:
            raise CommandError("Nobody is there to confirm: nothing was removed. Say it with --yes.") from None


def describe_plugins() -> list[dict[str, Any]]:
    """Every installed plugin: its name, package, version, whether it is enabled, and what it then contributes."""
    installed = installed_plugins()
    names = [*settings.ENABLED_PLUGINS, *sorted(set(installed) - set(settings.ENABLED_PLUGINS))]
    enabled = plugins_by_name(settings.ENABLED_PLUGINS)
    return [
        {
            "name": name,
            "package": dist.name if (dist := installed[name].dist) else "",
            "version": dist.version if dist else "",
            "enabled": name in enabled,
            "contributes": _contributions(plugin) if (plugin := enabled.get(name)) else {},
        }
        for name in names
    ]


def _contributions(plugin: PluginConfig) -> dict[str, list[str]]:
    titles = dict(CONTRIBUTIONS)
    for other in enabled_plugins():
        titles |= other.offered_attributes
    found = {title: _names(getattr(plugin, attribute, ())) for attribute, title in titles.items()}
    return {title: names for title, names in found.items() if names}


def _names(declared: Any) -> list[str]:
    if isinstance(declared, str):
        return [declared]
    if isinstance(declared, Mapping):
        return list(declared)
    return [item if isinstance(item, str) else item.name for item in declared or ()]
