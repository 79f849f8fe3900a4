"""Checks by their ids, and what a check is given and gives back."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from inspect import cleandoc

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.plugins.declarations import enabled_plugins
from promptadmin.plugins.isolation import isolate_plugin_errors


class Severity(enum.IntEnum):
    """How bad a finding is. `NOTE` asks for nothing; `SKIPPED` says why a check wasn't made."""

    OK = 0
    SKIPPED = 1
    NOTE = 2
    WARNING = 3
    ERROR = 4


class Needs(enum.IntEnum):
    """What must be there for a check to be made."""

    NOTHING = 0
    DATABASE = 1  # one that can be opened
    TABLES = 2  # and has no pending migrations


@dataclass(frozen=True)
class Finding:
    """One line of the page, and what to do where that isn't obvious from it."""

    severity: Severity
    message: str
    advice: str = ""


def counted(count: int, one: str, many: str = "") -> str:
    """A number of things, in words: `many` where adding an s to `one` doesn't do."""
    return f"{count} {one if count == 1 else many or one + 's'}"


@dataclass(frozen=True)
class Examination:
    """What a check works with.

    `full` asks for everything, however long it takes; otherwise reading whole tables ends after some seconds.
    """

    connection: BaseDatabaseWrapper
    now: dt.datetime
    full: bool = False


Function = Callable[[Examination], Iterator[Finding]]


@dataclass(frozen=True)
class Check:
    """A check: the first line of its function's docstring is its title, the rest what `--explain` tells."""

    id: str
    function: Function
    needs: Needs
    engines: tuple[str, ...]

    @property
    def title(self) -> str:
        """What it looks at."""
        return self._text.split("\n", 1)[0].rstrip(".")

    @property
    def explanation(self) -> str:
        """What its findings mean, and what to do about them."""
        return self._text.split("\n", 1)[-1].strip()

    @property
    def _text(self) -> str:
        return cleandoc(self.function.__doc__ or "")


_checks: dict[str, Check] = {}


def check(
    id: str,  # noqa: A002  # the word that the page uses
    *,
    needs: Needs = Needs.TABLES,
    engines: tuple[str, ...] = ("sqlite", "postgresql"),
) -> Callable[[Function], Function]:
    """Register a function that yields findings; one that finds nothing wrong yields one that is `OK`.

    Raises ImproperlyConfigured for an id that another check has.
    """

    def register(function: Function) -> Function:
        known = _checks.get(id)
        if known and known.function.__module__ != function.__module__:
            raise ImproperlyConfigured(f"{function.__module__}: {known.function.__module__} has a check {id} already.")
        _checks[id] = Check(id, function, needs, engines)
        return function

    return register


def all_checks() -> list[Check]:
    """The platform's checks and those of every enabled plugin: the platform's first, by id."""
    import_module("promptadmin.ops.doctor.checks")
    for plugin in enabled_plugins():
        module = f"{plugin.name}.doctor"
        with isolate_plugin_errors(plugin.label, f"its module {module}"):  # which D302 tells
            if find_spec(module) is not None:
                import_module(module)
    return sorted(_checks.values(), key=lambda item: (not item.id.startswith("D"), item.id))
