"""The package that users get, and environments of its own: with what it says it needs, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from email.parser import HeaderParser
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.processes import REPOSITORY, environment

PACKAGES = ("promptadmin", "projects", "optimizations")
SECONDS = 400
BUILD = "import sys; from setuptools import build_meta; getattr(build_meta, f'build_{sys.argv[1]}')(sys.argv[2])"


def build(directory: Path) -> tuple[Path, Path]:
    """The wheel and the sdist. The wheel is built from the sdist, so that it has nothing that the other one lacks."""
    tree, built = directory / "tree", directory / "built"
    for name in PACKAGES:
        shutil.copytree(REPOSITORY / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, tree)
    _build("sdist", tree, built)
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(directory / "unpacked", filter="data")
    (unpacked,) = (directory / "unpacked").iterdir()
    _build("wheel", unpacked, built)
    (wheel,) = built.glob("*.whl")
    return wheel, sdist


def _build(kind: str, tree: Path, target: Path) -> None:
    subprocess.run([sys.executable, "-c", BUILD, kind, str(target)], cwd=tree, capture_output=True, check=True)


def requirements(wheel: Path, *extras: str) -> list[Requirement]:
    """What a wheel says that it needs here."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        said = HeaderParser().parsestr(archive.read(name).decode()).get_all("Requires-Dist", [])
    return [requirement for requirement in map(Requirement, said) if _is_needed(requirement, extras)]


def _is_needed(requirement: Requirement, extras: Iterable[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))


@dataclass(frozen=True)
class Elsewhere:
    """A directory outside the checkout with a home, where somebody installs the package.

    The package index is a directory with the wheel. What the wheel needs is there before it is installed: links to what
    these tests run with, so that pip refuses the wheel where something is missing or too old.
    """

    directory: Path
    wheel: Path

    @property
    def home(self) -> Path:
        return self.directory / "home"

    @property
    def data_dir(self) -> Path:
        return self.home / ".local" / "share" / "promptadmin"

    def variables(self) -> dict[str, str]:
        """The environment of somebody who has set nothing."""
        programs = self.directory / "programs"  # `python3` is the Python that these tests run with
        if not programs.exists():
            programs.mkdir()
            (programs / "python3").symlink_to(Path(sys.executable).resolve())
        theirs = environment(
            HOME=str(self.home),
            PATH=f"{programs}:/usr/bin:/bin",
            PIP_NO_INDEX="1",
            PIP_FIND_LINKS=str(self.wheel.parent),
            PIP_DISABLE_PIP_VERSION_CHECK="1",
        )
        return {name: value for name, value in theirs.items() if not name.startswith(("XDG_", "PYTHON", "VIRTUAL_ENV"))}

    def shell(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script of the shell to its end."""
        self.home.mkdir(exist_ok=True)
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.directory,
            env=self.variables(),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def provide(self, *extras: str) -> None:
        """Link what the wheel needs, with the extras, into the environment `promptadmin`."""
        (place,) = self.directory.glob("promptadmin/lib/python*/site-packages")
        waiting, seen = requirements(self.wheel, *extras), set()
        while waiting:
            requirement = waiting.pop()
            key = (canonicalize_name(requirement.name), frozenset(requirement.extras))
            if key in seen:
                continue
            seen.add(key)
            distribution = metadata.distribution(requirement.name)
            for top in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
                if not (place / top).exists():
                    (place / top).symlink_to(Path(str(distribution.locate_file(top))).resolve())
            needed = map(Requirement, distribution.requires or ())
            waiting += [each for each in needed if _is_needed(each, requirement.extras)]
