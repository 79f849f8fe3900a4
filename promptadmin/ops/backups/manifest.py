"""The manifest beside each backup: what the backup is of, and everything that it can be checked against."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from promptadmin.ops.backups.contents import Contents, Table
from promptadmin.ops.backups.errors import BackupError

FILE_NAME = "manifest.json"
FORMAT = "promptadmin-backup-1"


@dataclass(frozen=True)
class StoredFile:
    """A file's size in bytes and its SHA-256."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What is known of a proven backup.

    `file` is as it lies in the backup, `unpacked` the same without the compression: a SQLite file, or an archive of
    pg_dump. `source` names the database, `made_at` (UTC, ISO 8601) the moment that the backup shows. `number` counts
    the backups of a directory in the order in which they were made, whatever the clock said; those of earlier releases
    have 0.
    """

    name: str
    made_at: str
    source: str
    engine: str
    engine_version: str
    promptadmin: str
    migrations: list[str]
    file_name: str
    compression: str
    file: StoredFile
    unpacked: StoredFile
    contents: Contents
    broken_links: dict[str, int]
    seconds: float
    locale: dict[str, str] = field(default_factory=dict)
    number: int = 0

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.contents.tables.values())

    def as_json(self) -> dict[str, Any]:
        """The document as it is written, with its own checksum."""
        document = {"format": FORMAT, **asdict(self)}
        return {**document, "checksum": _checksum(document)}

    def write(self, directory: Path) -> None:
        text = json.dumps(self.as_json(), indent=1, ensure_ascii=True)
        (directory / FILE_NAME).write_text(text + "\n")


def read_manifest(directory: Path) -> Manifest:
    """The manifest of the backup in a directory. Raises BackupError where it is missing, or not as it was written."""
    path = directory / FILE_NAME
    try:
        document = json.loads(path.read_bytes())
        checksum = document.pop("checksum")
        if document.pop("format") != FORMAT:
            raise BackupError(f"{path} has a format that this release can't read: restore it with a newer one.")
        if checksum != _checksum({"format": FORMAT, **document}):
            raise ValueError("checksum")
        contents = document.pop("contents")
        tables = {name: Table(**table) for name, table in contents["tables"].items()}
        document["file"] = StoredFile(**document["file"])
        document["unpacked"] = StoredFile(**document["unpacked"])
        return Manifest(**document, contents=Contents(contents["schema"], tables))
    except OSError as error:
        raise BackupError(f"{path} can't be read ({error.strerror}): name a backup that `backupdb` made.") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BackupError(f"{path} is damaged: it is not as `backupdb` wrote it. Take another backup.") from None


def _checksum(document: dict[str, Any]) -> str:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
