"""The door for plugins: what one declares, which are installed, and which are switched on.

A plugin is a Django application whose `apps.py` has one subclass of `PluginConfig`, announced by its package
through the entry point group `promptadmin.plugins` and switched on by that entry point's name in
`PROMPTADMIN_PLUGINS`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, ClassVar, Literal

from django.apps import AppConfig, apps
from django.core.exceptions import ImproperlyConfigured

from promptadmin.plugins.plugin_settings import Setting

ENTRY_POINT_GROUP = "promptadmin.plugins"
#: What `GET /api/health` says of language models and MCP, where no plugin says more.
HEALTH_FIELDS: Mapping[str, Any] = {
    "claude_available": False,
    "llm_available": False,
    "llm_provider": "none",
    "llm_model": "",
    "mcp_connected": False,
    "token_budgets": {},
}


@dataclass(frozen=True)
class StartupStep:
    """One idempotent piece of work that `startup` does at each start.

    `function` is the dotted path of a callable that takes a `promptadmin.plugins.StepContext` and returns a
    `promptadmin.plugins.StepResult`. Steps run by ascending `position`; the platform's own are 1 (tables),
    2 (schema changes) and 8 (data directory). `migration` names the data migration, as (app label, name), whose work
    the step does: where it is pending, the step runs and the migration is then recorded as applied. `button` is what
    the operators' button says that runs the step alone; without it there is none. A `quiet` step is reported only where
    it changed something.
    """

    name: str
    title: str
    position: float
    function: str
    migration: tuple[str, str] | None = None
    button: str = ""
    quiet: bool = False


@dataclass(frozen=True)
class UpkeepJob:
    """Work beside the server that never ends for good, done a short piece at a time.

    `function` is the dotted path of a callable that takes a database's alias, does one piece in a session of its own,
    and returns a `promptadmin.plugins.JobResult`. A piece must leave nothing half-done when the process is killed, and
    may hold SQLite's write lock for at most 50 ms. While something is left, the next piece follows at once; otherwise
    the job looks again after `seconds`.
    """

    name: str
    title: str
    function: str
    seconds: float = 1.0


@dataclass(frozen=True)
class TokenLimit:
    """A kind of limit that an API token may have: a field of `promptadmin.context.Reach`, by its `name`.

    `read` is the dotted path of a callable from the texts that somebody has written for it to those that are kept; it
    raises a `promptadmin.errors.DomainError` for what means nothing. `show` is that of one from those to words; without
    it they are shown as they are.
    """

    name: str
    read: str
    show: str = ""


@dataclass(frozen=True)
class DashboardPanel:
    """One box on the admin's start page.

    `function` is the dotted path of a callable that takes a `promptadmin.plugins.Dashboard` and returns what its
    `template` shows, as a mapping; it runs in a read session, and None means that there is nothing to show. Panels
    stand by ascending `position`. `columns` of the page's 12 is how wide it is on a wide screen. `permission`, as in
    "optimizations.view_optimization", is what somebody needs to see it; an empty one lets all staff see it.
    """

    name: str
    title: str
    function: str
    template: str
    position: float
    columns: Literal[3, 4, 6, 8, 12] = 12
    permission: str = ""


@dataclass(frozen=True)
class DashboardFilter:
    """One choice above the panels, kept in the address under its name.

    `choices` is the dotted path of a callable without arguments that returns the texts to choose from. `permission` is
    who may choose, and so read these texts; empty for all staff.
    """

    name: str
    label: str
    everything: str
    choices: str
    permission: str = ""


@dataclass(frozen=True)
class NavigationPage:
    """A page in the navigation that lists no table, such as one that `get_urls` of an admin class adds.

    `route` is the name of its address, as in "admin:registry_live". `permission` is what somebody needs to be offered
    it; empty for all staff. The page itself checks who may see it.
    """

    title: str
    symbol: str
    route: str
    permission: str = ""


@dataclass(frozen=True)
class RootApi:
    """An API at an address of its own, as clients of another product ask for it, with the access of the platform's.

    `path` is where it is, without a slash at the front, as in "v1/". `router` is the dotted path of a `ninja.Router`.
    `error_body` is the dotted path of a callable that takes a status and what is wrong in words, and returns the body
    of an error as those clients read it.
    """

    name: str
    path: str
    router: str
    error_body: str


@dataclass(frozen=True)
class Hit:
    """A page that the back-office's search has found.

    `kind` says in a word what it is the page of, `details` what else helps to tell it from others, `snippet` is HTML.
    Hits stand by descending `score`; those of an empty search, where nothing ranks them, by descending `changed_at`.
    """

    title: str
    address: str
    kind: str
    symbol: str
    details: str = ""
    snippet: str = ""
    score: float = 0.0
    changed_at: dt.datetime | None = None


class PluginConfig(AppConfig):
    """The base of every plugin's AppConfig; all that a plugin contributes is declared on the class.

    A dotted path, as in `"my_plugin.api.router"`, is imported when the thing is needed: an `apps.py` may import no
    models.
    """

    # Django picks the one AppConfig subclass that it finds in an apps.py; an imported base must not count as one.
    default = False
    #: The releases of promptadmin that the plugin works with, as in `">=0.1,<2"`; an empty one means any.
    requires_promptadmin: ClassVar[str] = ""
    #: Dotted path of a `ninja.Router`, mounted at `/api`.
    api_router: ClassVar[str | None] = None
    #: APIs beside the one at `/api`, for clients of other products.
    root_apis: ClassVar[Sequence[RootApi]] = ()
    #: Dotted path of an ASGI application, mounted at `/plugins/<label>/` of the ASGI server (`serve --mcp`).
    asgi_application: ClassVar[str | None] = None
    #: Management commands that `serve` keeps running beside the server.
    background_commands: ClassVar[Sequence[str]] = ()
    startup_steps: ClassVar[Sequence[StartupStep]] = ()
    upkeep_jobs: ClassVar[Sequence[UpkeepJob]] = ()
    #: Event → what has happened; those that the plugin itself sends, with `promptadmin.plugins.send`.
    events: ClassVar[Mapping[str, str]] = {}
    #: Event, or `"*"` → dotted path of a callable that takes a `promptadmin.plugins.Event`, called after the commit.
    event_receivers: ClassVar[Mapping[str, str]] = {}
    #: The same, but called within the transaction of the change, to keep a record that stands or falls with it.
    event_recorders: ClassVar[Mapping[str, str]] = {}
    #: One of HEALTH_FIELDS, or any other name, which stands under `plugins` and the plugin's label → dotted path of a
    #: function without arguments that returns its value, at each request.
    health_fields: ClassVar[Mapping[str, str]] = {}
    #: Name → dotted path of a function without arguments that returns a number, which Prometheus reads as
    #: `promptadmin_<label>_<name>`; the first line of the function's docstring says what it is.
    gauges: ClassVar[Mapping[str, str]] = {}
    #: Paths of its API, as in "/api/history?per_page=20", that must answer 200 in a drill of a restored backup.
    drill_paths: ClassVar[Sequence[str]] = ()
    #: What API tokens may be limited to.
    token_limits: ClassVar[Sequence[TokenLimit]] = ()
    dashboard_panels: ClassVar[Sequence[DashboardPanel]] = ()
    dashboard_filters: ClassVar[Sequence[DashboardFilter]] = ()
    #: Dotted paths of callables for the back-office's search: from a user and a text to the `Hit`s that this user may
    #: see; for an empty text, to what changed last. They run in a read session.
    finders: ClassVar[Sequence[str]] = ()
    #: Model name in small letters → Material symbol beside it in the navigation, in the order of the navigation.
    navigation: ClassVar[Mapping[str, str]] = {}
    #: Pages that list no table, before those.
    navigation_pages: ClassVar[Sequence[NavigationPage]] = ()
    #: Title above the plugin's pages in the navigation; without one, they stand in the first group.
    navigation_group: ClassVar[str] = ""
    #: Dotted path of a list of `django.urls.path`s, for pages of the back-office at `/admin/<label>/`.
    page_urls: ClassVar[str | None] = None
    #: What the environment says of the plugin.
    settings: ClassVar[Sequence[Setting]] = ()
    #: Dotted paths of callables that take a request of signed-in staff, and return what stands in the head of each page
    #: of the back-office, as safe HTML; an empty text for nothing. They run in a read session.
    header_items: ClassVar[Sequence[str]] = ()
    #: API scope ("read", "write") → Django's permissions that a signed-in member of staff needs for it.
    api_permissions: ClassVar[Mapping[str, Sequence[str]]] = {}
    #: Attribute that other plugins may declare for this one → what `promptadmin plugins` calls it.
    offered_attributes: ClassVar[Mapping[str, str]] = {}
    #: Whether `plugins --remove` refuses to drop its tables.
    tables_stay: ClassVar[bool] = False
    #: Names of plugins that must be switched on too.
    requires_plugins: ClassVar[Sequence[str]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.default = True


def installed_plugins() -> dict[str, EntryPoint]:
    """Every plugin that an installed package announces, by name; no plugin's code is imported."""
    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}


