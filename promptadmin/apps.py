"""The platform's own Django applications."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig
from django.core import checks
from django.db.backends.signals import connection_created
from django.db.models.signals import pre_save


class PlatformConfig(AppConfig):
    """What every door needs: connections, checks and commands."""

    name = "promptadmin"
    verbose_name = "Administration"
    default = True

    def ready(self) -> None:
        """Connect the platform's receivers and checks."""
        from promptadmin import audit, plugin_checks, sqlite
        from promptadmin.models import LogEntry

        connection_created.connect(sqlite.configure_connection, dispatch_uid="promptadmin.sqlite")
        pre_save.connect(audit.sign_on_save, sender=LogEntry, dispatch_uid="promptadmin.audit")
        checks.register(sqlite.check_pragmas, checks.Tags.database)
        checks.register(sqlite.check_version, checks.Tags.database)
        checks.register(plugin_checks.check_declarations, plugin_checks.DECLARATIONS)
        checks.register(plugin_checks.check_imports, plugin_checks.IMPORTS)


class AdminConfig(DjangoAdminConfig):
    """Django's admin with promptadmin's site."""

    default = False
    default_site = "promptadmin.sites.AdminSite"
