"""The names of strategies: canonical ones, and the aliases that older releases wrote."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from promptadmin.plugins.declarations import enabled_plugins

#: Our own strategies: canonical name → what the strategy does to a prompt.
STRATEGIES: Mapping[str, str] = MappingProxyType(
    {
        "co-star": "States context, objective, style, tone, audience and response format.",
        "risen": "States role, instructions, steps, end goal and narrowing constraints.",
        "chain-of-thought": "Asks the model to reason step by step before it answers.",
        "few-shot-scaffolding": "Shows worked examples of input and expected output.",
        "role-task-format": "Names the role, the task and the format of the answer.",
        "structured-output": "Prescribes the exact structure of the answer, such as a JSON schema.",
        "step-by-step": "Breaks the task into numbered steps.",
        "constraint-injection": "Adds explicit limits: length, scope, what to avoid.",
        "context-enrichment": "Adds the background that the model needs to answer well.",
        "persona-assignment": "Gives the model an expert's identity and point of view.",
    }
)
#: Legacy name → canonical name; exact and case-sensitive.
ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "few-shot": "few-shot-scaffolding",
        "role-based": "persona-assignment",
        "constraint-focused": "constraint-injection",
        "structured-enhancement": "role-task-format",
    }
)


def all_strategies() -> Mapping[str, str]:
    """Every strategy, ours and those of plugins, with what it does to a prompt."""
    return _declared().strategies


def all_aliases() -> Mapping[str, str]:
    """Every other name of a strategy, ours and those of plugins, with its canonical name."""
    return _declared().aliases


def canonical(name: str) -> str:
    """The canonical name of a strategy: an alias is replaced, any other name stays."""
    return all_aliases().get(name, name)


def aliases_of(name: str) -> list[str]:
    """The other names of a canonical strategy."""
    return [alias for alias, canonical_name in all_aliases().items() if canonical_name == name]


class _Declared(NamedTuple):
    strategies: Mapping[str, str]
    aliases: Mapping[str, str]


@functools.cache
def _declared() -> _Declared:
    plugins = enabled_plugins()
    return _Declared(
        {name: text for plugin in plugins for name, text in getattr(plugin, "strategies", {}).items()},
        {name: target for plugin in plugins for name, target in getattr(plugin, "strategy_aliases", {}).items()},
    )
