"""Names for clients whose names have no folders: `support/refund` is `support.refund` there."""

from __future__ import annotations

import itertools

from projects.contrib.registry.repository import RegistryRepository
from promptadmin.errors import Conflict

#: Beyond so many dots only the name itself, and the one with slashes alone, are looked for.
MOST_DOTS = 6


def dotted(name: str) -> str:
    """The name as those clients have it."""
    return name.replace("/", ".")


def named(repository: RegistryRepository, given: str) -> str:
    """The name of the one prompt that such a client means; the given one where there is none, to be looked up or made.

    Raises Conflict where it may be several.
    """
    parts = given.split(".")
    if len(parts) == 1:
        return given
    if len(parts) - 1 > MOST_DOTS:
        candidates = {given, given.replace(".", "/")}
    else:
        joints = itertools.product("./", repeat=len(parts) - 1)
        candidates = {"".join(itertools.chain(*zip(parts, (*chosen, ""), strict=True))) for chosen in joints}
    found = repository.names_among(candidates)
    if len(found) > 1:
        raise Conflict(f"'{given}' is {found[0]} as well as {found[1]}: rename one of them")
    return found[0] if found else given
