"""The key that signs sessions: from the environment, else made once and kept in the data directory."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.utils.crypto import get_random_string

FILE_NAME = "secret_key"
LENGTH = 64


def read_or_make_secret_key(given: str, data_dir: Path) -> str:
    """Return the given key, or the one in the data directory's 0600 file, made now if it isn't there.

    Raises ImproperlyConfigured when the given key is short, or the file can't be read or written.
    """
    if given:
        if len(given) < 32:
            raise ImproperlyConfigured("PROMPTADMIN_SECRET_KEY is too short: use at least 50 random characters.")
        return given
    path = data_dir / FILE_NAME
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _write_once(path)
        key = path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"PROMPTADMIN_DATA_DIR: {path} can't be read or made ({error.strerror}): "
            "give another directory, or set PROMPTADMIN_SECRET_KEY."
        ) from None
    if len(key) < 32:
        raise ImproperlyConfigured(f"{path} holds no key: delete it, and the next start makes a new one.")
    return key


def _write_once(path: Path) -> None:
    """Make the file whole or not at all: of two processes that start together, the first one's key stays."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(get_random_string(LENGTH))
    try:
        os.link(scratch, path)
    except FileExistsError:
        pass
    finally:
        scratch.unlink()