def app_paths(names: Iterable[str]) -> Iterator[str]:
    """The dotted AppConfig paths, for INSTALLED_APPS, of the plugins with these names.

    Raises ImproperlyConfigured for a name that is not installed or stands twice.
    """
    installed = installed_plugins()
    seen: set[str] = set()
    for name in names:
        if name not in installed:
            known = ", ".join(sorted(installed)) or "none: run `make install` first"
            raise ImproperlyConfigured(
                f"(plugins.E003) PROMPTADMIN_PLUGINS: no plugin {name!r} is installed (installed: {known})."
            )
        if name in seen:
            raise ImproperlyConfigured(f"(plugins.E002) PROMPTADMIN_PLUGINS names {name!r} twice: name it once.")
        seen.add(name)
        yield installed[name].value.replace(":", ".")


def explain_failed_import(names: Iterable[str]) -> str:
    """Which of these plugins can't be imported or lacks another, why, and what to do; an empty text if all is well.

    For a start that Django's own error ended, which names none of them.
    """
    installed = installed_plugins()
    enabled = list(names)
    for name in enabled:
        try:
            lacking = set(getattr(installed[name].load(), "requires_plugins", ())).difference(enabled)
            if lacking:
                return (
                    f"(plugins.E003) The plugin {name!r} needs the plugin {min(lacking)!r}: name that one too in "
                    f"PROMPTADMIN_PLUGINS."
                )
        except Exception as error:
            return (
                f"(plugins.E004) The plugin {name!r} can't be imported: {type(error).__name__}: {error}. Repair or "
                f"reinstall it, or take it out of PROMPTADMIN_PLUGINS."
            )
    return ""


def plugins_by_name(names: Iterable[str]) -> dict[str, PluginConfig | None]:
    """The loaded plugin behind each of these names; None where the entry point leads to something else."""
    loaded = {f"{type(plugin).__module__}.{type(plugin).__qualname__}": plugin for plugin in enabled_plugins()}
    installed = installed_plugins()
    return {name: loaded.get(installed[name].value.replace(":", ".")) for name in names}


def declared(attribute: str) -> Iterator[tuple[str, Any]]:
    """What the enabled plugins declare under a name, one by one, each with its plugin's label."""
    for plugin in enabled_plugins():
        found = getattr(plugin, attribute, ())
        for item in found.items() if isinstance(found, Mapping) else found:
            yield plugin.label, item


def enabled_plugins() -> list[PluginConfig]:
    """The plugins that are switched on, in the order of PROMPTADMIN_PLUGINS."""
    return [config for config in apps.get_app_configs() if isinstance(config, PluginConfig)]
