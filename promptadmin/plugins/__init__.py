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
from promptadmin.plugins.page_parts import Action, Box, Column, Filter
from promptadmin.plugins.plugin_settings import Setting
from promptadmin.plugins.steps import JobResult, StepContext, StepResult

if TYPE_CHECKING:
    from promptadmin.accounts.roles import grant
    from promptadmin.api.app import errors, opens_own_session
    from promptadmin.api.auth import token_access
    from promptadmin.api.etags import Resource, checks_if_match, digest_tag, unless_known, with_etag
    from promptadmin.api.idempotency import once
    from promptadmin.audit import Change, log_saves
    from promptadmin.audit import record as record_changes
    from promptadmin.backoffice.dashboard import Dashboard
    from promptadmin.backoffice.readonly_admin import ReadOnlyAdmin, link_to, link_to_key, link_to_list
    from promptadmin.backoffice.repository_admin import RepositoryAdmin, RepositoryForm
    from promptadmin.backoffice.row_history import HistoryPage as ModelAdmin
    from promptadmin.context import Actor, current_actor
    from promptadmin.db.fields import Link
    from promptadmin.db.sessions import read_session, write_session
    from promptadmin.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, PreconditionFailed
    from promptadmin.plugins.events import Event, send

#: What is imported when it is first used → where it is, and what it is called there.
_LOADED_WHEN_USED = {
    "Actor": "promptadmin.context.Actor",
    "Change": "promptadmin.audit.Change",
    "Conflict": "promptadmin.errors.Conflict",
    "Dashboard": "promptadmin.backoffice.dashboard.Dashboard",
    "DomainError": "promptadmin.errors.DomainError",
    "Event": "promptadmin.plugins.events.Event",
    "Forbidden": "promptadmin.errors.Forbidden",
    "Invalid": "promptadmin.errors.Invalid",
    "Link": "promptadmin.db.fields.Link",
    "ModelAdmin": "promptadmin.backoffice.row_history.HistoryPage",
    "NotFound": "promptadmin.errors.NotFound",
    "PreconditionFailed": "promptadmin.errors.PreconditionFailed",
    "ReadOnlyAdmin": "promptadmin.backoffice.readonly_admin.ReadOnlyAdmin",
    "RepositoryAdmin": "promptadmin.backoffice.repository_admin.RepositoryAdmin",
    "RepositoryForm": "promptadmin.backoffice.repository_admin.RepositoryForm",
    "Resource": "promptadmin.api.etags.Resource",
    "checks_if_match": "promptadmin.api.etags.checks_if_match",
    "current_actor": "promptadmin.context.current_actor",
    "digest_tag": "promptadmin.api.etags.digest_tag",
    "errors": "promptadmin.api.app.errors",
    "grant": "promptadmin.accounts.roles.grant",
    "link_to": "promptadmin.backoffice.readonly_admin.link_to",
    "link_to_key": "promptadmin.backoffice.readonly_admin.link_to_key",
    "link_to_list": "promptadmin.backoffice.readonly_admin.link_to_list",
    "log_saves": "promptadmin.audit.log_saves",
    "once": "promptadmin.api.idempotency.once",
    "opens_own_session": "promptadmin.api.app.opens_own_session",
    "read_session": "promptadmin.db.sessions.read_session",
    "record_changes": "promptadmin.audit.record",
    "send": "promptadmin.plugins.events.send",
    "token_access": "promptadmin.api.auth.token_access",
    "unless_known": "promptadmin.api.etags.unless_known",
    "with_etag": "promptadmin.api.etags.with_etag",
    "write_session": "promptadmin.db.sessions.write_session",
}

__all__ = [
    "HEALTH_FIELDS",
    "Action",
    "Actor",
    "Box",
    "Change",
    "Column",
    "Conflict",
    "Dashboard",
    "DashboardFilter",
    "DashboardPanel",
    "DomainError",
    "Event",
    "Filter",
    "Forbidden",
    "Hit",
    "Invalid",
    "JobResult",
    "Link",
    "ModelAdmin",
    "NavigationPage",
    "NotFound",
    "PluginConfig",
    "PreconditionFailed",
    "ReadOnlyAdmin",
    "RepositoryAdmin",
    "RepositoryForm",
    "Resource",
    "RootApi",
    "Setting",
    "StartupStep",
    "StepContext",
    "StepResult",
    "TokenLimit",
    "UpkeepJob",
    "checks_if_match",
    "current_actor",
    "digest_tag",
    "errors",
    "grant",
    "link_to",
    "link_to_key",
    "link_to_list",
    "log_saves",
    "once",
    "opens_own_session",
    "read_session",
    "record_changes",
    "send",
    "token_access",
    "unless_known",
    "with_etag",
    "write_session",
]


def __getattr__(name: str) -> Any:
    if name not in _LOADED_WHEN_USED:
        raise AttributeError(f"promptadmin.plugins has no {name!r}; it has: {', '.join(__all__)}.")
    module, _, found = _LOADED_WHEN_USED[name].rpartition(".")
    return getattr(import_module(module), found)
