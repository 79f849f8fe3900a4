"""Plugins as installed packages: a directory on the path with a package and its metadata, as pip would leave it."""

from __future__ import annotations

import shutil
from pathlib import Path

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
