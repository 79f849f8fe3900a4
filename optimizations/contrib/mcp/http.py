"""MCP over Streamable HTTP, for callers with the API's tokens."""

from __future__ import annotations

import functools
import io
import logging
import uuid
from typing import Any

import anyio.to_thread
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp.server.transport_security import TransportSecuritySettings
from optimizations.contrib.mcp.calls import closing_connections
from optimizations.contrib.mcp.server import CALLER, build_server
from promptadmin.api.auth import ALL_SCOPES, AddressThrottle, TokenThrottle, caller_of_token
from promptadmin.context import Caller, current_request_id
from promptadmin.db.infrastructure_errors import fault_of
from promptadmin.http.client_address import is_loopback
from promptadmin.http.request_id import PLAUSIBLE_ID

logger = logging.getLogger(__name__)


class TokenGate:
    """Lets requests in that bring an API token, and tells the server whose it is."""

    def __init__(self, inner: ASGIApp) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 without a usable token, 429 after too many requests."""
        if scope["type"] == "http":
            given = Headers(scope=scope).get("X-Request-ID", "")
            request_id = given if PLAUSIBLE_ID.fullmatch(given) else uuid.uuid4().hex
            current_request_id.set(request_id)
            try:
                caller = await anyio.to_thread.run_sync(functools.partial(_admit, scope))
            except HTTPException as refused:
                answer = JSONResponse({"detail": refused.detail}, refused.status_code, refused.headers)
                await answer(scope, receive, send)
                return
            except Exception as error:
                await _failed(error, request_id)(scope, receive, send)
                return
            scope = {**scope, CALLER: caller, "promptadmin.request_id": request_id}
        await self.inner(scope, receive, send)


def _failed(error: Exception, request_id: str) -> JSONResponse:
    """The API's answer to what nobody foresaw, or to a fault of the machine; with one entry in the log."""
    fault = fault_of(error)
    logger.error("MCP failed: %s", error, exc_info=None if fault else error)
    if fault:
        return JSONResponse({"detail": fault.detail}, fault.status, fault.headers)
    return JSONResponse({"detail": "Internal server error", "request_id": request_id}, 500)


@closing_connections
def _admit(scope: Scope) -> Caller:
    """The caller, by the API's rules. Raises HTTPException where those let nobody in."""
    request: Any = ASGIRequest({**scope, "path": f"{scope['root_path']}{scope['path']}"}, io.BytesIO())
    request.auth = caller = _find_caller(request)
    throttle: AddressThrottle | TokenThrottle | None = None
    if caller is None:
        throttle = AddressThrottle()
    elif settings.RATE_LIMIT_RPM:
        throttle = TokenThrottle()
    if throttle and not throttle.allow_request(request):
        wait = str(max(1, round(throttle.wait() or 60)))
        raise HTTPException(429, "Rate limit exceeded. Try again later.", {"Retry-After": wait})
    if caller is None:
        detail = "Not authenticated: send an API token as 'Authorization: Bearer …'."
        raise HTTPException(401, detail, {"WWW-Authenticate": "Bearer"})
    return caller


def _find_caller(request: HttpRequest) -> Caller | None:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and secret.strip():
        return caller_of_token(secret.strip(), request)
    if not settings.API_AUTH and is_loopback(str(request.META.get("REMOTE_ADDR", ""))):
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
