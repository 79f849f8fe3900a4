"""What plugins may declare about prompts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from promptadmin.plugins.declarations import enabled_plugins


@dataclass(frozen=True)
class PromptCheck:
    """A check on the text of a prompt, which can be switched off by its name.

    `function` is the dotted path of a callable that takes a `projects.prompt_checks.CheckedPrompt` and returns an
    iterable of `projects.prompt_checks.Finding`; it runs in a read session and must answer the same for the same
    prompt.
    """

    name: str
    title: str
    function: str


class PromptDeclarations:
    """A mixin of a plugin's `PluginConfig`, with the types of what it may declare about prompts."""

    prompt_checks: ClassVar[Sequence[PromptCheck]] = ()


def declared_prompt_checks() -> Iterator[tuple[str, PromptCheck]]:
    """The checks that the enabled plugins declare, each with its plugin's label."""
    for plugin in enabled_plugins():
        for check in getattr(plugin, "prompt_checks", ()):
            yield plugin.label, check
