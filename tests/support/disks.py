"""File systems that tests can fill, or break."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.services import absent


@contextlib.contextmanager
def small_disk(directory: Path, size: int) -> Iterator[Path]:
    """A file system of so many bytes."""
    directory.mkdir()
    _mount(directory, "-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs")
    try:
        yield directory
    finally:
        subprocess.run(["umount", str(directory)], check=True)


@dataclass(frozen=True)
class BreakableDisk:
    """An ext4 file system, and the file by which its kernel is told to find an error in it."""

    directory: Path
    trigger: Path

    def breaks(self) -> None:
        """It is read-only from now on, also for who has its files open; nothing but mounting it anew ends that."""
        self.trigger.write_text("1")


@contextlib.contextmanager
def breakable_disk(directory: Path, size: int) -> Iterator[BreakableDisk]:
    """A file system of so many bytes that the kernel makes read-only when it is broken, as it does with real ones.

    `mount -o remount,ro` can't do that: it is refused as long as anybody has a file open to write.
    """
    directory.mkdir()
    image = directory.with_name(f"{directory.name}.img")
    with image.open("wb") as file:
        file.truncate(size)
    if not shutil.which("mkfs.ext4"):
        absent("no mkfs.ext4, which makes the file system that is broken")
    subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
    _mount(directory, "-o", "loop,errors=remount-ro", str(image))
    try:
        device = directory.stat().st_dev
        block = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve().name
        yield BreakableDisk(directory, Path(f"/sys/fs/ext4/{block}/trigger_fs_error"))
    finally:
        # Processes of a killed server may have it open for another moment.
        subprocess.run(["umount", "--lazy", str(directory)], check=True)
        image.unlink()


def _mount(directory: Path, *arguments: str) -> None:
    if os.geteuid() != 0 or not shutil.which("mount"):
        absent("only root can mount a small file system")
    done = subprocess.run(["mount", *arguments, str(directory)], capture_output=True, text=True, check=False)
    if done.returncode:
        absent(f"a small file system can't be mounted: {done.stderr.strip()}")
