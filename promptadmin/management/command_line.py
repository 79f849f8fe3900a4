"""Runs a command of `promptadmin`, and says in one line why it can't be run, or that it was interrupted."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError

from promptadmin.db.chosen_database import choose
from promptadmin.db.executor import GRAPH_ERRORS, explain_broken_graph
from promptadmin.plugins.declarations import explain_failed_import

if TYPE_CHECKING:
    from sys import UnraisableHookArgs


def run(arguments: list[str]) -> None:
    """Run the command that a command line names."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "promptadmin.settings")
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.unraisablehook = _interrupt_again
        if said := choose(arguments[1:], os.environ):
            sys.stderr.write(f"{said}\n")
            sys.stderr.flush()
        execute_from_command_line(arguments)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # one more would end it in a traceback
        sys.stderr.write("\nInterrupted. What was done so far is kept; run the same command again to go on.\n")
        sys.exit(130)  # what shells expect after Ctrl-C
    except ImproperlyConfigured as error:
        _stop(f"Wrong setting: {error}")
    except GRAPH_ERRORS as error:
        _stop(f"Wrong setting: {explain_broken_graph(error)}")
    except OperationalError as error:
        _stop(f"The database that DATABASE_URL names can't be used: {error}")
    except Exception:
        problem = "" if apps.ready else explain_failed_import(settings.ENABLED_PLUGINS)
        if not problem:
            raise
        _stop(f"Wrong setting: {problem}")


def _interrupt_again(unraisable: UnraisableHookArgs) -> None:
    """Python drops a Ctrl-C that arrives while it runs a destructor: press it once more, a moment later."""
    if isinstance(unraisable.exc_value, KeyboardInterrupt):
        threading.Timer(0.01, signal.pthread_kill, [threading.main_thread().ident, signal.SIGINT]).start()
    else:
        sys.__unraisablehook__(unraisable)


def _stop(message: str) -> NoReturn:
    """Exit with one line instead of a traceback, unless `--traceback` asks for that."""
    if "--traceback" in sys.argv:
        raise  # noqa: PLE0704  # only called while an error is being handled
    sys.exit(" ".join(message.split()))
