"""Settings of plugins, read from the environment as the platform's own are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from django.utils.module_loading import import_string

from promptadmin.conf.environment import PREFIX, Environment

Kind = Literal["text", "flag", "number", "duration", "choice", "names"]
SHORTEST = dt.timedelta(seconds=1)


def variables_of(label: str) -> str:
    """How the names of a plugin's variables begin."""
    return f"{PREFIX}{label.upper()}_"


@dataclass(frozen=True)
class Setting:
    """A setting: LONGEST of the plugin `notes` is the variable PROMPTADMIN_NOTES_LONGEST, and `settings.NOTES_LONGEST`.

    `kind` says what the variable may hold and what the setting then is: a text, True or False, a whole number from
    `minimum` to `maximum`, a timedelta (written as in 90s, 30m, 6h, 1d), one of the `choices`, or a list of names,
    separated by commas. Where it is unset, the setting is `default`. `read` is the dotted path of a callable that takes
    the variable's name and one of the names, and returns it in its one form, or raises
    `django.core.exceptions.ImproperlyConfigured`.
    """

    name: str
    kind: Kind
    default: Any = None
    minimum: int = 0
    maximum: int = 2**31
    choices: tuple[str, ...] = ()
    read: str = ""

    def variable(self, label: str) -> str:
        """The environment variable's name, for the plugin with this label."""
        return f"{variables_of(label)}{self.name}"

    def value(self, label: str, environment: Environment) -> Any:
        """What the environment says. Raises ImproperlyConfigured, which names the variable, for a bad value."""
        name = self.variable(label)
        readers: dict[Kind, Callable[[], Any]] = {
            "text": lambda: environment.text(name, self.default or ""),
            "flag": lambda: environment.flag(name, default=bool(self.default)),
            "number": lambda: environment.number(name, self.default or 0, minimum=self.minimum, maximum=self.maximum),
            "duration": lambda: environment.duration(name, minimum=SHORTEST) or self.default,
            "choice": lambda: environment.choice(name, self.default or next(iter(self.choices), ""), self.choices),
            "names": lambda: environment.names(name, tuple(self.default or ()), **self._reader()),
        }
        read = readers.get(self.kind)  # of an unknown kind, a check tells
        return read() if read else self.default

    def _reader(self) -> dict[str, Callable[[str, str], str]]:
        return {"read": import_string(self.read)} if self.read else {}
