"""The SDK's own client, on either transport, as a plain function of a test's calls."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
from mcp import StdioServerParameters
from mcp.client.client import Client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

from tests.support.processes import REPOSITORY, environment

Calls = Callable[[Client], Awaitable[Any]]


def over_stdio(calls: Calls, **variables: str) -> Any:
    """Start `manage.py mcp` and make the calls."""
    command = StdioServerParameters(
        command=sys.executable, args=[str(REPOSITORY / "manage.py"), "mcp"], env=environment(**variables)
    )

    async def run() -> Any:
        async with Client(stdio_client(command)) as client:
            return await calls(client)

    return asyncio.run(run())


def over_http(calls: Calls, address: str, token: str) -> Any:
    """Make the calls to a server that runs."""

    async def run() -> Any:
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as http,
            Client(streamable_http_client(address, http_client=http)) as client,
        ):
            return await calls(client)

    return asyncio.run(run())
