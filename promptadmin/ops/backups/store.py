"""A directory of backups. Each backup is a directory of its own, which gets its name when it is complete and proven.

Until then, and again while it is being removed, its name ends in `.partial`: a process that is killed at any moment
leaves nothing else, and the next one removes it. One rename is all that makes a backup.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from promptadmin.db.legacy_values import parse_moment
from promptadmin.ops.backups.copying import flush
from promptadmin.ops.backups.errors import BackupError
from promptadmin.ops.backups.manifest import Manifest, read_manifest
from promptadmin.ops.backups.workspace import locked_directory

PARTIAL = ".partial"
DIRECTORY_MODE = 0o700
FILE_MODE = 0o600
#: Another machine's clock, as a database server's, may be ahead of ours by so much.
SKEW = dt.timedelta(minutes=5)
NAME = re.compile(r"promptadmin-\d{8}T\d{12}Z-[0-9a-f]{8}")


@dataclass(frozen=True)
class Backup:
    """A proven backup: its directory, and what its manifest says."""

    directory: Path
    manifest: Manifest

    @property
    def file(self) -> Path:
        return self.directory / self.manifest.file_name

    @property
    def made_at(self) -> dt.datetime:
        """The moment that it shows, by the clock of then; the first one of all where the manifest names none."""
        return parse_moment(self.manifest.made_at) or dt.datetime.min.replace(tzinfo=dt.UTC)

    def is_of_the_future(self, now: dt.datetime) -> bool:
        """Whether a clock that was wrong has dated it."""
        return self.made_at > now + SKEW


def default_directory() -> Path:
    """Where backups go unless told otherwise."""
    return Path(settings.DATA_DIR) / "backups"


@dataclass(frozen=True)
class Store:
    """The backups of one database, `source`, in one directory; those of others there are left alone."""

    directory: Path
    source: str

    @property
    def _mark(self) -> str:
        return hashlib.sha256(self.source.encode()).hexdigest()[:8]

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Make the directory where it is missing, and be the only one that changes it.

        Raises BackupError where another process makes a backup there.
        """
        with locked_directory(self.directory, unusable="name another place", in_use="makes a backup"):
            for partial in self.leftovers():
                shutil.rmtree(partial)
            yield

    def new_partial(self) -> Path:
        """A new directory to make a backup in."""
        stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%S%fZ")
        partial = self.directory / f"promptadmin-{stamp}-{self._mark}{PARTIAL}"
        try:
            partial.mkdir(mode=DIRECTORY_MODE)
        except OSError as error:
            raise BackupError(f"{self.directory} can't be written ({error.strerror}): name another place.") from None
        return partial

    def finish(self, partial: Path) -> Path:
        """Give a backup its name, once every byte of it is on the disk."""
        for file in partial.iterdir():
            file.chmod(FILE_MODE)
            flush(file)
        flush(partial)
        final = partial.with_name(partial.name.removesuffix(PARTIAL))
        partial.rename(final)
        flush(self.directory)
        return final

    def backups(self) -> Iterator[Backup]:
        """The proven backups of this database, the last one made first; what isn't whole is left out."""
        for backup in proven_backups(self.directory):
            if backup.manifest.source == self.source:
                yield backup

    def damaged(self) -> list[Path]:
        """The directories of this database's backups that aren't whole: no readable manifest, or another size."""
        whole = {backup.directory for backup in proven_backups(self.directory)}
        ours = self.directory.glob(f"promptadmin-*-{self._mark}")
        return sorted(path for path in ours if NAME.fullmatch(path.name) and path not in whole)

    def last_proven(self) -> Backup | None:
        """The last one made, but none that a clock has put into the future.

        Reads small files; checks that the backup's file is there with its size, not what is in it.
        """
        now = timezone.now()
        return next((backup for backup in self.backups() if not backup.is_of_the_future(now)), None)

    def next_number(self) -> int:
        """The number of the next backup in this directory, of whichever database."""
        return max((backup.manifest.number for backup in _readable_backups(self.directory)), default=0) + 1

    def prune(self, keep: int, made: Backup) -> list[Path]:
        """Remove all but the last backups of this database; returns the directories that were removed.

        The one just made stays.
        """
        others = [backup.directory for backup in self.backups() if backup.directory != made.directory]
        removed = others[keep - 1 :]
        for directory in removed:
            doomed = directory.with_name(directory.name + PARTIAL)
            directory.rename(doomed)
            shutil.rmtree(doomed)
        return removed

    def leftovers(self) -> list[Path]:
        """What killed processes left behind."""
        if not self.directory.is_dir():
            return []
        ending = f"-{self._mark}{PARTIAL}"
        return [
            path
            for path in sorted(self.directory.iterdir())
            if path.name.endswith(ending) and NAME.fullmatch(path.name.removesuffix(PARTIAL)) and path.is_dir()
        ]


def proven_backups(directory: Path) -> Iterator[Backup]:
    """The backups in a directory whose manifest can be read and whose file has its size, the last one made first.

    A clock that was wrong for a while changes nothing in their order, except among those of earlier releases.
    """
    found = sorted(
        _readable_backups(directory), key=lambda each: (each.manifest.number, each.directory.name), reverse=True
    )
    for backup in found:
        with contextlib.suppress(OSError):
            if backup.file.stat().st_size == backup.manifest.file.size:
                yield backup


def _readable_backups(directory: Path) -> Iterator[Backup]:
    for path in directory.iterdir() if directory.is_dir() else ():
        if NAME.fullmatch(path.name):
            with contextlib.suppress(BackupError, OSError):
                yield open_backup(path)


def last_made(directory: Path, now: dt.datetime) -> Backup:
    """The last backup made in a directory. Raises BackupError where there is none, or where the clock leaves doubts."""
    found = list(proven_backups(directory))
    if not found:
        raise BackupError(f"There is no proven backup in {directory}: name one that `backupdb` made.")
    past = [backup for backup in found if not backup.is_of_the_future(now)]
    latest = max(past, key=lambda backup: backup.made_at, default=None)
    if latest is None or found[0] != latest:
        second = f"{latest.directory.name} is dated {latest.manifest.made_at}" if latest else "none is dated earlier"
        raise BackupError(
            f"Which backup in {directory} is the newest can't be said, because the clock was wrong for a while: "
            f"{found[0].directory.name} was made last, and is dated {found[0].manifest.made_at}; {second}, and now it "
            f"is {now:%Y-%m-%dT%H:%M:%SZ}. Name the one that you mean, as in {found[0].directory}."
        )
    return latest


def open_backup(path: Path) -> Backup:
    """The backup that a path means: its directory, a file in it, or a directory of backups, of which the last one made.

    Raises BackupError where there is none, or where that is in doubt.
    """
    if path.is_dir() and not (path / "manifest.json").exists():
        return last_made(path, dt.datetime.now(dt.UTC))
    if not path.exists():
        raise BackupError(f"There is no {path}: name a backup that `backupdb` made.")
    directory = path if path.is_dir() else path.parent
    backup = Backup(directory, read_manifest(directory))
    if Path(backup.manifest.file_name).name != backup.manifest.file_name:
        raise BackupError(f"The manifest in {directory} names a file elsewhere: take another backup.")
    return backup
