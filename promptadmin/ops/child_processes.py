"""Programs of ours in processes of their own."""

from __future__ import annotations

import sys


def python_module(module: str, *arguments: str) -> list[str]:
    """The command line that runs a module with this Python.

    `-P` keeps it from looking for modules in the current directory: somebody's folder may be called `projects`, too.
    """
    return [sys.executable, "-P", "-m", module, *arguments]
