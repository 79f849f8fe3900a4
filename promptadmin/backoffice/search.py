"""The search over the whole back-office (⌘K): its pages, and what plugins find; without a text, what changed last."""

from __future__ import annotations

import datetime as dt

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.module_loading import import_string

from promptadmin.backoffice.navigation import navigation
from promptadmin.backoffice.saved_views import address_of, may_see_list, visible_views
from promptadmin.conf.limits import SEARCH_LENGTH
from promptadmin.db.sessions import read_session
from promptadmin.plugins.declarations import Hit, enabled_plugins
from promptadmin.plugins.isolation import isolate_plugin_errors

MOST_SHOWN, MOST_VIEWS = 30, 20
LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)


def search_view(request: HttpRequest) -> HttpResponse:
    """The hits as a fragment. No cache keeps it, for what was found changes with every write."""
    text = " ".join(request.GET.get("s", "")[:SEARCH_LENGTH].replace("\x00", "").split())
    hits = _found(request, text)
    context = {"hits": hits[:MOST_SHOWN], "text": text, "are_more": len(hits) > MOST_SHOWN}
    answer = render(request, "unfold/helpers/command_results.html", context)
    answer["Cache-Control"] = "no-store"
    return answer


def _found(request: HttpRequest, text: str) -> list[Hit]:
    """The pages whose name has the text, then all that plugins find, the best or, without a text, the newest first."""
    hits: list[Hit] = []
    for plugin in enabled_plugins():
        for path in plugin.finders:
            with isolate_plugin_errors(plugin.label, f"the finder {path}"), read_session():
                hits += import_string(path)(request.user, text)
    if not text:
        return sorted(hits, key=lambda hit: hit.changed_at or LONG_AGO, reverse=True)
    return [*_pages(request, text), *_views(request, text), *sorted(hits, key=lambda hit: -hit.score)]


def _pages(request: HttpRequest, text: str) -> list[Hit]:
    items = [item for group in navigation(request) for item in group["items"]]
    return [
        Hit(item["title"], item["link"], "page", item["icon"])
        for item in items
        if text.casefold() in item["title"].casefold()
    ]


def _views(request: HttpRequest, text: str) -> list[Hit]:
    """The saved views of lists that the user may see."""
    with read_session():
        views = list(visible_views(request).filter(name__icontains=text)[:MOST_VIEWS])
    return [
        Hit(view.name, address_of(view), "saved view", "bookmark")
        for view in views
        if may_see_list(request, view.table)
    ]
