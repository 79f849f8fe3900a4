"""Packing and unpacking a backup's file in a stream, with the SHA-256 of what goes in and of what comes out."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, Any

from promptadmin.ops.backups.errors import BackupError
from promptadmin.ops.backups.manifest import StoredFile
from promptadmin.ops.progress import bar

CHOICES = ("zstd", "none")
SUFFIXES = {"zstd": ".zst", "none": ""}
BLOCK = 1024 * 1024


class _Hashing:
    """Passes reads on and keeps the size and hash of what was read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._size = 0

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self._digest.update(block)
        self._size += len(block)
        return block

    @property
    def seen(self) -> StoredFile:
        return StoredFile(self._size, self._digest.hexdigest())


def check_compression(compression: str) -> None:
    """Raise BackupError where this Python can't compress so."""
    if compression == "zstd":
        _zstd()


def describe(path: Path, label: str) -> StoredFile:
    with path.open("rb") as file:
        hashing = _Hashing(file)
        _stream(hashing.read, _ignore, label, path.stat().st_size)
        return hashing.seen


def pack(path: Path, compression: str) -> Path:
    """Compress a file into one beside it, or leave it as it is; returns the one to keep."""
    if compression == "none":
        return path
    packed = path.with_name(path.name + SUFFIXES[compression])
    zstd = _zstd()
    options = {zstd.CompressionParameter.checksum_flag: 1}
    with path.open("rb") as source, packed.open("xb") as file, zstd.ZstdFile(file, "w", options=options) as target:
        _stream(source.read, target.write, "compress", path.stat().st_size)
    return packed


def unpack(packed: Path, compression: str, target: Path | None) -> tuple[StoredFile, StoredFile]:
    """Write the unpacked file to `target`, if given; returns what was read and what came out of it.

    Raises BackupError where the file can't be unpacked.
    """
    with packed.open("rb") as file, target.open("xb") if target else nullcontext() as output:
        source = _Hashing(file)
        errors, opened = _opened(source, compression)
        try:
            with opened as stream:
                plain = _Hashing(stream)
                _stream(plain.read, output.write if output else _ignore, "unpack", None)
            while source.read(BLOCK):
                pass  # bytes behind the end of the compressed stream count too
        except errors as error:
            raise BackupError(f"{packed} is damaged: it can't be unpacked ({error}). Take another backup.") from None
        return source.seen, plain.seen


def _opened(source: _Hashing, compression: str) -> tuple[Any, AbstractContextManager[Any]]:
    """The errors that damaged bytes cause, and the stream of unpacked bytes."""
    if compression == "none":
        return (), nullcontext(source)
    if compression != "zstd":
        raise BackupError(f"This release can't unpack {compression!r}: restore with a newer one.")
    zstd = _zstd()
    return (zstd.ZstdError, EOFError), zstd.ZstdFile(source, "r")


def _stream(read: Callable[[int], bytes], write: Callable[[bytes], Any], label: str, total: int | None) -> None:
    with bar(label, total=total) as progress:
        while block := read(BLOCK):
            write(block)
            progress.update(len(block))


def _ignore(block: bytes) -> None:
    pass


def _zstd() -> Any:
    """The module of the standard library from Python 3.14 on, and the package that brings it to earlier ones."""
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError:
        raise BackupError(
            "Compressing needs the package backports.zstd: run `make install`, or use --compress none."
        ) from None
    return zstd
