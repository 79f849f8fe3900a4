"""What plugins may declare for agents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class McpTool:
    """A tool that agents may call; the plugin `mcp` offers it where that is on.

    `function` is the dotted path of a callable with typed arguments, as in `prompt_id: str`, that returns a mapping of
    what JSON can hold; its docstring tells agents what it does. It runs in a read session or, with `writes`, in a write
    session, for callers with that scope, and refuses by a `promptadmin.plugins.DomainError`. `destroys` is for what
    can't be had back, `repeatable` for what a second call doesn't add to: None means whatever doesn't write.
    """

    name: str
    title: str
    function: str
    writes: bool = False
    destroys: bool = False
    repeatable: bool | None = None


class McpDeclarations:
    """A mixin of a plugin's `PluginConfig`, with the types of what it may declare for agents."""

    mcp_tools: ClassVar[Sequence[McpTool]] = ()
