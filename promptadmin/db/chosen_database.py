"""Which database a command acts on: that of DATABASE_URL, else the one that `serve` used last.

`serve` keeps its choice in the file `database` of its data directory. Where that directory is another one of the
checkout, such as that of `make demo`, the file `data_dir` of the default data directory names it.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.core.exceptions import ImproperlyConfigured

from promptadmin.conf import places
from promptadmin.db.database_url import database_config

DATABASE, DATA_DIR = "database", "data_dir"
DEFAULT_NAME = "promptadmin.db"
LEFT_OUT = "***"  # stands where a password was

#: Commands that use no database, or one of their own.
WITHOUT = {
    *("help", "version", "plugins", "startplugin", "export_openapi", "make_demo_file", "selftest"),
    *("makemigrations", "makemessages", "compilemessages", "collectstatic", "findstatic", "diffsettings", "test"),
}
#: Commands that may meet a file that isn't there: they make it, or say so themselves.
WITHOUT_FILE = {"serve", "startup", "restoredb", "migrate", "doctor", "check", "shell"}


def choose(arguments: list[str], environ: MutableMapping[str, str]) -> str:
    """Complete the environment for a command line of `promptadmin`. Answers what to tell whoever runs it, or nothing.

    Raises ImproperlyConfigured where the command would act on a database that isn't there, or isn't known well enough.
    """
    command = next(iter(arguments), "help")
    if command.startswith("-") or command in WITHOUT or {"--help", "-h"} & set(arguments):
        return ""
    given, data_dir = environ.get("DATABASE_URL", "").strip(), _data_dir(environ)
    served = _served(data_dir)
    if command != "serve" and not environ.get("PROMPTADMIN_DATA_DIR", "").strip() and (other := _other_data_dir()):
        its = _served(other) or _url(other / DEFAULT_NAME)
        if not given or _same(given, its):
            data_dir, served = other, its
            environ["PROMPTADMIN_DATA_DIR"] = str(other)
        else:
            served = its
    if given:
        _check_there(given, command, "DATABASE_URL names it")
        if not served or _same(given, served):
            return ""
        return f"Database: {shown(given)}, as DATABASE_URL says. The server used another one last: {shown(served)}."
    if not served:
        _check_there(_url(data_dir / DEFAULT_NAME), command, "DATABASE_URL isn't set")
        return f"Database: {data_dir / DEFAULT_NAME}"
    kept = data_dir / DATABASE
    if LEFT_OUT in served:
        raise ImproperlyConfigured(
            f"DATABASE_URL isn't set. The server used {served} last, whose password isn't kept: "
            "set DATABASE_URL to it. "
            f"Without {kept} it would be {data_dir / DEFAULT_NAME}."
        )
    _check_there(served, command if command != "serve" else "", f"the server used it last, {kept} says")
    environ["DATABASE_URL"] = served
    return f"Database: {shown(served)}, which the server used last. DATABASE_URL would name another one."


def remember(data_dir: Path, url: str, config: dict[str, Any]) -> None:
    """Keep what `serve` uses, for commands that are told nothing else. Raises OSError where that can't be written."""
    path = config["NAME"]
    if "sqlite3" not in config["ENGINE"]:
        _keep(data_dir / DATABASE, without_passwords(url))
    elif path == data_dir / DEFAULT_NAME:
        (data_dir / DATABASE).unlink(missing_ok=True)
    else:  # relative within the data directory, which may be moved as a whole
        _keep(data_dir / DATABASE, _url(path.relative_to(data_dir) if path.is_relative_to(data_dir) else path))
    default = places.default_data_dir()
    if data_dir == default:
        (default / DATA_DIR).unlink(missing_ok=True)
    elif places.CHECKOUT and data_dir.is_relative_to(places.CHECKOUT):
        _keep(default / DATA_DIR, str(data_dir.relative_to(places.CHECKOUT)))


def without_passwords(url: str) -> str:
    """The URL with stars for what is secret in it."""
    url = re.sub(r"(?<=://)([^:/?#@]*):[^/?#]*@", rf"\1:{LEFT_OUT}@", url)
    return re.sub(r"(?i)([?&][^=&#]*password=)[^&#]+", rf"\1{LEFT_OUT}", url)


def shown(url: str) -> str:
    """How a person is told of a database: a file's path, or a URL without its password."""
    name = _config(url).get("NAME")
    return str(name) if isinstance(name, Path) else without_passwords(url)


def file_url(text: str, *, new: bool) -> str:
    """The DATABASE_URL of a SQLite file that a person names. Raises ImproperlyConfigured where it isn't there."""
    path = Path(text).absolute()
    if "://" in text:
        raise ImproperlyConfigured(f"DB={text!r} is no file: `make run` without DB takes a DATABASE_URL.")
    if path.is_dir():
        raise ImproperlyConfigured(f"DB={text!r} is a directory: name a file.")
    if not path.exists() and not new:
        raise ImproperlyConfigured(f"DB={text!r}: there is no file {path}. To make a new database there, add NEW=1.")
    if not path.parent.is_dir():
        raise ImproperlyConfigured(f"DB={text!r}: there is no directory {path.parent}.")
    try:
        return _url(path)
    except UnicodeEncodeError:
        raise ImproperlyConfigured(f"DB={text!r}: a name that isn't UTF-8 can't be used. Rename the file.") from None


def _url(path: Path) -> str:
    return f"sqlite:///{quote(str(path))}"


def _config(url: str) -> dict[str, Any]:
    try:
        return database_config(url)
    except ImproperlyConfigured:  # the settings say what is wrong with it
        return {}


def _same(one: str, other: str) -> bool:
    first, second = _config(one), _config(other)
    return all(first.get(key) == second.get(key) for key in ("ENGINE", "HOST", "PORT", "NAME"))


def _check_there(url: str, command: str, why: str) -> None:
    path = _config(url).get("NAME")
    if (
        command not in WITHOUT_FILE
        and isinstance(path, Path)
        and not path.exists()
        and not Path(f"{path}-wal").exists()
    ):
        raise ImproperlyConfigured(
            f"There is no database {path}, and {why}. Set DATABASE_URL or PROMPTADMIN_DATA_DIR as for the server; "
            "`promptadmin startup` and `serve` make a new database."
        )


def _data_dir(environ: MutableMapping[str, str]) -> Path:
    given = environ.get("PROMPTADMIN_DATA_DIR", "").strip()
    return Path(given).expanduser().absolute() if given else places.default_data_dir()


def _served(data_dir: Path) -> str:
    """What `serve` kept in a data directory, with a relative file's whole path; nothing where it kept nothing."""
    kept = _read(data_dir / DATABASE)
    if kept.startswith("sqlite:///") and not kept.startswith("sqlite:////"):
        return f"sqlite:///{quote(str(data_dir))}/{kept.removeprefix('sqlite:///')}"
    return kept


def _other_data_dir() -> Path | None:
    if not places.CHECKOUT:
        return None
    kept = _read(places.default_data_dir() / DATA_DIR)
    return places.CHECKOUT / kept if kept and (places.CHECKOUT / kept).is_dir() else None


def _read(path: Path) -> str:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return path.read_text(encoding="utf-8").strip()
    return ""


def _keep(path: Path, line: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    scratch = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(f"{line}\n")
    scratch.replace(path)


if __name__ == "__main__":  # for the Makefile, which gets the URL of the file DB
    try:
        sys.stdout.write(file_url(os.environ["RUN_DB"], new=bool(os.environ.get("RUN_NEW"))))
    except ImproperlyConfigured as error:
        sys.exit(str(error))
