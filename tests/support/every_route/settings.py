"""promptadmin's settings, with an application last that lowers its thresholds in each process."""

from promptadmin.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.support.every_route.apps.EveryRouteConfig"]  # noqa: F405
