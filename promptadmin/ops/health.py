"""Whether the product works: what it tells strangers, and what it tells those with access."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import Any

from django.db import DatabaseError, connections
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string
from django.views.decorators.http import require_http_methods
from ninja import Router, Schema, Status
from pydantic import Field

from promptadmin import __version__
from promptadmin.api.app import ValidationErrorOut, opens_own_session
from promptadmin.api.auth import AddressThrottle, access
from promptadmin.db.cache import cached_until_write
from promptadmin.db.postgresql import replicas
from promptadmin.db.sessions import read_session
from promptadmin.db.sqlite import engine
from promptadmin.db.sqlite.connections import is_file
from promptadmin.errors import DomainError
from promptadmin.http.responses import to_json
from promptadmin.ops.backups.engines import store_of
from promptadmin.ops.backups.errors import BackupError
from promptadmin.ops.startup.sequence import pending_migrations
from promptadmin.plugins.declarations import HEALTH_FIELDS, enabled_plugins
from promptadmin.plugins.isolation import isolate_plugin_errors

router = Router(tags=["health"])


class HealthOut(Schema):
    """The state of the product. Strangers see `status` alone."""

    status: str = Field(examples=["ok"], description="`ok`, or `unavailable` with status 503")
    version: str | None = None
    db_connected: bool | None = None
    migrations_pending: int | None = None
    sqlite: str | None = Field(
        None,
        examples=["SQLite 3.53.4 from pysqlite3 0.6.1"],
        description="The SQLite that this process runs on; absent on PostgreSQL",
    )
    replica: str | None = Field(
        None, examples=["ok"], description="`ok`, or why reads go to the primary; absent without a replica"
    )
    last_proven_backup: dt.datetime | None = Field(
        None, examples=["2026-07-01T03:00:00Z"], description="The moment that the newest proven backup shows"
    )
    claude_available: bool | None = Field(None, description="PromptForge's name for llm_available")
    llm_available: bool | None = None
    llm_provider: str | None = Field(None, examples=["none"])
    llm_model: str | None = None
    mcp_connected: bool | None = None
    token_budgets: dict[str, Any] | None = None
    plugins: dict[str, dict[str, Any]] | None = Field(
        None, examples=[{"notes": {"waiting": 3}}], description="What plugins say of themselves, by their labels"
    )


@router.get(
    "/health",
    auth=None,
    throttle=[],
    response={200: HealthOut, 422: ValidationErrorOut, 503: HealthOut},
    exclude_unset=True,
    operation_id="get_health",
    summary="Whether the product works",
)
@opens_own_session
def get_health(request: HttpRequest) -> Status[dict[str, Any]]:
    """Answers 503 when the database doesn't answer. Callers with access see the details."""
    return Status(*_health(request))


@require_http_methods(["GET", "HEAD"])
def live(request: HttpRequest) -> HttpResponse:
    """Whether this process answers; asks nothing of the database."""
    return _json(200, {"status": "ok"})


@require_http_methods(["GET", "HEAD"])
def ready(request: HttpRequest) -> HttpResponse:
    """Whether requests can be served: the database answers, and is as this release needs it."""
    try:
        is_ready = _migrations_pending() == 0
    except DatabaseError:
        is_ready = False
    return _json(200, {"status": "ok"}) if is_ready else _json(503, {"status": "unavailable"})


def _json(status: int, answer: dict[str, Any]) -> HttpResponse:
    return HttpResponse(to_json(answer), status=status, content_type="application/json")


@require_http_methods(["GET", "HEAD", "OPTIONS"])
def health_alias(request: HttpRequest) -> HttpResponse:
    """The same at `/health`, where PromptForge's monitors look."""
    return _json(*_health(request))


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
            **({"sqlite": engine.describe()} if is_file(connections["default"]) else {}),
            **({"replica": replicas.state.problem or "ok"} if replicas.has_replica() else {}),
            "last_proven_backup": last_proven_backup(),
            **HEALTH_FIELDS,
            **_plugins_fields(),
        }
    return 200 if connected else 503, answer


def _plugins_fields() -> dict[str, Any]:
    """What the enabled plugins say of language models and MCP and, under their labels, of themselves."""
    found: dict[str, Any] = {}
    others: dict[str, dict[str, Any]] = {}
    for plugin in enabled_plugins():
        for name, path in plugin.health_fields.items():
            with isolate_plugin_errors(plugin.label, f"the health field {name}"):
                place = found if name in HEALTH_FIELDS else others.setdefault(plugin.label, {})
                place[name] = import_string(path)()
    return {**found, **({"plugins": others} if others else {})}


def _migrations_pending() -> int:
    """How many migrations the database lacks; reading them all takes longer than everything else here."""
    with read_session() as connection:
        return cached_until_write(connection, "pending migrations", lambda: len(pending_migrations(connection)))


def last_proven_backup() -> dt.datetime | None:
    """When it was made; None also where the directory of backups can't be read."""
    with contextlib.suppress(OSError, BackupError):
        last = store_of(connections["default"]).last_proven()
        return last.made_at if last else None
    return None


def _has_access(request: HttpRequest) -> bool:
    """Whoever has no access is a stranger, not an error; a wrong token counts as it does elsewhere."""
    with contextlib.suppress(DomainError):
        if any(way(request) for way in access("read")):
            return True
        if "Authorization" in request.headers:
            AddressThrottle().allow_request(request)
    return False
