"""System checks of what plugins declare: `promptadmin check`, and every start, stops at the first that can't work.

| id | what is wrong |
|---|---|
| plugins.E001 | a declaration has the wrong type |
| plugins.E002 | two declarations have one name |
| plugins.E003 | a name that nothing has |
| plugins.E004 | something that can't be imported |
| plugins.E005 | a plugin made for other releases of promptadmin |

`table_checks` has that of their tables.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.management import get_commands
from django.urls import URLPattern
from django.utils.module_loading import import_string
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pydantic import ConfigDict, TypeAdapter, ValidationError

from promptadmin import __version__
from promptadmin.plugins.declarations import (
    PluginConfig,
    StartupStep,
    UpkeepJob,
    enabled_plugins,
    plugins_by_name,
)
from promptadmin.plugins.events import ANY, known_events
from promptadmin.plugins.platform import PLATFORM_JOBS, PLATFORM_STEPS

#: For `promptadmin check --tag`. Declarations need no import of a plugin's code, so that `startup` checks them too.
DECLARATIONS, IMPORTS = "plugins", "plugin_imports"

TAKE_OUT = "Ask the plugin's author, or take it out of PROMPTADMIN_PLUGINS."
Fits = Callable[[Any], bool]
#: Attributes whose items have names that no two plugins may share.
NAMED = (
    "root_apis",
    "startup_steps",
    "upkeep_jobs",
    "dashboard_panels",
    "dashboard_filters",
    "events",
)


def attribute_types(declarations: type = PluginConfig) -> dict[str, Any]:
    """The attributes that a class of declarations itself declares, with their types."""
    hints = typing.get_type_hints(declarations)
    own = [name for name in declarations.__annotations__ if typing.get_origin(hints[name]) is typing.ClassVar]
    return {name: typing.get_args(hints[name])[0] for name in own}


def check_declarations(app_configs: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """What can be said without importing any plugin's code."""
    wrong = [*_no_plugins(), *wrong_types(PluginConfig)]
    return wrong or [*_duplicates(), *_unknown_names(), *_versions()]


