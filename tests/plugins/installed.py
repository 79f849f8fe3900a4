"""Plugins as installed packages: a directory on the path with a package and its metadata, as pip would leave it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from tests.support.processes import Scratch

HERE = Path(__file__).parent


def announce(directory: Path, name: str, target: str) -> None:
    """The metadata of a package that announces one plugin."""
    info = directory / f"promptadmin_{name}-0.1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: promptadmin-{name}\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text(f"[promptadmin.plugins]\n{name} = {target}\n")


def install_dummy(directory: Path) -> None:
    """The plugin that declares one of everything."""
    shutil.copytree(HERE / "dummy", directory / "dummy")
    announce(directory, "dummy", "dummy.apps:DummyConfig")


def install(directory: Path, name: str, apps: str, target: str = "", **modules: str) -> None:
    """A plugin with this text as its apps.py, and other modules by name."""
    package = directory / name
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    for module, text in {"apps": apps, **modules}.items():
        (package / f"{module}.py").write_text(text)
    announce(directory, name, target or f"{name}.apps:Config")


def install_package(folder: Path, directory: Path) -> Path:
    """Let pip install a package into a fresh environment there, which sees ours; answers the environment's Python."""
    venv.create(directory, with_pip=False)
    python = directory / "bin" / "python"
    (place,) = directory.glob("lib/python*/site-packages")
    ours = sysconfig.get_path("purelib")
    (place / "ours.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--disable-pip-version-check")
    installed = run(*pip, "--no-index", "--no-deps", "--no-build-isolation", folder, cwd=directory.parent)
    assert installed.returncode == 0, installed.stderr
    return python


def run(*command: str | Path, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, with a scratch database of that directory unless the variables say otherwise."""
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=Scratch(cwd).environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=220,
        check=False,
    )
