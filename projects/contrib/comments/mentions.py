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
    asked: dict[str, None] = {}
    for match in MENTION.finditer(text):
        asked |= dict.fromkeys((match[1], match[1].rstrip(".@+-")))
    names = [name for name in asked if name][: 2 * MOST]
    found = set(staff(using).filter(username__in=names).values_list("username", flat=True)) if names else set()
    return [name for name in names if name in found][:MOST]


def staff(using: str) -> QuerySet[Any]:
    """Those who can sign in to the back-office."""
    users: QuerySet[Any] = get_user_model()._default_manager.using(using)
    return users.filter(is_staff=True, is_active=True).order_by("username")
