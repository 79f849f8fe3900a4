"""The platform's own Django applications."""

from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin import autodiscover
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.contrib.auth.signals import user_logged_in
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.signals import connection_created
from django.db.models.signals import pre_save


def read_plugin_settings() -> None:
    """Put what the environment says of plugins into Django's settings. Raises ImproperlyConfigured.

    Each plugin's declarations are imported by now, which those themselves wait for.
    """
    from promptadmin.plugins.declarations import enabled_plugins
    from promptadmin.plugins.plugin_settings import Setting

    for plugin in enabled_plugins():
        for setting in plugin.settings:
            if isinstance(setting, Setting):  # a check tells of anything else
                name = f"{plugin.label.upper()}_{setting.name}"
                if hasattr(settings, name):
                    raise ImproperlyConfigured(
                        f"(plugins.E002) Plugin {plugin.label!r}: there is a setting {name} already: rename it."
                    )
                setattr(settings, name, setting.value(plugin.label, settings.ENVIRONMENT))


class PlatformConfig(AppConfig):
    """What every door needs: connections, checks and commands."""

    name = "promptadmin"
    verbose_name = "Administration"
    default = True

    def ready(self) -> None:
        from promptadmin import audit
        from promptadmin.accounts import session_limits
        from promptadmin.conf import system_checks as environment_checks
        from promptadmin.db.sqlite import connections as sqlite
        from promptadmin.db.sqlite import system_checks
        from promptadmin.models import LogEntry
        from promptadmin.plugins import checks as plugin_checks
        from promptadmin.plugins import table_checks

        read_plugin_settings()
        connection_created.connect(sqlite.configure_connection, dispatch_uid="promptadmin.db.sqlite.connections")
        pre_save.connect(audit.sign_on_save, sender=LogEntry, dispatch_uid="promptadmin.audit")
        user_logged_in.connect(session_limits.note_sign_in, dispatch_uid="promptadmin.accounts.session_limits")
        checks.register(system_checks.check_pragmas, checks.Tags.database)
        checks.register(system_checks.check_version, checks.Tags.database)
        checks.register(environment_checks.check_variables)
        checks.register(plugin_checks.check_declarations, plugin_checks.DECLARATIONS)
        checks.register(plugin_checks.check_imports, plugin_checks.IMPORTS)
        checks.register(table_checks.check_tables, checks.Tags.models)


class AdminConfig(SimpleAdminConfig):
    """Django's admin with promptadmin's site.

    Its pages are imported with the addresses that lead to them (`promptadmin.urls`): commands start without them.
    """

    default = False
    default_site = "promptadmin.backoffice.site.AdminSite"

    def ready(self) -> None:
        """Register the admin's checks, which need its pages."""
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(_check_pages, checks.Tags.admin)


def _check_pages(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    autodiscover()
    return check_admin_app(app_configs, **kwargs)
