"""What plugins show in the head of each page."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.module_loading import import_string

from promptadmin.db.sessions import read_session
from promptadmin.plugins.declarations import enabled_plugins
from promptadmin.plugins.isolation import isolate_plugin_errors


def header_items(request: HttpRequest) -> list[str]:
    """All of it, as safe HTML; what fails is logged, and left out."""
    items: list[str] = []
    for plugin in enabled_plugins():
        for path in plugin.header_items:
            with isolate_plugin_errors(plugin.label, "an item in the head of a page"), read_session():
                items.append(import_string(path)(request))
    return list(filter(None, items))
