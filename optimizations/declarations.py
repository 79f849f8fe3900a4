"""What plugins may declare about runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from django.db.models import Q
from django.utils.module_loading import import_string

from promptadmin.plugins.declarations import declared
from promptadmin.plugins.page_parts import Action, Box, Column, Filter


class RunDeclarations:
    """A mixin of a plugin's `PluginConfig`, with the types of what it may declare about runs."""

    #: Strategy → what it does to a prompt.
    strategies: ClassVar[Mapping[str, str]] = {}
    #: Another name of a strategy → the strategy; start-up renames it in stored runs.
    strategy_aliases: ClassVar[Mapping[str, str]] = {}
    #: Statistics section → dotted path of a function of an `optimizations.stats.StatsQuery`.
    statistics_sections: ClassVar[Mapping[str, str]] = {}
    run_boxes: ClassVar[Sequence[Box]] = ()
    run_columns: ClassVar[Sequence[Column]] = ()
    run_filters: ClassVar[Sequence[Filter]] = ()
    run_actions: ClassVar[Sequence[Action]] = ()
    #: Name → dotted path of a callable that takes ids of runs and returns id → what JSON can hold.
    run_fields: ClassVar[Mapping[str, str]] = {}


def condition_of_filter(name: str, value: str) -> Q:
    """Which runs pass the filter of a plugin that has this name, with this value."""
    path = next(item.function for _, item in declared("run_filters") if item.name == name)
    condition: Q = import_string(path)(value)
    return condition
