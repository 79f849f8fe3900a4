"""Names for prompts that have none: proposed from project and first words, shown, and given as shown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from projects.contrib.registry.names import RESERVED, key_of
from projects.contrib.registry.repository import RegistryRepository
from projects.models import ProjectStatus, Prompt

WORDS = 5
LONGEST_PART = 60
#: What stands for a part without any letter or digit of ASCII.
UNNAMED = "prompt"
BEGINNING = 500


class Proposal(NamedTuple):
    """A prompt, the name that it would get, and the beginning of its text."""

    prompt_id: str
    name: str
    beginning: str


def propose(using: str) -> Iterator[Proposal]:
    """A name for each prompt without one, in the order of projects; archived projects are left as they are.

    The same rows get the same proposals. A name that is taken, or proposed already, gets the next free number.
    """
    repository = RegistryRepository(using)
    taken = {*repository.names.values_list("key", flat=True), *repository.redirects.values_list("key", flat=True)}
    named = repository.names.values("prompt_id")
    rows = Prompt.objects.using(using).exclude(id__in=named).select_related("project")
    for row in rows.order_by("project_id", "order_index", "id").iterator(chunk_size=500):
        project = row.project
        if project is not None and project.status != ProjectStatus.ACTIVE:
            continue
        folder = part_of(project.name) if project is not None else ""
        name = _free(f"{folder}/{_words(row.content)}" if folder else _words(row.content), taken)
        taken.add(key_of(name))
        yield Proposal(row.id, name, " ".join(row.content[:BEGINNING].split())[:60])


def part_of(text: str) -> str:
    """One part of a name, from any text: small letters, digits and dashes; letters with accents lose them."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    part = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST_PART].strip("-") or UNNAMED
    return f"{part}-{UNNAMED}" if part in RESERVED else part


def _words(content: str) -> str:
    return part_of(" ".join(content[:BEGINNING].split()[:WORDS]))


def _free(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while key_of(free) in taken:
        number += 1
        free = f"{name}-{number}"
    return free
