"""The tests' settings with the plugin `registry`, which is off by default, switched on as well."""

from promptadmin.plugins.declarations import app_paths
from tests.settings import *  # noqa: F403

ENABLED_PLUGINS = [*ENABLED_PLUGINS, "registry"]  # noqa: F405
INSTALLED_APPS = [*INSTALLED_APPS, *app_paths(["registry"])]  # noqa: F405
