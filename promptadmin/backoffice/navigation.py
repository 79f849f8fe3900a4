"""The back-office's navigation: the pages of each plugin's tables, then the platform's own."""

from __future__ import annotations

import functools
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from promptadmin.plugins.declarations import enabled_plugins

#: The platform's pages: (application, model) → title and symbol, in the order in which they stand.
PLATFORM_PAGES = {
    ("promptadmin", "deletion"): ("Recently deleted", "restore_from_trash"),
    ("promptadmin", "logentry"): ("Change log", "history"),
    ("promptadmin", "apitoken"): ("API tokens", "key"),
    ("auth", "user"): ("Users", "person"),
    ("auth", "group"): ("Roles", "group"),
    ("axes", "accessattempt"): ("Failed sign-ins", "lock"),
}
DEFAULT_SYMBOL = "table_rows"


@functools.cache
def names_of_platform_lists() -> dict[str, str]:
    """What the navigation calls the platform's lists, by their addresses."""
    return {
        reverse(f"admin:{label}_{model}_changelist"): title for (label, model), (title, _) in PLATFORM_PAGES.items()
    }


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups of the sidebar, with the pages that this user may see, as the theme wants them."""
    pages = {
        (app["app_label"], model["object_name"].lower()): model
        for app in admin.site.get_app_list(request)
        for model in app["models"]
        if model["admin_url"]
    }
    groups = {"": [_item("Dashboard", "space_dashboard", reverse("admin:index"))]}
    is_here = False
    for plugin in enabled_plugins():
        group = groups.setdefault(plugin.navigation_group, [])
        for page in plugin.navigation_pages:
            if not page.permission or request.user.has_perm(page.permission):
                item = _item(page.title, page.symbol, reverse(page.route))
                group.append(item)
                is_here = is_here or request.path == item["link"]
        keys = [key for key in pages if key[0] == plugin.label]
        symbols = dict(plugin.navigation)
        known = [(plugin.label, name) for name in symbols]
        for key in sorted(keys, key=lambda key: known.index(key) if key in known else len(known)):
            group.append(_page(pages[key], symbols.get(key[1], DEFAULT_SYMBOL)))
    platform = [
        _item(title, symbol, pages[key]["admin_url"]) for key, (title, symbol) in PLATFORM_PAGES.items() if key in pages
    ]
    if request.user.has_perm("promptadmin.view_operations"):
        platform.insert(0, _item("Operations", "monitor_heart", reverse("admin:operations")))
    platform.append(_item("API", "api", reverse("api:openapi-view")))
    if is_here:  # its address is below that of a list, which the theme would mark too
        for item in (item for items in groups.values() for item in items):
            item["active"] = item["link"] == request.path
    first, *titled = groups.items()
    return [
        {"items": first[1]},
        *({"title": title, "separator": True, "items": items} for title, items in titled if items),
        {"title": "Administration", "separator": True, "items": platform},
    ]


def _page(model: dict[str, Any], symbol: str) -> dict[str, Any]:
    name = str(model["name"])
    return _item(name[:1].upper() + name[1:], symbol, model["admin_url"])


def _item(title: str, symbol: str, link: str) -> dict[str, Any]:
    return {"title": title, "icon": symbol, "link": link}
