"""Whether the product works: what it tells strangers, and what it tells those with access."""

from __future__ import annotations

import contextlib
from typing import Any

from django.db import DatabaseError, connections
from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status
from pydantic import Field

from promptadmin import __version__
from promptadmin.access import access
from promptadmin.api import opens_own_session, to_json
from promptadmin.errors import Refused
from promptadmin.sessions import read_session
from promptadmin.startup import pending_migrations
from promptadmin.unchanged import while_unchanged

router = Router(tags=["health"])


class HealthOut(Schema):
    """The state of the product. Strangers see `status` alone."""

    status: str = Field(examples=["ok"], description="`ok`, or `unavailable` with status 503")
    version: str | None = None
    db_connected: bool | None = None
    migrations_pending: int | None = None
    claude_available: bool | None = Field(None, description="PromptForge's name for llm_available")
    llm_available: bool | None = None
    llm_provider: str | None = Field(None, examples=["none"])
    llm_model: str | None = None
    mcp_connected: bool | None = None
    token_budgets: dict[str, Any] | None = None


@router.get(
    "/health",
    auth=None,
    throttle=[],
    response={200: HealthOut, 503: HealthOut},
    exclude_unset=True,
    operation_id="get_health",
    summary="Whether the product works",
)
@opens_own_session
def get_health(request: HttpRequest) -> Status[dict[str, Any]]:
    """Answers 503 when the database doesn't answer. Callers with access see the details."""
    return Status(*_health(request))


def health_alias(request: HttpRequest) -> HttpResponse:
    """The same at `/health`, where PromptForge's monitors look."""
    status, answer = _health(request)
    return HttpResponse(to_json(answer), status=status, content_type="application/json")


def _health(request: HttpRequest) -> tuple[int, dict[str, Any]]:
    pending, connected = 0, True
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT 1")
        details = _has_access(request)
        if details:
            pending = _migrations_pending()
    except DatabaseError:
        connected = details = False
    answer: dict[str, Any] = {"status": "ok" if connected else "unavailable"}
    if details:
        answer |= {
            "version": __version__,
            "db_connected": connected,
            "migrations_pending": pending,
            "claude_available": False,
            "llm_available": False,
            "llm_provider": "none",
            "llm_model": "",
            "mcp_connected": False,
            "token_budgets": {},
        }
    return 200 if connected else 503, answer


def _migrations_pending() -> int:
    """How many migrations the database lacks; reading them all takes longer than everything else here."""
    with read_session() as connection:
        return while_unchanged(connection, "pending migrations", lambda: len(pending_migrations(connection)))


def _has_access(request: HttpRequest) -> bool:
    with contextlib.suppress(Refused):  # whoever has no access is a stranger, not an error
        return any(way(request) for way in access("read"))
    return False
