"""The MCP server: PromptForge's tools and resources over our repositories, whatever the transport."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import anyio.to_thread
import mcp_types as types
from django.conf import settings
from pydantic import ValidationError

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ToolError
from mcp.server.mcpserver.resources import ResourceSecurity
from mcp.shared.exceptions import MCPError
from optimizations.contrib.mcp import project_tools, run_tools  # noqa: F401  # they register
from optimizations.contrib.mcp import resources as stored
from optimizations.contrib.mcp.calls import called_by, in_session, local_caller
from optimizations.contrib.mcp.registry import every_tool
from optimizations.contrib.mcp.tools import as_tool
from promptadmin import __version__
from promptadmin.context import Caller, current_request_id
from promptadmin.errors import DomainError

NAME = "promptforge_mcp"
INSTRUCTIONS = (
    "Projects hold prompts, prompts have versions, and optimisation runs say what was tried on a prompt and what "
    "it was worth. Scores are from 1 to 10. null for an optional argument means its default. Find ids with "
    "list_projects, list or search before you use them. Where an item of an answer has 'cut', these of its texts are "
    "cut: the resource that 'whole' names has them all. Every change is logged under your token's name; deleting is "
    "for good."
)
#: PromptForge's tools that run a language model.
OPTIMISER_TOOLS = ("optimize", "retry", "batch")
NO_OPTIMISER = "No enabled plugin runs optimisations: optimise the prompt yourself, and keep the run with record"
#: A key in an address may be anything that a row has: no file is looked for by it.
KEYS_ARE_NO_PATHS = ResourceSecurity(reject_path_traversal=False, reject_absolute_paths=False)
#: Where the HTTP door leaves the caller in a request's scope.
CALLER = "promptadmin.caller"


class Server(MCPServer[Any]):
    """The SDK's server, where each call has a caller, and prompts are rows."""

    async def call_tool(self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None) -> Any:
        """Call a tool as the caller of this request."""
        with _counted(name), _calling(context):
            if name in OPTIMISER_TOOLS:
                raise ToolError(f"Error executing tool {name}: {NO_OPTIMISER}")
            try:
                return await super().call_tool(name, arguments, context)
            except ToolError as error:
                if isinstance(error.__cause__, ValidationError):
                    raise ToolError(f"Error executing tool {name}: {_in_words(error.__cause__)}") from error
                raise

    async def read_resource(self, uri: Any, context: Context[Any, Any] | None = None) -> Any:
        """Read a resource as the caller of this request."""
        with _calling(context):
            return await super().read_resource(uri, context)

    async def _handle_list_prompts(self, ctx: Any, params: types.PaginatedRequestParams | None) -> Any:
        after = (params.cursor if params else None) or ""
        return await _in_thread(ctx, stored.list_prompts, after)

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None, context: Context[Any, Any] | None = None
    ) -> Any:
        """A stored prompt, by its name or id."""
        return await _in_thread(context and context.request_context, stored.get_prompt, name, arguments or {})


@contextmanager
def _counted(tool: str) -> Iterator[None]:
    """Count a call, where metrics are on; agents may make up any name, and each would be a series of its own."""
    outcome = "error"
    try:
        yield
        outcome = "ok"
    finally:
        if settings.METRICS:
            from optimizations.contrib.mcp.counters import CALLS

            known = tool in every_tool() or tool in OPTIMISER_TOOLS
            CALLS.labels(tool if known else "unknown", outcome).inc()


def _in_words(error: ValidationError) -> str:
    """Each wrong argument with what is wrong with it, for a model to read."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in found)


def _calling(context: Context[Any, Any] | None) -> AbstractContextManager[None]:
    return called_by(_caller_of(context and context.request_context))


def _caller_of(request_context: Any) -> Caller:
    """Who sent a request over HTTP, or the account that speaks over stdio."""
    request = getattr(request_context, "request", None)
    if request is None:
        return local_caller()
    caller: Caller = request.scope[CALLER]
    current_request_id.set(request.scope.get("promptadmin.request_id", "-"))
    return caller


async def _in_thread(request_context: Any, function: Callable[..., Any], *args: Any) -> Any:
    """Run a read beside the event loop, which database calls would hold up."""
    with called_by(_caller_of(request_context)):
        try:
            return await anyio.to_thread.run_sync(functools.partial(in_session(function, error=DomainError), *args))
        except DomainError as refused:
            raise MCPError(code=types.INVALID_PARAMS, message=str(refused)) from refused


def build_server() -> Server:
    """A server with every tool and resource."""
    server = Server(
        name=NAME,
        title="promptadmin",
        version=__version__,
        instructions=INSTRUCTIONS,
        tools=[as_tool(spec) for spec in every_tool().values()],
        # Ids are keys of rows, not paths.
        resource_security=ResourceSecurity(reject_path_traversal=False, reject_absolute_paths=False),
        log_level="WARNING",
    )
    for address, (function, name, description) in stored.RESOURCES.items():
        register = server.resource(
            address, name=name, description=description, mime_type="application/json", security=KEYS_ARE_NO_PATHS
        )
        register(in_session(function, error=ResourceError))
    return server
