"""What plugins may declare about runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class RunDeclarations:
    """A mixin of a plugin's `PluginConfig`, with the types of what it may declare about runs."""

    #: Strategy → what it does to a prompt.
    strategies: ClassVar[Mapping[str, str]] = {}
    #: Another name of a strategy → the strategy; start-up renames it in stored runs.
    strategy_aliases: ClassVar[Mapping[str, str]] = {}
    #: Statistics section → dotted path of a function of an `optimizations.stats.StatsQuery`.
    statistics_sections: ClassVar[Mapping[str, str]] = {}
