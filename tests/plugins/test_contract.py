"""The promise to plugins: public names and signatures are those of the last release, but for what the CHANGELOG says.

docs/plugins.md says what is public. `contract.txt` has its names as they are now, written by `python -m
tests.plugins.test_contract`. `contract_of_release.txt` has those of the last release: a release copies the first.
"""

from __future__ import annotations

import dataclasses
import inspect
import os
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import django

from tests.support.processes import REPOSITORY

NOW, RELEASED = (Path(__file__).parent / f"{name}.txt" for name in ("contract", "contract_of_release"))
PUBLIC = "Public is what this table names, and nothing else: another module may be gone in the next release."
FIXTURES = "`optimizations.testing`, as `startplugin` shows:"
DOCUMENT = (REPOSITORY / "docs" / "plugins.md").read_text()


def rows_below(line: str) -> list[list[str]]:
    """The cells of the table that follows a line, without its head."""
    text = DOCUMENT.split(f"\n{line}\n", 1)[1]
    table = text[text.index("|") :].split("\n\n")[0]
    return [row.split("|")[1:-1] for row in table.splitlines()[2:]]


def names_in(*cells: str) -> list[str]:
    return [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]


def public_names() -> Iterator[tuple[str, str, Any]]:
    """Each module and name that docs/plugins.md calls public, with what it is."""
    listed = {
        "promptadmin.plugins": names_in(*(cell for _, cell in rows_below("From `promptadmin.plugins`:"))),
        "optimizations.testing": names_in(*(cell for cell, _ in rows_below(FIXTURES))),
    }
    for cell, what in rows_below(PUBLIC):
        (path,) = re.findall(r"`([\w.]+)`", cell)
        module = import_module(path)
        for name in listed.get(path) or names_in(what):
            yield path, name, getattr(module, name)
    for path, repository in (("projects", "ProjectRepository"), ("optimizations", "OptimizationRepository")):
        kind = getattr(import_module(f"{path}.repository"), repository)
        table = DOCUMENT.split(f"| `{repository}` | |\n")[1].split("\n\n")[0]
        for name in names_in(*(row.split("|")[1] for row in table.splitlines())):
            yield f"{path}.repository.{repository}", name, getattr(kind, name)


def described(module: str, name: str, found: Any) -> Iterator[str]:
    """A line for a name, and one for each field or attribute of a class that plugins fill in."""
    whole = f"{module}.{name}"
    if dataclasses.is_dataclass(found):
        yield whole
        for field in dataclasses.fields(found):
            shown = getattr(field.default, "__name__", repr(field.default))
            default = "" if field.default is dataclasses.MISSING else f" = {shown}"
            yield f"{whole}.{field.name}: {field.type}{default}"
    elif inspect.isclass(found):
        yield whole
        for key, kind in vars(found).get("__annotations__", {}).items():
            if str(kind).startswith("ClassVar"):
                yield f"{whole}.{key}: {kind}"
    else:
        signature = str(inspect.signature(found)) if inspect.isfunction(found) else ""
        yield whole + re.sub(r"<function (\w+) at 0x\w+>", r"\1", signature)


def contract() -> list[str]:
    return sorted(line for found in public_names() for line in described(*found))


def test_docs_list_all_that_plugins_import() -> None:
    import promptadmin.plugins as public

    assert sorted(name for module, name, _ in public_names() if module == public.__name__) == sorted(public.__all__)


def test_public_names_and_signatures_are_those_that_are_written_down() -> None:
    assert contract() == NOW.read_text().splitlines(), "Run python -m tests.plugins.test_contract"


def test_each_change_since_the_last_release_stands_in_the_changelog() -> None:
    """By its name, in the section for plugins of what isn't released yet."""
    before, now = (set(path.read_text().splitlines()) for path in (RELEASED, NOW))
    unreleased = (REPOSITORY / "CHANGELOG.md").read_text().split("## Unreleased\n")[1].split("\n## ")[0]
    section = unreleased.split("### For plugins\n")[1].split("\n### ")[0]
    paths = {re.split(r"[(:]", line)[0] for line in before ^ now}
    # Of a class that came or went, its own name is enough.
    changed = {name for owner, _, name in (path.rpartition(".") for path in paths) if owner not in paths}
    assert {name for name in changed if f"`{name}`" not in section} == set()


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    NOW.write_text("".join(f"{line}\n" for line in contract()))
    sys.stdout.write(f"Wrote {NOW}.\n")
