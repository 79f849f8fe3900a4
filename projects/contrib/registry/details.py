"""What belongs to a version beside its text, and the digest of both together."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import orjson

from projects.contrib.registry.models import PromptName, VersionDetail
from projects.models import Prompt
from promptadmin.context import current_actor
from promptadmin.db import json_text
from promptadmin.db.exact_json import dumps
from promptadmin.plugins.events import Event


@dataclass(frozen=True)
class Content:
    """All that makes a version: two with the same digest are the same content."""

    kind: str
    text: str
    config: Any = None
    variables: Any = None

    @property
    def sha256(self) -> str:
        """The digest of the content as JSON: sorted keys, no blanks, other letters than ASCII as themselves."""
        whole = {"config": self.config, "kind": self.kind, "text": self.text, "variables": self.variables}
        return hashlib.sha256(dumps(whole, option=orjson.OPT_SORT_KEYS)).hexdigest()


def write_details(
    prompt_id: str, version: int, content: Content, *, author: str | None, reason: str | None, using: str
) -> None:
    """Keep what belongs to a version, in place of what is kept of it."""
    VersionDetail.objects.using(using).update_or_create(
        prompt_id=prompt_id,
        version=version,
        defaults={
            "author": author,
            "reason": reason,
            "config": json_text.write(content.config),
            "variables": json_text.write(content.variables),
            "sha256": content.sha256,
        },
    )


def record_version(event: Event) -> None:
    """Keep who made a version of a named prompt, and why; config and variables are those of the one before.

    A recorder of `prompt_version_created`.
    """
    named = PromptName.objects.using(event.using).filter(prompt_id=event.subject).first()
    if named is None:
        return
    row = Prompt.objects.using(event.using).get(id=event.subject)
    before = (
        VersionDetail.objects.using(event.using)
        .filter(prompt_id=row.id, version__lt=row.version)
        .order_by("-version")
        .first()
    )
    content = Content(
        named.kind,
        row.content,
        json_text.parse(before.config) if before else None,
        json_text.parse(before.variables) if before else None,
    )
    reason = event.data.get("reason")
    write_details(row.id, row.version, content, author=current_actor().name, reason=reason, using=event.using)
