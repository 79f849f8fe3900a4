"""The platform's own Django applications."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig
from django.core import checks
from django.db.backends.signals import connection_created


class PlatformConfig(AppConfig):
    """What every door needs: connections, checks and commands."""

    name = "promptadmin"
    default = True

    def ready(self) -> None:
        """Connect the platform's receivers and checks."""
        from promptadmin import sqlite
        from promptadmin.plugins import check_requirements

        check_requirements()
        connection_created.connect(sqlite.configure_connection, dispatch_uid="promptadmin.sqlite")
        checks.register(sqlite.check_pragmas, checks.Tags.database)
        checks.register(sqlite.check_version, checks.Tags.database)


class AdminConfig(DjangoAdminConfig):
    """Django's admin with promptadmin's site."""

    default = False
    default_site = "promptadmin.sites.AdminSite"
