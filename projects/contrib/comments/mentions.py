"""People who are mentioned in a text, as in "@ana"."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet

#: What a user's name may have; one that ends a sentence has a full stop behind it.
MENTION = re.compile(r"(?<![\w.+-])@([\w.@+-]+)")
#: One comment mentions so many people at most.
MOST = 20


def mentioned(text: str, using: str) -> list[str]:
    """The names of the active members of staff whom a text mentions, as their accounts have them, each once."""
    return [name for name, is_known in _asked(text, using).items() if is_known][:MOST]


def nobodies(text: str, using: str) -> list[str]:
    """The names that a text mentions and no active member of staff has, each once."""
    return [name for name, is_known in _asked(text, using).items() if not is_known][:MOST]


def _asked(text: str, using: str) -> dict[str, bool]:
    """The names that a text mentions, and whether a member of staff has them."""
    spelled = list(dict.fromkeys(match[1] for match in MENTION.finditer(text)))[: 2 * MOST]
    names = {name for mention in spelled for name in (mention, _bare(mention))}
    there = set(staff(using).filter(username__in=names).values_list("username", flat=True)) if names else set()
    found: dict[str, bool] = {}
    for mention in spelled:
        known = [name for name in (mention, _bare(mention)) if name in there]
        found |= dict.fromkeys(known, True) if known else {_bare(mention): False}
    found.pop("", None)
    return found


def _bare(mention: str) -> str:
    return mention.rstrip(".@+-")


def staff(using: str) -> QuerySet[Any]:
    """Those who can sign in to the back-office."""
    users: QuerySet[Any] = get_user_model()._default_manager.using(using)
    return users.filter(is_staff=True, is_active=True).order_by("username")
