"""The start page: panels that plugins declare, about the runs that the address asks for.

The page itself comes at once, without a query on their data; the panels follow as one fragment, so that they share
what they read. A panel that fails leaves a notice in its place.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.module_loading import import_string

from promptadmin.backoffice.periods import CHOICES, Period, read_period
from promptadmin.db.sessions import read_session
from promptadmin.http.own_address import own_address
from promptadmin.plugins.declarations import DashboardFilter, DashboardPanel, enabled_plugins
from promptadmin.plugins.isolation import isolate_plugin_errors

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Choice:
    """One filter of the page: what may be chosen, as value and text, and what is."""

    name: str
    label: str
    options: list[tuple[str, str]]
    value: str


@dataclass(frozen=True)
class RenderedPanel:
    """A panel with what it shows: HTML, or nothing where it failed or has nothing to tell."""

    panel: DashboardPanel
    html: str
    failed: bool = False


@dataclass
class Dashboard:
    """What the panels are about: `choices` has each filter's text (empty: everything), `since` when the period began.

    `until` is the first moment after it. `user` is whoever looks, `now` the same moment for all panels; `address` is
    the site's, as the browser knows it.
    """

    user: Any
    choices: Mapping[str, str]
    period: Period = field(default_factory=Period)
    now: dt.datetime = field(default_factory=timezone.now)
    address: str = ""
    _made: dict[Any, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, request: HttpRequest) -> Dashboard:
        """The dashboard that the address asks for. A period that isn't known is all times."""
        # No engine finds a text with a NUL, and PostgreSQL refuses to look.
        chosen = {item.name: request.GET.get(item.name, "").replace("\x00", "") for _, item in declared_filters()}
        period = read_period(request.GET)
        return cls(request.user, chosen, period, address=own_address(request))

    @cached_property
    def since(self) -> dt.datetime | None:
        """The first moment of the period; None for all times."""
        return self.period.bounds(self.now)[0]

    @cached_property
    def until(self) -> dt.datetime | None:
        """The first moment after the period; None where it lasts."""
        return self.period.bounds(self.now)[1]

    def once(self, make: Callable[[Dashboard], Answer]) -> Answer:
        """What a function makes of this dashboard, made once for all panels."""
        if make not in self._made:
            self._made[make] = make(self)
        answer: Answer = self._made[make]
        return answer


def declared_filters() -> list[tuple[str, DashboardFilter]]:
    """The filters of the enabled plugins, each with its plugin's label."""
    return [(plugin.label, item) for plugin in enabled_plugins() for item in plugin.dashboard_filters]


def declared_panels() -> list[tuple[str, DashboardPanel]]:
    """The panels of the enabled plugins, each with its plugin's label, in their order."""
    panels = [(plugin.label, panel) for plugin in enabled_plugins() for panel in plugin.dashboard_panels]
    return sorted(panels, key=lambda item: item[1].position)


def choices_of(dashboard: Dashboard) -> list[Choice]:
    """The period, then the plugins' filters, for the form above the panels."""
    found = [Choice("period", "Period", list(CHOICES.items()), dashboard.period.name)]
    for plugin, item in declared_filters():
        if item.permission and not dashboard.user.has_perm(item.permission):
            continue
        chosen = dashboard.choices[item.name]
        known: list[str] = []
        with isolate_plugin_errors(plugin, f"the dashboard's filter {item.name}"), read_session():
            known += import_string(item.choices)()
        if chosen and chosen not in known:
            known.append(chosen)
        options = [("", item.everything), *((text, text) for text in known)]
        found.append(Choice(item.name, item.label, options, chosen))
    return found


def render_panels(dashboard: Dashboard) -> list[RenderedPanel]:
    """What each panel that the user may see shows."""
    return [
        rendered
        for plugin, panel in declared_panels()
        if not panel.permission or dashboard.user.has_perm(panel.permission)
        if (rendered := _render(plugin, panel, dashboard)) is not None
    ]


def _render(plugin: str, panel: DashboardPanel, dashboard: Dashboard) -> RenderedPanel | None:
    rendered: RenderedPanel | None = RenderedPanel(panel, "", failed=True)
    with isolate_plugin_errors(plugin, f"the dashboard's panel {panel.name}"):
        with read_session():
            data = import_string(panel.function)(dashboard)
        if data is None:
            rendered = None
        else:
            html = render_to_string(panel.template, {"dashboard": dashboard, "panel": panel, **data})
            rendered = RenderedPanel(panel, html)
    return rendered
