"""Files that people upload: how large they may be, and where one waits between its preview and its import."""

from __future__ import annotations

import re
import secrets
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler
from import_export.tmp_storages import BaseStorage

from promptadmin.conf.limits import IMPORT_BYTES, MEBIBYTE, UPLOAD_HOURS
from promptadmin.exchange.base_formats import Unreadable

NAME = re.compile(r"[0-9a-f]{32}")
EXPIRED = "This preview is no longer there: upload the file again."


class LimitedUpload(FileUploadHandler):
    """Refuses a request that is larger than any import, before it is read."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,  # noqa: N803  # Django's name
        content_length: int,
        boundary: Any,
        encoding: Any = None,
    ) -> None:
        """Look at the length alone; the forms around a file take less than a MiB."""
        if content_length > IMPORT_BYTES + MEBIBYTE:
            raise RequestDataTooBig(f"Send at most {IMPORT_BYTES // MEBIBYTE} MiB at once.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Leave it to the next handler."""


class WaitingFiles(BaseStorage):  # the library's forms carry the name of a file from the preview to the import
    """Files in the data directory that only this process' user reads, under names that nobody can guess."""

    def save(self, data: bytes) -> None:
        """Keep a file, and remove those that nobody has confirmed."""
        directory = _directory()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for file in directory.iterdir():
            if time.time() - file.stat().st_mtime > UPLOAD_HOURS * 3600:
                file.unlink(missing_ok=True)
        self.name = secrets.token_hex(16)
        path = directory / self.name
        path.touch(mode=0o600)
        path.write_bytes(data)

    def read(self) -> bytes:
        """The file. Raises Unreadable if it is no longer there."""
        try:
            return self._path().read_bytes()
        except OSError as error:
            raise Unreadable(EXPIRED) from error

    def remove(self) -> None:
        self._path().unlink(missing_ok=True)

    def _path(self) -> Path:
        if not NAME.fullmatch(self.name or ""):
            raise Unreadable(EXPIRED)
        return _directory() / self.name


def _directory() -> Path:
    return Path(settings.DATA_DIR) / "uploads"
