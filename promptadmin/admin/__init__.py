"""The admin pages of the platform's own tables, and of Django's in the theme's dress."""

from promptadmin.admin.accounts import GroupAdmin, UserAdmin
from promptadmin.admin.change_log import LogEntryAdmin
from promptadmin.admin.lockouts import AccessAttemptAdmin
from promptadmin.admin.tokens import ApiTokenAdmin

__all__ = ["AccessAttemptAdmin", "ApiTokenAdmin", "GroupAdmin", "LogEntryAdmin", "UserAdmin"]