def check_imports(app_configs: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Whether every dotted path leads to what it should."""
    if any(wrong_types(PluginConfig)):
        return []
    return [
        finding
        for plugin in enabled_plugins()
        for attribute, path, fits, expected in _paths(plugin)
        for finding in check_path(plugin, attribute, path, fits, expected)
    ]


def check_path(
    plugin: PluginConfig, attribute: str, path: str, fits: Fits = callable, expected: str = "a callable"
) -> Iterator[checks.CheckMessage]:
    """What is wrong with a dotted path that a plugin declares: nothing where it leads to something that fits."""
    problem = _why_not(path, fits, expected)
    if problem:
        hint = "Correct the dotted path, or what it names."
        yield error(4, plugin, f"{attribute} names {path!r}, which {problem}", hint)


def error(number: int, plugin: PluginConfig, problem: str, hint: str = TAKE_OUT) -> checks.CheckMessage:
    """A finding about a plugin, with the number of its kind."""
    return checks.Error(f"Plugin {plugin.label!r}: {problem}.", hint=hint, obj=None, id=f"plugins.E00{number}")


def _no_plugins() -> Iterator[checks.CheckMessage]:
    for name, plugin in plugins_by_name(settings.ENABLED_PLUGINS).items():
        if plugin is None:
            problem = f"Plugin {name!r}: its entry point doesn't lead to the PluginConfig in its apps.py."
            hint = 'Write it as in `name = "package.apps:NameConfig"`, with a subclass of PluginConfig.'
            yield checks.Error(problem, hint=hint, id="plugins.E001")


def wrong_types(declarations: type) -> Iterator[checks.CheckMessage]:
    """The attributes of enabled plugins whose values aren't of the types that a class of declarations gives them."""
    strict = ConfigDict(strict=True, revalidate_instances="always")
    for name, expected in attribute_types(declarations).items():
        adapter = TypeAdapter(expected, config=strict)
        for plugin in enabled_plugins():
            try:
                adapter.validate_python(getattr(plugin, name, getattr(declarations, name)))
            except ValidationError as invalid:
                first = invalid.errors(include_url=False)[0]
                place = "".join(f"[{part!r}]" for part in first["loc"])
                yield error(1, plugin, f"{name}{place} has the wrong type: {first['msg']}", "See docs/plugins.md.")


def duplicates(attribute: str, owners: typing.Mapping[str, str]) -> Iterator[checks.CheckMessage]:
    """The names in an attribute of the enabled plugins that something has already: what is in `owners`, or a plugin."""
    seen = dict(owners)
    for plugin in enabled_plugins():
        declared = getattr(plugin, attribute, ())
        for name in declared if isinstance(declared, typing.Mapping) else [item.name for item in declared]:
            if name in seen:
                problem = f"{attribute} has {name!r}, a name that {seen[name]!r} has already"
                yield error(2, plugin, problem, "Rename the plugin's one.")
            seen[name] = plugin.label


def _duplicates() -> Iterator[checks.CheckMessage]:
    platform: dict[str, Sequence[StartupStep | UpkeepJob]] = {
        "startup_steps": PLATFORM_STEPS,
        "upkeep_jobs": PLATFORM_JOBS,
    }
    for attribute in NAMED:
        yield from duplicates(attribute, {item.name: "promptadmin" for item in platform.get(attribute, ())})


def unknown_names(
    plugin: PluginConfig, attribute: str, names: Iterable[str], known: Iterable[str]
) -> Iterator[checks.CheckMessage]:
    """The names in a plugin's attribute that nothing has, with those that there are."""
    for name in sorted(set(names) - set(known)):
        hint = f"There are: {', '.join(sorted(known))}."
        yield error(3, plugin, f"{attribute} names {name!r}, which nothing has", hint)


def _unknown_names() -> Iterator[checks.CheckMessage]:
    plugins = enabled_plugins()
    labels = {plugin.label for plugin in plugins}
    for plugin in plugins:
        for name in sorted(set(plugin.requires_plugins) - labels):
            yield error(3, plugin, f"it needs the plugin {name!r}", "Name that one too in PROMPTADMIN_PLUGINS.")
        yield from unknown_names(plugin, "event_receivers", plugin.event_receivers, [*known_events(), ANY])
        yield from unknown_names(plugin, "event_recorders", plugin.event_recorders, [*known_events(), ANY])
        yield from unknown_names(plugin, "background_commands", plugin.background_commands, get_commands())


def _versions() -> Iterator[checks.CheckMessage]:
    for plugin in enabled_plugins():
        try:
            if not SpecifierSet(plugin.requires_promptadmin).contains(__version__, prereleases=True):
                problem = f"it is made for promptadmin {plugin.requires_promptadmin}, and this is {__version__}"
                yield error(5, plugin, problem, "Install another release of the plugin, or of promptadmin.")
        except InvalidSpecifier:
            problem = f"requires_promptadmin is {plugin.requires_promptadmin!r}, which is no version window"
            yield error(5, plugin, problem, 'Write it as in ">=0.1,<2".')


def _paths(plugin: PluginConfig) -> Iterator[tuple[str, str, Fits, str]]:
    """Each dotted path of a plugin, with what it must lead to."""
    if plugin.api_router:
        yield "api_router", plugin.api_router, _is_router, "a ninja.Router"
    if plugin.page_urls:
        yield "page_urls", plugin.page_urls, _are_addresses, "a list of `django.urls.path`s"
    if plugin.asgi_application:
        yield "asgi_application", plugin.asgi_application, callable, "a callable"
    for api in plugin.root_apis:
        yield "root_apis", api.router, _is_router, "a ninja.Router"
        yield "root_apis", api.error_body, callable, "a callable"
    declared: list[tuple[str, Iterable[str]]] = [
        ("health_fields", plugin.health_fields.values()),
        ("gauges", plugin.gauges.values()),
        ("event_receivers", plugin.event_receivers.values()),
        ("event_recorders", plugin.event_recorders.values()),
        ("startup_steps", _functions(plugin.startup_steps)),
        ("upkeep_jobs", _functions(plugin.upkeep_jobs)),
        ("dashboard_panels", _functions(plugin.dashboard_panels)),
        ("finders", plugin.finders),
        ("header_items", plugin.header_items),
        ("dashboard_filters", [item.choices for item in plugin.dashboard_filters]),
    ]
    for attribute, paths in declared:
        for path in paths:
            yield attribute, path, callable, "a callable"


def _functions(items: Sequence[StartupStep | Any]) -> list[str]:
    return [item.function for item in items]


def _why_not(path: str, fits: Fits, expected: str) -> str:
    try:
        found = import_string(path)
    except Exception as error:
        return f"can't be imported: {type(error).__name__}: {error}".rstrip(".")
    return "" if fits(found) else f"is no {expected.removeprefix('a ')}, but of type {type(found).__name__}"


def _are_addresses(found: object) -> bool:
    return isinstance(found, list) and all(isinstance(each, URLPattern) for each in found)


def _is_router(found: object) -> bool:
    from ninja import Router  # here, because it takes longer than all else that a command imports

    return isinstance(found, Router)
