"""MCP over Streamable HTTP, for callers with the API's tokens."""

from __future__ import annotations

import functools
import uuid
from typing import Any

import anyio.to_thread
from django.conf import settings
from mcp.server.transport_security import TransportSecuritySettings
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from promptadmin.access import ALL_SCOPES, Caller, caller_of_token, is_loopback
from promptadmin.contrib.mcp.calls import closing_connections
from promptadmin.contrib.mcp.server import CALLER, build_server
from promptadmin.request_ids import PLAUSIBLE_ID


class TokenGate:
    """Lets requests in that bring an API token, and tells the server whose it is."""

    def __init__(self, inner: ASGIApp) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 without a usable token."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            caller = await anyio.to_thread.run_sync(functools.partial(_find_caller, headers, scope.get("client")))
            if caller is None:
                detail = "Not authenticated: send an API token as 'Authorization: Bearer …'."
                await JSONResponse({"detail": detail}, 401, {"WWW-Authenticate": "Bearer"})(scope, receive, send)
                return
            given = headers.get("X-Request-ID", "")
            request_id = given if PLAUSIBLE_ID.fullmatch(given) else uuid.uuid4().hex
            scope = {**scope, CALLER: caller, "promptadmin.request_id": request_id}
        await self.inner(scope, receive, send)


@closing_connections
def _find_caller(headers: Headers, client: Any) -> Caller | None:
    scheme, _, secret = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and secret.strip():
        return caller_of_token(secret.strip())
    if not settings.API_AUTH and client and is_loopback(client[0]):
        return Caller("anybody", ALL_SCOPES)
    return None


def build_application() -> ASGIApp:
    """The ASGI application. It keeps no sessions: each request stands for itself, and any process can answer it."""
    hosts = [pattern for host in settings.ALLOWED_HOSTS for pattern in (host, f"{host}:*")]
    origins = [*settings.CORS_ALLOWED_ORIGINS, *settings.CSRF_TRUSTED_ORIGINS]
    security = TransportSecuritySettings(
        enable_dns_rebinding_protection="*" not in settings.ALLOWED_HOSTS, allowed_hosts=hosts, allowed_origins=origins
    )
    inner = build_server().streamable_http_app(
        streamable_http_path="/", json_response=True, stateless_http=True, transport_security=security
    )
    return TokenGate(inner)


application = build_application()
