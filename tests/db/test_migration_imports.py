"""What a migration does never changes, so it imports nothing that may: its own frozen helpers stand beside it."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: The fields and operations of migrations; what Django's own migrations import as well; the validators and defaults of
#: fields, which Django names in migrations.
ALLOWED = (
    "django",
    "promptadmin.db.",
    "promptadmin.accounts.roles",
    "promptadmin.contrib.webhooks.addresses",
    "promptadmin.contrib.webhooks.models",
)


def imports(path: Path) -> set[str]:
    """The modules that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module))
    return {name for name in found if name.partition(".")[0] not in sys.stdlib_module_names}


def test_migrations_import_nothing_that_may_change() -> None:
    paths = [
        path for app in ("promptadmin", "projects", "optimizations") for path in (ROOT / app).rglob("migrations/*.py")
    ]
    assert len(paths) > 60
    strange = {
        f"{path.parent.parent.name}/{path.name}": name
        for path in paths
        for name in imports(path)
        if not name.startswith(ALLOWED) and ".migrations._" not in name
    }
    assert strange == {}
