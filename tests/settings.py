"""promptadmin's settings with every plugin that comes with it switched on.

Servers and commands that tests start in other processes have the product's own defaults.
"""

import os

os.environ["PROMPTADMIN_PLUGINS"] = "projects,optimizations,registry,clients,comments,lint,mcp,webhooks"
os.environ["OPENPYXL_LXML"] = "False"  # an engine of XML that tools of the tests bring, and users don't have

from promptadmin.settings import *  # noqa: F403

# The types of what plugins declare, for mypy.
WEBHOOKS_HOSTS: list[str]
WEBHOOKS_PRIVATE: bool
WEBHOOKS_ATTEMPTS: int
WEBHOOKS_RETRY_SECONDS: int
WEBHOOKS_KEEP_DAYS: int

INSTALLED_APPS = ["tests.support.quick_flush", *INSTALLED_APPS]  # noqa: F405
FETCH_SECONDS = 0  # a test writes the counts itself: a thread would write beside its transaction
BACKUP_EVERY = None  # else one would be due in a process that has run tests for a quarter of an hour
BACKUP_BY_DEFAULT = False
WHITENOISE_AUTOREFRESH = True  # else each test's client lists all static files first
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # Django's default takes its time on purpose
