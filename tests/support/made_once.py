"""Files that are made once in a run of the tests, whichever of its workers needs them first."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class MadeOnce:
    """A directory of the run that all of its workers share."""

    directory: Path

    def __call__(self, name: str, make: Callable[[Path], object]) -> bytes:
        """The bytes of the file that `make` makes at a path."""
        path = self.directory / name
        self.directory.mkdir(exist_ok=True)
        with path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                partial = path.with_suffix(".partial")
                partial.unlink(missing_ok=True)  # of a worker whose making failed
                make(partial)
                partial.rename(path)
        return path.read_bytes()
