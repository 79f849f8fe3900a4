"""The backups on the operators' page: which there are, when they ran, making one, and downloading one."""

from __future__ import annotations

import datetime as dt
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.db import DEFAULT_DB_ALIAS, connections
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST

from promptadmin.audit import Change, record
from promptadmin.db.sessions import write_session
from promptadmin.exchange.downloads import place_to_send
from promptadmin.models import Maintenance
from promptadmin.ops.backups.engines import store_of
from promptadmin.ops.backups.errors import BackupError
from promptadmin.ops.backups.manifest import FILE_NAME
from promptadmin.ops.backups.process import is_under_way, kept_runs, start_backup
from promptadmin.ops.kept_copies import kept_copies

BACKUPS_SHOWN = 20
BLOCK = 1 << 16

may_maintain = permission_required("promptadmin.run_maintenance", raise_exception=True)


@dataclass(frozen=True)
class Entry:
    """A backup that is there, or one that failed or is damaged: then `problem` says why, and nothing is known of it."""

    made_at: dt.datetime
    name: str = ""
    size: int = 0
    rows: int = 0
    problem: str = ""


class _Sent(StreamingHttpResponse):
    """A file of a known length, which has one of the process's places for files that are sent until it is closed."""

    def __init__(self, parts: Iterator[bytes], length: int, name: str) -> None:
        # A backup is compressed, or not worth it: `identity` keeps the middleware from trying.
        headers = {"Content-Length": str(length), "Content-Encoding": "identity", "Cache-Control": "no-store"}
        with ExitStack() as stack:
            stack.enter_context(place_to_send())
            super().__init__(parts, content_type="application/octet-stream", headers=headers)
            self["Content-Disposition"] = content_disposition_header(True, name) or ""
            self._place = stack.pop_all()

    def close(self) -> None:
        super().close()
        self._place.close()


def backups_context(user: Any) -> dict[str, Any]:
    """What the page shows of backups."""
    connection = connections[DEFAULT_DB_ALIAS]
    runs, under_way = kept_runs(DEFAULT_DB_ALIAS), is_under_way()
    last_run = next(iter(runs), None)
    proven = [
        Entry(backup.made_at, backup.directory.name, backup.manifest.file.size, backup.manifest.rows)
        for backup in islice(store_of(connection).backups(), BACKUPS_SHOWN)
    ]
    failed = [Entry(run.ran_at, problem=run.message) for run in runs if not run.changed and run.warnings]
    last = store_of(connection).last_proven()
    return {
        "backups": sorted([*proven, *failed], key=lambda entry: entry.made_at, reverse=True)[:BACKUPS_SHOWN],
        "last_proven": last,
        "next_backup": last.made_at + settings.BACKUP_EVERY if last and settings.BACKUP_EVERY else None,
        "is_scheduled": settings.BACKUP_EVERY is not None,
        "damaged": [path.name for path in store_of(connection).damaged()],
        "backup_directory": store_of(connection).directory,
        "backup_under_way": under_way,
        "backup_run": last_run,
        "copies": kept_copies(connection),
        "may_download": user.is_superuser,
    }


@may_maintain
@require_POST
def make_backup_view(request: HttpRequest) -> HttpResponse:
    """Start `promptadmin backupdb`; the page shows how it went."""
    try:
        start_backup(DEFAULT_DB_ALIAS)
    except BackupError as error:
        messages.error(request, str(error))
        return redirect("admin:operations")
    _note("backup", "backup", {"backup": "started"})
    messages.success(request, "A backup is being made: load this page again to see how it went.")
    return redirect("admin:operations")


@require_POST
def download_view(request: HttpRequest, name: str) -> HttpResponseBase:
    """A backup as an archive of its directory, which `restoredb` takes once it is unpacked; or a kept copy as it is.

    For superusers alone: the file has everybody's sessions and the hashes of their passwords.
    """
    if not request.user.is_superuser:
        raise PermissionDenied
    connection = connections[DEFAULT_DB_ALIAS]
    copy = next((copy.file for copy in kept_copies(connection) if copy.file.name == name), None)
    if copy is not None:
        parts, length, file_name = _whole(copy), copy.stat().st_size, name
    else:
        backup = next((each for each in store_of(connection).backups() if each.directory.name == name), None)
        if backup is None:
            raise Http404(f"There is no backup {name}.")
        files = [backup.file, backup.directory / FILE_NAME]
        parts, length, file_name = _archive(files), _archive_length(files), f"{name}.tar"
    answer = _Sent(parts, length, file_name)
    _note("backup", file_name, {"backup": "downloaded"})
    return answer


def _archive(files: list[Path]) -> Iterator[bytes]:
    """A tar archive of files and the name of their directory, made while it is read."""
    for file in files:
        yield _head(file)
        yield from _whole(file)
        yield bytes(-file.stat().st_size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _archive_length(files: list[Path]) -> int:
    sizes = [file.stat().st_size for file in files]
    return sum(len(_head(file)) for file in files) + sum(size + -size % tarfile.BLOCKSIZE for size in sizes) + 1024


def _head(file: Path) -> bytes:
    facts = file.stat()
    info = tarfile.TarInfo(f"{file.parent.name}/{file.name}")
    info.size, info.mtime, info.mode = facts.st_size, int(facts.st_mtime), 0o600
    return info.tobuf()


def _whole(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while block := opened.read(BLOCK):
            yield block


def _note(key: str, title: str, after: dict[str, Any]) -> None:
    with write_session():
        record(Change(model=Maintenance, key=key, title=title, before={}, after=after), using=DEFAULT_DB_ALIAS)
