"""The tools that run a language model: they say that this needs an optimiser plugin."""

from __future__ import annotations

from typing import Annotated, Any, NoReturn

from pydantic import Field

from optimizations.api.inputs import NewTag, ProjectText, PromptText, Strategy, Title, Version
from optimizations.contrib.mcp.arguments import Key
from optimizations.contrib.mcp.registry import tool
from optimizations.repository import OptimizationRepository
from projects.api.inputs import Context
from promptadmin.errors import Unavailable

NO_OPTIMISER = (
    "No enabled plugin runs optimisations: enable an optimiser plugin, or optimise the prompt yourself and keep the "
    "result with update_prompt"
)
Strategies = Annotated[list[Strategy], Field(max_length=2)]


def _unavailable() -> NoReturn:
    raise Unavailable(NO_OPTIMISER)


@tool("optimize", "Optimise a prompt", writes=True)
def optimize(
    *,
    prompt: PromptText,
    project: ProjectText | None = None,
    tags: list[NewTag] | None = None,
    title: Title | None = None,
    strategy: Strategy | None = None,
    secondary_frameworks: Strategies | None = None,
    prompt_id: Key | None = None,
    version: Version | None = None,
    codebase_context: Context | None = None,
    max_iterations: Annotated[int, Field(ge=1, le=5)] | None = None,
    score_threshold: Annotated[float, Field(ge=0.1, le=1)] | None = None,
) -> dict[str, Any]:
    """Let a language model improve a prompt. Needs an optimiser plugin."""
    _unavailable()


@tool("retry", "Optimise again", writes=True)
def retry(
    optimization_id: Key, strategy: Strategy | None = None, secondary_frameworks: Strategies | None = None
) -> dict[str, Any]:
    """Optimise the prompt of a run once more. Needs an optimiser plugin."""
    OptimizationRepository().get_run(optimization_id)
    _unavailable()


@tool("batch", "Optimise several prompts", writes=True)
def batch(
    prompts: Annotated[list[PromptText], Field(min_length=1, max_length=20)],
    strategy: Strategy | None = None,
    project: ProjectText | None = None,
    tags: list[NewTag] | None = None,
) -> dict[str, Any]:
    """Let a language model improve up to twenty prompts. Needs an optimiser plugin."""
    _unavailable()
