"""System check plugins.W001: a foreign key to another plugin's table, whose ON DELETE isn't the database's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import apps
from django.core import checks
from django.db import models

from promptadmin.db.fields import Link
from promptadmin.plugins.declarations import PluginConfig, enabled_plugins


def check_tables(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """What would keep rows of others from being deleted, were its plugin switched off."""
    asked = enabled_plugins() if app_configs is None else [one for one in app_configs if isinstance(one, PluginConfig)]
    return [
        finding
        for plugin in asked
        for model in plugin.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
        for finding in _foreign_keys(plugin, model)
    ]


def _foreign_keys(plugin: PluginConfig, model: type[models.Model]) -> Iterator[checks.CheckMessage]:
    for field in model._meta.local_fields:
        target: Any = field.related_model
        if not isinstance(field, models.ForeignKey) or isinstance(field, Link) or isinstance(target, str):
            continue
        owner = apps.get_app_config(target._meta.app_label)
        if owner is not plugin and isinstance(owner, PluginConfig):
            begin = "Give the ManyToManyField a `through` model, and there use" if model._meta.auto_created else "Use"
            yield checks.Warning(
                f"Plugin {plugin.label!r}: {model._meta.label}.{field.name} refers to {target._meta.label} by a key "
                "whose ON DELETE isn't the database's. With the plugin off, it keeps those rows from being deleted; "
                "and its own rows can't be restored with them.",
                hint=f"{begin} `promptadmin.plugins.Link`, as in "
                f'`Link("{target._meta.label}", on_delete_sql="CASCADE")`.',
                obj=model,
                id="plugins.W001",
            )
