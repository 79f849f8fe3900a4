#!/usr/bin/env python
"""Runs promptadmin's commands: `python manage.py help` lists them."""

import os
import sys
from typing import NoReturn

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError

from promptadmin.plugins import explain_failed_import


def main() -> None:
    """Run the command that the command line names."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "promptadmin.settings")
    try:
        execute_from_command_line(sys.argv)
    except KeyboardInterrupt:
        sys.exit("Interrupted. What was done so far is kept; run the same command again to go on.")
    except ImproperlyConfigured as error:
        _stop(f"Wrong setting: {error}")
    except OperationalError as error:
        _stop(f"The database that DATABASE_URL names can't be used: {error}")
    except Exception:
        problem = "" if apps.ready else explain_failed_import(settings.ENABLED_PLUGINS)
        if not problem:
            raise
        _stop(f"Wrong setting: {problem}")


def _stop(message: str) -> NoReturn:
    """Exit with one line instead of a traceback, unless `--traceback` asks for that."""
    if "--traceback" in sys.argv:
        raise  # noqa: PLE0704  # only called while an error is being handled
    sys.exit(" ".join(message.split()))


if __name__ == "__main__":
    main()
