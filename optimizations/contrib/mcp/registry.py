"""The tools by name, with what a client is told of each before it calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.module_loading import import_string
from mcp_types import CallToolResult, ToolAnnotations

from optimizations.contrib.mcp.answers import answering
from optimizations.contrib.mcp.calls import in_session
from promptadmin.plugins.declarations import declared
from promptadmin.plugins.isolation import isolate_plugin_errors

Function = Callable[..., dict[str, Any]]


@dataclass(frozen=True)
class ToolSpec:
    """A tool; the docstring of its function tells agents what it does."""

    name: str
    title: str
    function: Function
    writes: bool
    destroys: bool
    repeatable: bool

    @property
    def in_session(self) -> Callable[..., CallToolResult]:
        """The function as agents call it."""
        return answering(in_session(self.function, writes=self.writes))

    @property
    def annotations(self) -> ToolAnnotations:
        """The hints by which a client asks its user first, or doesn't."""
        return ToolAnnotations(
            title=self.title,
            read_only_hint=not self.writes,
            destructive_hint=self.destroys,
            idempotent_hint=self.repeatable,
            open_world_hint=False,
        )


TOOLS: dict[str, ToolSpec] = {}


def tool(
    name: str, title: str, *, writes: bool = False, destroys: bool = False, repeatable: bool | None = None
) -> Callable[[Function], Function]:
    """Register a tool. `destroys` is for what can't be had back, `repeatable` for what a second call doesn't add to."""

    def register(function: Function) -> Function:
        again = not writes if repeatable is None else repeatable
        TOOLS[name] = ToolSpec(name, title, function, writes, destroys, again)
        return function

    return register


def every_tool() -> dict[str, ToolSpec]:
    """Ours, and those that plugins declare; one that can't be had is logged and left out."""
    found = dict(TOOLS)
    for label, each in declared("mcp_tools"):
        with isolate_plugin_errors(label, f"the MCP tool {each.name}"):
            if each.name in found:
                raise LookupError(f"There is a tool {each.name} already: rename the plugin's.")
            again = not each.writes if each.repeatable is None else each.repeatable
            function = import_string(each.function)
            found[each.name] = ToolSpec(each.name, each.title, function, each.writes, each.destroys, again)
    return found
