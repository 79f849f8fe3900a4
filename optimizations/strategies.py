"""The names of strategies: canonical ones, and the aliases that older releases wrote."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

#: Canonical name → what the strategy does to a prompt.
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


def canonical(name: str) -> str:
    """The canonical name of a strategy: an alias is replaced, any other name stays."""
    return ALIASES.get(name, name)


def aliases_of(name: str) -> list[str]:
    """The legacy names of a canonical strategy."""
    return [alias for alias, canonical_name in ALIASES.items() if canonical_name == name]
