"""`promptadmin startplugin`."""

from __future__ import annotations

import sys
from keyword import iskeyword
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.core.management.templates import TemplateCommand

from promptadmin import __version__
from promptadmin.plugins.declarations import installed_plugins

TEMPLATE = Path(__file__).resolve().parents[2] / "plugin_template"


class Command(TemplateCommand):
    help = "Makes the package of a new plugin: it works, and its tests pass, before you change a line."
    missing_args_message = "Name the plugin, in small letters, as in: promptadmin startplugin word_counts"
    requires_system_checks = ()

    def handle(self, **options: Any) -> None:  # type: ignore[override]  # as Django's own startapp does
        name, target = options.pop("name"), options.pop("directory")
        if not name.isidentifier() or name != name.lower() or iskeyword(name):
            rule = "use small letters, digits and underscores, and no word of Python's own"
            raise CommandError(f"{name!r} is no name for a plugin: {rule}.")
        if name in installed_plugins():
            raise CommandError(f"A plugin called {name!r} is installed already: use another name.")
        options |= {
            "template": str(TEMPLATE),
            "extensions": ["py", "toml", "md", "html"],
            "version": __version__,
            "title": name.replace("_", " ").capitalize(),
            "package": f"promptadmin-{name.replace('_', '-')}",
        }
        super().handle("plugin", name, target, **options)
        place, python = target or name, _own_python()
        self.stdout.write(
            f"Made {place}/. Install it with `{python} -m pip install -e {place}`, add {name} to PROMPTADMIN_PLUGINS,"
        )
        self.stdout.write(f"and see it in `promptadmin plugins`. Its tests: `{python} -m pytest {place}`.")


def _own_python() -> str:
    """The Python that promptadmin is installed for, as one types it here: the shell's own may be another one."""
    python = Path(sys.executable)
    return str(python.relative_to(Path.cwd()) if python.is_relative_to(Path.cwd()) else python)
