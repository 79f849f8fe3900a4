"""Pages of plugins in the back-office, at addresses below /admin/<label>/."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, path
from django.utils.module_loading import import_string

from promptadmin.plugins.declarations import enabled_plugins
from promptadmin.plugins.isolation import isolate_plugin_errors


def plugin_pages(wrap: Callable[[Any], Any]) -> Iterator[URLPattern | URLResolver]:
    """What plugins declare as `page_urls`; each view is wrapped as the site's own are."""
    for plugin in enabled_plugins():
        if plugin.page_urls:
            with isolate_plugin_errors(plugin.label, "its pages"):  # and `check` says what is wrong with them
                wrapped = [
                    URLPattern(found.pattern, wrap(found.callback), found.default_args, found.name)
                    for found in import_string(plugin.page_urls)
                ]
                yield path(f"{plugin.label}/", (wrapped, None, None))
