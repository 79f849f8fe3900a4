"""Domain events: what has happened, told to the plugins that asked for it.

An application declares its events on its PluginConfig and sends them from its repositories, inside the session of the
change. Recorders are called there and then, receivers after the commit; a rolled back change tells no receiver.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from promptadmin.db.fields import new_id
from promptadmin.plugins.declarations import enabled_plugins
from promptadmin.plugins.isolation import isolate_plugin_errors
from promptadmin.plugins.platform import METRICS_RECEIVERS

#: Stands for every event.
ANY = "*"
Kind = Literal["event_receivers", "event_recorders"]


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that has happened once. `data` holds what JSON can.

    `subject` is the id of what it happened to; events of one subject are recorded in the order in which they happened.
    """

    name: str
    subject: str
    data: Mapping[str, Any]
    #: The database that it happened in.
    using: str = DEFAULT_DB_ALIAS
    id: str = field(default_factory=new_id)
    at: dt.datetime = field(default_factory=timezone.now)


@dataclass(frozen=True)
class _Listener:
    plugin: str
    path: str

    def tell(self, event: Event) -> None:
        with isolate_plugin_errors(self.plugin, f"{self.path} of the event {event.name}", using=event.using):
            listen: Callable[[Event], None] = import_string(self.path)
            listen(event)


def send(name: str, /, *, subject: str, using: str = DEFAULT_DB_ALIAS, **data: Any) -> None:
    """Tell recorders now and receivers after the commit that something has happened.

    Raises LookupError for an event that no enabled plugin declares.
    """
    if name not in known_events():
        raise LookupError(f"No plugin declares the event {name!r}: add it to `events` of the one that sends it.")
    recorders, receivers = _listeners("event_recorders", name), _listeners("event_receivers", name)
    if not recorders and not receivers:
        return
    event = Event(name=name, subject=subject, data=data, using=using)
    for recorder in recorders:
        recorder.tell(event)
    for receiver in receivers:
        transaction.on_commit(functools.partial(receiver.tell, event), using=using)


@functools.cache
def known_events() -> Mapping[str, str]:
    """Every event that an enabled plugin declares, with what has happened then."""
    return {name: meaning for plugin in enabled_plugins() for name, meaning in plugin.events.items()}


@functools.cache
def _listeners(kind: Kind, name: str) -> tuple[_Listener, ...]:
    declared = [(plugin.label, getattr(plugin, kind)) for plugin in enabled_plugins()]
    if kind == "event_receivers" and settings.METRICS:
        declared.append(("promptadmin", METRICS_RECEIVERS))
    return tuple(
        _Listener(label, path)
        for label, listeners in declared
        for wanted, path in listeners.items()
        if wanted in (name, ANY)
    )
