"""Typed readers of environment variables; a bad value is an error that names the variable."""

import datetime as dt
import difflib
import ipaddress
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

PREFIX = "PROMPTADMIN_"
_BOOLEANS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Environment:
    """Reads settings from a mapping of strings, normally `os.environ`. `asked_for` has their names."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.asked_for: set[str] = set()
        #: How the names of variables begin that belong to somebody who isn't here to ask.
        self.of_others: tuple[str, ...] = ()

    def unknown(self) -> dict[str, str]:
        """Variables named like ours that nobody asked for, each with the nearest name that was asked for, if any."""
        found = {}
        words = {name.removeprefix(PREFIX): name for name in self.asked_for}
        for name in sorted(self._variables):
            if name.startswith(PREFIX) and name not in self.asked_for and not name.startswith(self.of_others):
                nearest = difflib.get_close_matches(name.removeprefix(PREFIX), words, 1)
                found[name] = words[nearest[0]] if nearest else ""
        return found

    def text(self, name: str, default: str = "") -> str:
        """The variable's text without blanks around it; unset or blank gives the default."""
        self.asked_for.add(name)
        return self._variables.get(name, "").strip() or default

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A yes-or-no variable: 1/0, true/false, yes/no, on/off in any case."""
        value = self.text(name)
        if not value:
            return default
        try:
            return _BOOLEANS[value.lower()]
        except KeyError:
            raise ImproperlyConfigured(f"{name}={value!r}: use 1 or 0 (also true/false, yes/no, on/off).") from None

    def number(self, name: str, default: int, *, minimum: int = 0, maximum: int = 2**31) -> int:
        """A whole number from minimum to maximum."""
        value = self.text(name)
        if not value:
            return default
        try:
            number = int(value)
        except ValueError:
            number = minimum - 1
        if not minimum <= number <= maximum:
            raise ImproperlyConfigured(f"{name}={value!r}: use a whole number from {minimum} to {maximum}.")
        return number

    def duration(self, name: str, *, minimum: dt.timedelta) -> dt.timedelta | None:
        """A number with its unit, such as 90s, 30m, 6h or 1d; unset or blank gives None."""
        value = self.text(name)
        if not value:
            return None
        found = re.fullmatch(r"([0-9]{1,6}) ?([smhd])", value.lower())
        duration = dt.timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None
        if duration is None or duration < minimum:
            least = f"{minimum.total_seconds():.0f}s"
            raise ImproperlyConfigured(
                f"{name}={value!r}: use a number and s, m, h or d, such as 6h; at least {least}."
            )
        return duration

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        """One of some words, in any case; as it stands in `choices`."""
        value = self.text(name, default)
        for choice in choices:
            if choice.lower() == value.lower():
                return choice
        raise ImproperlyConfigured(f"{name}={value!r}: use one of {', '.join(choices)}.")

    def names(
        self, name: str, default: tuple[str, ...] = (), *, read: Callable[[str, str], str] = lambda name, item: item
    ) -> list[str]:
        """A list separated by commas; set but empty gives no names, unset gives the default.

        `read` gets the variable's name and an item, and answers the item in its one form.
        """
        self.asked_for.add(name)
        if name not in self._variables:
            return list(default)
        return [read(name, item.strip()) for item in self._variables[name].split(",") if item.strip()]

    def cookie_name(self, name: str, default: str) -> str:
        value = self.text(name, default)
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", value):
            raise ImproperlyConfigured(f"{name}={value!r}: use up to 64 letters and digits of ASCII, and . _ -")
        return value

    def secret(self, name: str) -> str:
        """What programs send as a bearer token: nothing, or enough characters that nobody guesses them."""
        value = self.text(name)
        if value and not re.fullmatch("[!-~]{20,}", value):
            raise ImproperlyConfigured(f"{name}: use at least 20 letters, digits and signs of ASCII, without blanks.")
        return value

    def listening_address(self, name: str) -> tuple[str, int] | None:
        """An address of this machine with a port, such as 127.0.0.1:9100 or [::1]:9100; unset or blank gives None."""
        value = self.text(name)
        if not value:
            return None
        host, _, port = value.rpartition(":")
        try:
            shown = str(ipaddress.ip_address(host.removeprefix("[").removesuffix("]")))
        except ValueError:
            shown = ""
        if not shown or (":" in shown) != host.startswith("[") or not re.fullmatch("[0-9]{1,5}", port):
            raise ImproperlyConfigured(f"{name}={value!r}: use the form 127.0.0.1:9100 or [::1]:9100.")
        if not 1 <= int(port) <= 65535:
            raise ImproperlyConfigured(f"{name}={value!r}: use a port from 1 to 65535.")
        return shown, int(port)

    def directory(self, name: str, default: Path) -> Path:
        """A directory's absolute path; a relative one counts from the current directory."""
        value = self.text(name)
        try:
            path = Path(value).expanduser().absolute() if value else default
        except RuntimeError as error:
            raise ImproperlyConfigured(f"{name}={value!r}: {error} Write the whole path.") from None
        if path.exists() and not path.is_dir():
            raise ImproperlyConfigured(f"{name}={str(path)!r} is a file: name a directory.")
        return path
