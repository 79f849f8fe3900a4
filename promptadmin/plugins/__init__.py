"""The whole contract of plugins: what a plugin may import from promptadmin stands here, and nothing else does.

What an `apps.py` needs is imported at once. The rest needs Django's applications to be loaded, and is imported when it
is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from promptadmin.plugins.declarations import (
    HEALTH_FIELDS,
    DashboardFilter,
    DashboardPanel,
    Hit,
    NavigationPage,
    PluginConfig,
    RootApi,
    StartupStep,
    TokenLimit,
    UpkeepJob,
)
from promptadmin.plugins.steps import JobResult, StepContext, StepResult

if TYPE_CHECKING:
    from promptadmin.accounts.roles import grant
    from promptadmin.api.app import errors, opens_own_session
    from promptadmin.api.auth import token_access
    from promptadmin.api.idempotency import once
    from promptadmin.backoffice.dashboard import Dashboard
    from promptadmin.db.fields import Link
    from promptadmin.db.sessions import read_session, write_session
    from promptadmin.errors import DomainError
    from promptadmin.plugins.events import Event, send
    from promptadmin.plugins.steps import JobResult, StepContext, StepResult

__all__ = [
    "HEALTH_FIELDS",
    "Dashboard",
    "DashboardFilter",
    "DashboardPanel",
    "DomainError",
    "Event",
    "Hit",
    "JobResult",
    "Link",
    "NavigationPage",
    "PluginConfig",
    "RootApi",
    "StartupStep",
    "StepContext",
    "StepResult",
    "TokenLimit",
    "UpkeepJob",
    "errors",
    "grant",
    "once",
    "opens_own_session",
    "read_session",
    "send",
    "token_access",
    "write_session",
]

_LOADED_WHEN_USED = {
    "Dashboard": "promptadmin.backoffice.dashboard",
    "Event": "promptadmin.plugins.events",
    "DomainError": "promptadmin.errors",
    "Link": "promptadmin.db.fields",
    "errors": "promptadmin.api.app",
    "grant": "promptadmin.accounts.roles",
    "once": "promptadmin.api.idempotency",
    "opens_own_session": "promptadmin.api.app",
    "read_session": "promptadmin.db.sessions",
    "send": "promptadmin.plugins.events",
    "token_access": "promptadmin.api.auth",
    "write_session": "promptadmin.db.sessions",
}


def __getattr__(name: str) -> Any:
    if name not in _LOADED_WHEN_USED:
        raise AttributeError(f"promptadmin.plugins has no {name!r}; it has: {', '.join(__all__)}.")
    return getattr(import_module(_LOADED_WHEN_USED[name]), name)
