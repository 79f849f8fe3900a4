"""Lists of named prompts by page and number, as other products count them."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

from projects.contrib.registry.names import LATEST, key_of
from projects.contrib.registry.records import Named
from projects.contrib.registry.repository import RegistryRepository
from projects.contrib.registry.targets import Target
from promptadmin.db.legacy_values import read_moment

#: As many are read with one statement.
BATCH = 1000


class Listed(NamedTuple):
    """A named prompt with all of its versions and labels, and what belongs to its current version."""

    named: Named
    labels: list[str]
    versions: list[int]
    updated_at: dt.datetime | None
    config: Any


def list_all(
    repository: RegistryRepository,
    *,
    name: str | None = None,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    **filters: Any,
) -> list[tuple[Named, dict[str, Target]]]:
    """All named prompts that fit, by name, each with its labels. `name` is a whole one."""
    found: list[tuple[Named, dict[str, Target]]] = []
    after: str | None = None
    while True:
        page = repository.list_names(prefix=name, limit=BATCH, after=after, **filters)
        found += page.items
        after = page.next_cursor
        if after is None:
            break
    if name is not None:
        found = [item for item in found if key_of(item[0].name) == key_of(name)]
    if since is None and until is None:
        return found
    changed = _changed_at(repository, [named.prompt_id for named, _ in found])
    moments = ((item, changed.get(item[0].prompt_id)) for item in found)
    return [
        item
        for item, moment in moments
        if moment and (since is None or moment >= since) and (until is None or moment < until)
    ]


def list_details(repository: RegistryRepository, page: list[tuple[Named, dict[str, Target]]]) -> list[Listed]:
    """What a list shows of some of them."""
    ids = [named.prompt_id for named, _ in page]
    changed = _changed_at(repository, ids)
    versions: dict[str, set[int]] = {named.prompt_id: {named.current} for named, _ in page}
    for key, version in repository.prompts.versions.filter(prompt_id__in=ids).values_list("prompt_id", "version"):
        versions[key].add(version)
    return [
        Listed(
            named,
            list(labels),
            sorted(versions[named.prompt_id]),
            changed.get(named.prompt_id),
            repository.resolve(name=named.name, label=LATEST).config,
        )
        for named, labels in page
    ]


def _changed_at(repository: RegistryRepository, ids: list[str]) -> dict[str, dt.datetime | None]:
    rows = [
        row
        for start in range(0, len(ids), BATCH)
        for row in repository.prompts.prompts.filter(id__in=ids[start : start + BATCH]).values_list("id", "updated_at")
    ]
    return {key: read_moment(moment) for key, moment in rows}
